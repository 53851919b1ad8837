import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { picture, readCanary } from '../support/pictures'
import { filesUnder, findPlaintext, spellings, type Needle } from '../support/search'
import Database from 'better-sqlite3'
import { expect, test } from '../support/test'

const MODELS = resolve(import.meta.dirname, '../../models')

/** Windows of the released weights: a vault that held any part of them would hold one of these whole. */
async function weightNeedles(): Promise<Needle[]> {
  const entries = await readdir(MODELS, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.bin'))
  const needles = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const bytes = await readFile(join(parentPath, name))
      return [0.1, 0.3, 0.5, 0.7, 0.9].map((part) => {
        const at = Math.floor(bytes.length * part) & ~3
        return { name: `${name} at ${at}`, bytes: bytes.subarray(at, at + 24) }
      })
    }),
  )
  return needles.flat().filter(({ bytes }) => new Set(bytes).size > 8)
}

/** A rational of EXIF as the file stores it: numerator and denominator, little-endian. */
function rational(text: string): Buffer {
  const [numerator = '0', denominator = '1'] = text.split(' ').at(-1)?.split('/') ?? []
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(Number(numerator), 0)
  bytes.writeUInt32LE(Number(denominator), 4)
  return bytes
}

test('nothing readable reaches the vault', async ({ server, newDevice }) => {
  test.setTimeout(300_000)
  const canary = readCanary()
  const app = await newDevice()
  await app.open()
  const words = await app.createVault()
  await app.pick([canary.fileName, 'tiny.png'])
  await app.expectSafe(canary.fileName)
  await app.expectSafe('tiny.png')

  await app.view('tiny.png')
  await app.expectRestored(64, 48)
  const rows = await app.canvas().evaluate((element: HTMLCanvasElement) => {
    const data = element.getContext('2d')?.getImageData(0, 0, element.width, element.height).data ?? []
    return Array.from(data)
  })
  const rgba = Buffer.from(rows.slice(64 * 4 * 20, 64 * 4 * 20 + 40))
  const rgb = Buffer.from(rows.slice(64 * 4 * 20, 64 * 4 * 20 + 64).filter((_, at) => at % 4 !== 3))

  const original = await readFile(picture(canary.fileName))
  const middle = Math.floor(original.length / 2)
  const needles: Needle[] = [
    { name: 'file name', bytes: Buffer.from(canary.fileName) },
    { name: 'file name without extension', bytes: Buffer.from(canary.fileName.replace(/\.jpg$/, '')) },
    { name: 'EXIF description', bytes: Buffer.from(canary.description) },
    { name: 'GPS latitude', bytes: rational(canary.latitude) },
    { name: 'GPS longitude', bytes: rational(canary.longitude) },
    { name: 'original file', bytes: original.subarray(middle, middle + 24) },
    { name: 'pixel row, RGBA', bytes: rgba },
    { name: 'pixel row, RGB', bytes: rgb },
    { name: 'words of the kit', bytes: Buffer.from(words.slice(0, 3).join(' ')) },
    ...(await weightNeedles()),
  ]

  await test.step('the search finds what is there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'safelight-planted-'))
    try {
      for (const needle of needles) {
        for (const spelling of spellings(needle.bytes)) {
          await writeFile(
            join(folder, 'planted'),
            Buffer.concat([Buffer.from('before'), spelling, Buffer.from('after')]),
          )
          expect(await findPlaintext(folder, [needle])).toHaveLength(1)
        }
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  expect(await findPlaintext(server.dataDir, needles)).toEqual([])
  await server.stop()
  expect(await findPlaintext(server.dataDir, needles)).toEqual([])
})

/** One bit in each part of an artifact: magic, format, model id, artifact id, nonce, commitment, index, and the last tag. */
const PLACES = [0, 9, 15, 50, 85, 100, 159, 170, -1] as const
/** Within the thumbnail, which begins at 640 and has at least a page; the grid reads it, the viewer does not. */
const THUMBNAIL_PLACE = 2_000

async function flipIn(files: readonly string[], place: number): Promise<void> {
  for (const file of files) {
    const bytes = await readFile(file)
    const at = place < 0 ? bytes.length + place : place
    bytes[at] = (bytes[at] ?? 0) ^ 0x04
    await writeFile(file, bytes)
  }
}

test('a flipped bit in an artifact is named and never shown', async ({ server, newDevice }) => {
  test.setTimeout(420_000)
  const app = await newDevice()
  await app.open()
  const words = (await app.createVault()).join(' ')
  await app.pick(['river.webp'])
  await app.expectSafe('river.webp')
  const blobs = await filesUnder(join(server.dataDir, 'blobs'))
  expect(blobs).toHaveLength(1)

  await test.step('in the thumbnail', async () => {
    await flipIn(blobs, THUMBNAIL_PLACE)
    const device = await newDevice()
    await device.open()
    await device.enterWords(words)
    await expect(device.photos()).toContainText('Not readable here')
    await expect(device.photos().locator('img')).toHaveCount(0)
    await flipIn(blobs, THUMBNAIL_PLACE)
  })

  const device = await newDevice()
  await device.open()
  await device.enterWords(words)
  await expect(device.photos()).toHaveCount(1)
  for (const place of PLACES) {
    await test.step(`at byte ${place}`, async () => {
      await flipIn(blobs, place)
      await device.page.reload()
      await device.view('river.webp')
      await device.expectDamageNamed()
      await device.closeViewer()
      await flipIn(blobs, place)
    })
  }

  await test.step('cut short', async () => {
    const whole = await readFile(blobs[0]!)
    for (const bytes of [whole.length - 1, 700, 0]) {
      await truncate(blobs[0]!, bytes)
      await device.page.reload()
      await device.view('river.webp')
      await device.expectDamageNamed()
      await device.closeViewer()
    }
    await writeFile(blobs[0]!, whole)
  })

  await test.step('and sound bytes are shown again', async () => {
    await device.page.reload()
    await device.view('river.webp')
    await device.expectRestored(400, 300)
  })
})

/** Flips one bit in the middle of every value of a column of the vault's database. */
function flipInDatabase(path: string, table: 'records' | 'chain', column: 'body' | 'entry'): void {
  const database = new Database(path)
  try {
    const rows = database
      .prepare<[], { rowid: number; value: Buffer }>(`SELECT rowid, ${column} AS value FROM ${table}`)
      .all()
    expect(rows.length).toBeGreaterThan(0)
    for (const { rowid, value } of rows) {
      const at = value.length >> 1
      value[at] = (value[at] ?? 0) ^ 0x04
      database.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(value, rowid)
    }
  } finally {
    database.close()
  }
}

test('a flipped bit in a stored record is named, and mended when the vault is', async ({
  server,
  newDevice,
}) => {
  const app = await newDevice()
  await app.open()
  const words = (await app.createVault()).join(' ')
  await app.pick(['tiny.png'])
  await app.expectSafe('tiny.png')
  const database = join(server.dataDir, 'vault.db')
  await server.stop()
  flipInDatabase(database, 'records', 'body')
  await server.start()

  const device = await newDevice()
  await device.open()
  await device.enterWords(words)
  await expect(device.page.getByRole('alert')).toContainText('The record of one photo is damaged')
  await expect(device.photos()).toHaveCount(0)

  await server.stop()
  flipInDatabase(database, 'records', 'body')
  await server.start()
  await device.page.reload()
  await expect(device.photos()).toHaveCount(1)
  await expect(device.page.getByRole('alert')).toHaveCount(0)
})

test('a flipped bit in the stored chain is named and never shown', async ({ server, newDevice }) => {
  const app = await newDevice()
  await app.open()
  const words = (await app.createVault()).join(' ')
  await app.pick(['tiny.png'])
  await app.expectSafe('tiny.png')
  await server.stop()
  flipInDatabase(join(server.dataDir, 'vault.db'), 'chain', 'entry')
  await server.start()

  const device = await newDevice()
  await device.open()
  await device.enterWords(words)
  await expect(device.page.getByRole('alert')).toContainText('The history that the vault keeps is damaged')
  await expect(device.photos()).toHaveCount(0)
})
