/**
 * `npm run photos -- FOLDER`: a folder of photographs dropped at once on a fresh vault. Waits until all are safe, reloads,
 * restores and saves each, and prints backend, counts, times, bytes, quality and memory. A measurement, not part of the
 * tests.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect, test } from '../support/test'
import { takeBlocks, watchMainThread } from './main-thread'
import { watchHeap } from './page-heap'
import { watchMemory } from './page-memory'
import { compareFiles, type Comparison } from './restored'

const PICTURE = /\.(?:jpe?g|png|webp|avif|gif)$/i
const HOUR_MS = 3_600_000
const MEGABYTE = 1e6

/** Peaks in bytes. */
interface Peaks {
  readonly process: number
  readonly heap: number
}

const NONE: Peaks = { process: 0, heap: 0 }
const larger = (a: Peaks, b: Peaks): Peaks => ({
  process: Math.max(a.process, b.process),
  heap: Math.max(a.heap, b.heap),
})

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(names.map(async (name) => stat(join(folder, name))))
  return sizes.reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0)
}

test('a folder of photographs goes up and comes back', async ({ browser, newDevice, server }) => {
  test.setTimeout(HOUR_MS)
  const folder = process.env['SAFELIGHT_PHOTOS'] ?? ''
  const files = (await readdir(folder)).filter((name) => PICTURE.test(name)).map((name) => join(folder, name))
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
  const app = await newDevice()
  const { page } = app
  await watchMainThread(page)
  const memory = watchMemory()
  const heap = await watchHeap(page)
  const takePeaks = (): Peaks => ({ process: memory.take(), heap: heap.take() })
  await app.open()
  await app.createVault()
  const backend = await app.engine()

  await takeBlocks(page) // making a vault is no part of it
  const upStart = Date.now()
  await app.fileInput().setInputFiles(files)
  for (const file of files) await app.expectSafe(basename(file), HOUR_MS)
  const upSeconds = (Date.now() - upStart) / 1000
  const { longestTaskMs, longestScript } = await takeBlocks(page)
  const up = takePeaks()
  const vaultBytes = await folderBytes(join(server.dataDir))

  await page.reload()
  await expect(app.photos()).toHaveCount(files.length)
  const compared: Comparison[] = []
  let downSeconds = 0
  let down = NONE
  let saved = NONE
  for (const file of files) {
    takePeaks() // what comparing the last one needed
    const start = Date.now()
    await app.view(basename(file))
    await app.expectShown(HOUR_MS)
    downSeconds += (Date.now() - start) / 1000
    down = larger(down, takePeaks())
    const { bytes } = await app.download()
    saved = larger(saved, takePeaks())
    compared.push(await compareFiles(browser, await readFile(file), bytes))
    await app.closeViewer()
  }
  memory.stop()
  await heap.stop()

  const total = sizes.reduce((a, b) => a + b, 0)
  const pixels = compared.reduce((sum, each) => sum + each.pixels, 0)
  const qualities = compared.map((each) => 10 * Math.log10((255 ** 2 * 3 * each.pixels) / each.squaredError))
  const mean = qualities.reduce((a, b) => a + b, 0) / qualities.length
  const megabytes = (bytes: number) => `${(bytes / MEGABYTE).toFixed(0)} MB`
  const phases = (of: keyof Peaks) =>
    `${megabytes(up[of])} up, ${megabytes(down[of])} down, ${megabytes(saved[of])} saved as a file`
  const row = (name: string, value: string) => `  ${name.padEnd(34)} ${value}`
  console.log(
    [
      `${files.length} photographs, ${(pixels / MEGABYTE).toFixed(0)} megapixels, all safe and all restored on ${backend}`,
      row(
        'up, until the last was safe',
        `${upSeconds.toFixed(0)} s, ${(pixels / MEGABYTE / upSeconds).toFixed(2)} MP/s`,
      ),
      row('down, one after the other', `${downSeconds.toFixed(0)} s`),
      row('bytes of the files', `${(total / MEGABYTE).toFixed(1)} MB`),
      row('bytes in the vault, database too', `${(vaultBytes / MEGABYTE).toFixed(1)} MB`),
      row('PSNR, mean and least', `${mean.toFixed(2)} dB, ${Math.min(...qualities).toFixed(2)} dB`),
      row('largest page process', phases('process')),
      row('largest JavaScript heap of the page', phases('heap')),
      row(
        'longest task of the page, up',
        `${longestTaskMs.toFixed(0)} ms (longest script: ${longestScript})`,
      ),
    ].join('\n'),
  )
  expect(Math.min(...qualities)).toBeGreaterThan(30)
})
