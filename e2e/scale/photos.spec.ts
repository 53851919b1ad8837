/**
 * `npm run photos -- FOLDER`: a folder of photographs dropped at once on a fresh vault. Waits until all are safe, reloads,
 * restores each, and prints counts, times, bytes, quality and memory. A measurement, not part of the tests.
 */
import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '../support/test'

const run = promisify(execFile)
const PICTURE = /\.(?:jpe?g|png|webp|avif|gif)$/i
const HOUR_MS = 3_600_000
const MEGABYTE = 1e6

/** Resident bytes of this test's page processes; a page's workers are in its process. */
async function pageBytes(): Promise<number> {
  const { stdout } = await run('ps', ['-eo', 'pid,ppid,rss,args'])
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/, 4).map(Number))
  const parents = new Map(rows.map(([pid = 0, parent = 0]) => [pid, parent]))
  const isOurs = (pid: number): boolean => pid === process.pid || (pid > 1 && isOurs(parents.get(pid) ?? 0))
  const pages = stdout.split('\n').flatMap((line, i) => {
    const [pid = 0, , kilobytes = 0] = rows[i] ?? []
    return line.includes('--type=renderer') && isOurs(pid) ? [1024 * kilobytes] : []
  })
  return Math.max(0, ...pages)
}

/** Their peak since it was last taken. */
function watchMemory(): { take: () => number; stop: () => void } {
  let most = 0
  const timer = setInterval(() => {
    pageBytes().then(
      (bytes) => (most = Math.max(most, bytes)),
      () => undefined,
    )
  }, 500)
  const take = (): number => {
    const taken = most
    most = 0
    return taken
  }
  return { take, stop: () => clearInterval(timer) }
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(names.map(async (name) => stat(join(folder, name))))
  return sizes.reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0)
}

test('a folder of photographs goes up and comes back', async ({ newDevice, server }) => {
  test.setTimeout(HOUR_MS)
  const folder = process.env['SAFELIGHT_PHOTOS'] ?? ''
  const files = (await readdir(folder)).filter((name) => PICTURE.test(name)).map((name) => join(folder, name))
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
  const app = await newDevice()
  const { page } = app
  await page.addInitScript(() => {
    const tasks: number[] = []
    Object.assign(globalThis, { longTasks: tasks })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) tasks.push(entry.duration)
    }).observe({ type: 'longtask' })
  })
  const longest = () =>
    page.evaluate(() => Math.max(0, ...(globalThis as unknown as { longTasks: number[] }).longTasks))
  const memory = watchMemory()
  await app.open()
  await app.createVault()

  const upStart = Date.now()
  await app.fileInput().setInputFiles(files)
  for (const file of files) await app.expectSafe(basename(file), HOUR_MS)
  const upSeconds = (Date.now() - upStart) / 1000
  const upLongest = await longest()
  const upPeak = memory.take()
  const vaultBytes = await folderBytes(join(server.dataDir))

  await page.reload()
  await expect(app.photos()).toHaveCount(files.length)
  const qualities: number[] = []
  let pixels = 0
  let downSeconds = 0
  let downPeak = 0
  for (const file of files) {
    const start = Date.now()
    memory.take() // what measuring the last one needed
    await app.view(basename(file))
    await expect(app.canvas()).toBeVisible({ timeout: HOUR_MS })
    downSeconds += (Date.now() - start) / 1000
    downPeak = Math.max(downPeak, memory.take())
    const original = (await readFile(file)).toString('base64')
    const { area, squaredError } = await app
      .canvas()
      .evaluate(async (canvas: HTMLCanvasElement, base64: string) => {
        const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
        const bitmap = await createImageBitmap(new Blob([bytes]))
        const { width, height } = canvas
        const other = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
        const shown = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
        if (other === null || shown === null || bitmap.width !== width || bitmap.height !== height)
          return { area: 0, squaredError: Infinity }
        other.drawImage(bitmap, 0, 0)
        shown.drawImage(canvas, 0, 0)
        let sum = 0
        for (let y = 0; y < height; y += 256) {
          const rows = Math.min(256, height - y)
          const a = other.getImageData(0, y, width, rows).data
          const b = shown.getImageData(0, y, width, rows).data
          for (let i = 0; i < a.length; i++) if ((i & 3) !== 3) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2
        }
        return { area: width * height, squaredError: sum }
      }, original)
    pixels += area
    qualities.push(10 * Math.log10((65025 * 3 * area) / squaredError))
    await app.closeViewer()
  }
  memory.stop()

  const total = sizes.reduce((a, b) => a + b, 0)
  const mean = qualities.reduce((a, b) => a + b, 0) / qualities.length
  const row = (name: string, value: string) => `  ${name.padEnd(34)} ${value}`
  console.log(
    [
      `${files.length} photographs, ${(pixels / MEGABYTE).toFixed(0)} megapixels, all safe and all restored`,
      row(
        'up, until the last was safe',
        `${upSeconds.toFixed(0)} s, ${(pixels / MEGABYTE / upSeconds).toFixed(2)} MP/s`,
      ),
      row('down, one after the other', `${downSeconds.toFixed(0)} s`),
      row('bytes of the files', `${(total / MEGABYTE).toFixed(1)} MB`),
      row('bytes in the vault, database too', `${(vaultBytes / MEGABYTE).toFixed(1)} MB`),
      row('PSNR, mean and least', `${mean.toFixed(2)} dB, ${Math.min(...qualities).toFixed(2)} dB`),
      row(
        'largest page process',
        `${(upPeak / MEGABYTE).toFixed(0)} MB up, ${(downPeak / MEGABYTE).toFixed(0)} MB down`,
      ),
      row('longest task of the page, up', `${upLongest.toFixed(0)} ms`),
    ].join('\n'),
  )
  expect(Math.min(...qualities)).toBeGreaterThan(30)
})
