import { copyFile, mkdtemp, readFile, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dropFiles } from '../support/drop'
import { openStoredVault } from '../support/opened-vault'
import { picture } from '../support/pictures'
import { expect, test as base } from '../support/test'

const NAME = 'first-snow.jpg'
const MODIFIED_AT = '2019-07-03T04:05:06.789Z'
/** Section of an exact original, as src/format/artifact numbers it. */
const ORIGINAL = 3

interface SavedFile {
  readonly name: string
  readonly type: string
  readonly lastModified: number
}

declare global {
  interface Window {
    noteSaved(file: SavedFile): void
  }
}

/** A file with a date of its own. */
const test = base.extend<{ readonly path: string }>({
  path: async ({ browserName }, use) => {
    const folder = await mkdtemp(join(tmpdir(), `safelight-${browserName}-original-`))
    const path = join(folder, NAME)
    await copyFile(picture(NAME), path)
    await utimes(path, new Date(MODIFIED_AT), new Date(MODIFIED_AT))
    await use(path)
    await rm(folder, { recursive: true })
  },
})

test('an exact original comes back bit for bit on another device, with its name and its date', async ({
  server,
  newDevice,
  page,
  path,
}) => {
  test.setTimeout(300_000)
  const original = await readFile(path)
  const first = await newDevice()
  await first.open()
  const words = await first.createVault()

  await test.step('the cost is shown before the choice', async () => {
    await first.openImportOptions()
    await dropFiles(first.page, [path])
    const size = new RegExp(`adds ${(original.length / 1000).toFixed(original.length < 10_000 ? 1 : 0)} kB`)
    await expect(first.importOptions()).toContainText(size)
    await first
      .importOptions()
      .getByRole('checkbox', { name: /Keep exact original/ })
      .check()
    await first
      .importOptions()
      .getByRole('button', { name: /^Develop/ })
      .click()
    await first.expectSafe(NAME)
  })

  await test.step('and what it took afterwards', async () => {
    await first.page.reload()
    await first.view(NAME)
    await first.viewer().getByRole('button', { name: 'Info' }).click()
    await expect(first.viewer()).toContainText('Kept, sealed')
  })

  await test.step('the file on a second device is the file itself', async () => {
    const second = await newDevice()
    // A download on disk has the date of the download: what the app hands to the browser is looked at.
    const saved: SavedFile[] = []
    await second.page.exposeFunction('noteSaved', (file: SavedFile) => void saved.push(file))
    await second.page.addInitScript(() => {
      const make = URL.createObjectURL.bind(URL)
      URL.createObjectURL = (object) => {
        if (object instanceof File) {
          const { name, type, lastModified } = object
          window.noteSaved({ name, type, lastModified })
        }
        return make(object)
      }
    })
    await second.open()
    await second.enterWords(words.join(' '))
    await expect(second.photos()).toHaveCount(1)
    await second.view(NAME)
    const { name, bytes } = await second.download()
    expect(name).toBe(NAME)
    expect(bytes.equals(original)).toBe(true)
    expect(saved).toEqual([{ name: NAME, type: 'image/jpeg', lastModified: Date.parse(MODIFIED_AT) }])
  })

  await test.step('its artifact is padded by the rule that the app seals with, and says so', async () => {
    const [stored, ...others] = await openStoredVault(page, server.dataDir, words)
    expect(others).toEqual([])
    expect(stored).toMatchObject({ name: NAME, fileModifiedAt: MODIFIED_AT, paddingRule: 'eighths' })
    const section = stored?.sections.find(({ id }) => id === ORIGINAL)
    expect(section?.trueBytes).toBe(original.length)
    expect(section?.paddedBytes).toBeGreaterThanOrEqual(original.length)
    expect(section?.paddedBytes).toBeLessThanOrEqual(Math.ceil(original.length * 2 ** (1 / 8)))
  })
})
