import { readFile } from 'node:fs/promises'
import { dropFiles } from '../support/drop'
import { picture } from '../support/pictures'
import { expect, test } from '../support/test'

const NAME = 'first-snow.jpg'

test('an exact original comes back bit for bit on another device, under its own name', async ({
  newDevice,
}) => {
  test.setTimeout(300_000)
  const original = await readFile(picture(NAME))
  const first = await newDevice()
  await first.open()
  const words = await first.createVault()

  await test.step('the cost is shown before the choice', async () => {
    await first.openImportOptions()
    await dropFiles(first.page, [picture(NAME)])
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
    await second.open()
    await second.enterWords(words.join(' '))
    await expect(second.photos()).toHaveCount(1)
    await second.view(NAME)
    const { name, bytes } = await second.download()
    expect(name).toBe(NAME)
    expect(bytes.equals(original)).toBe(true)
  })
})
