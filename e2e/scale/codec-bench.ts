/**
 * The codec in a browser, for `npm run bench -- codec --browser`: whole path and thumbnails in as many workers as asked,
 * then one large photograph through the app itself. Writes its figures to SAFELIGHT_BENCH_OUT. No part of the tests.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { expect, test } from '../support/test'
import { bundleBench, serveBench } from './bench-bundle'
import { takeBlocks, watchMainThread } from './main-thread'
import { watchMemory } from './page-memory'

interface Options {
  readonly workers: readonly number[]
  readonly rounds: number
  readonly quality: number
  readonly effort: string
  /** A picture file for the app. */
  readonly photo: string
}

interface RoundsReport {
  readonly backend: string
  readonly threads: number | null
}

declare global {
  interface Window {
    measureWorkers(count: number, options: object): Promise<RoundsReport[]>
    measureDarkroomThumbnails(
      count: number,
      backend: string,
      options: { thumbnails: number; rounds: number },
    ): Promise<{ workers: number; backend: string; perSecond: number }>
  }
}

const HOUR_MS = 3_600_000
const options = JSON.parse(process.env['SAFELIGHT_BENCH'] ?? '{}') as Options
const record = (figures: object): Promise<void> =>
  appendFile(process.env['SAFELIGHT_BENCH_OUT'] ?? '', `${JSON.stringify(figures)}\n`)

test('the codec in workers', async ({ browser, page }, { project }) => {
  const backend = project.name
  const tiny = backend === 'webgpu'
  await bundleBench()
  const { origin, close } = await serveBench()
  const memory = watchMemory()
  await page.goto(origin)
  await page.waitForFunction(() => 'measureWorkers' in window, null, { timeout: 30_000 })
  for (const workers of tiny ? [1] : options.workers) {
    const rounds = tiny ? 1 : options.rounds
    const { quality, effort } = options
    memory.take()
    const reports = await page.evaluate(([count, given]) => window.measureWorkers(count, given), [
      workers,
      { backend, tiny, rounds, quality, effort },
    ] as const)
    const peakBytes = memory.take()
    expect(reports.map((report) => [report.backend, report.threads])).toEqual(
      Array.from({ length: workers }, () => [backend, backend === 'wasm' ? 1 : null]),
    )
    const thumbnails = await page.evaluate(
      ([count, name, given]) => window.measureDarkroomThumbnails(count, name, given),
      [workers, backend, { thumbnails: tiny ? 1 : 16, rounds }] as const,
    )
    expect(thumbnails).toMatchObject({ workers, backend })
    await record({
      ...{ part: 'workers', backend, browser: browser.version(), reports, peakBytes },
      darkroomThumbnailsPerSecond: thumbnails.perSecond,
    })
  }
  memory.stop()
  close()
})

test('a photograph through the app', async ({ newDevice }, { project }) => {
  test.skip(project.name === 'webgpu', 'a software adapter would take hours')
  const app = await newDevice()
  const { page } = app
  await watchMainThread(page)
  const memory = watchMemory()
  await app.open()
  await app.createVault()
  const name = basename(options.photo)
  await takeBlocks(page)
  const upStart = Date.now()
  await app.fileInput().setInputFiles(options.photo)
  await app.expectSafe(name, HOUR_MS)
  const upSeconds = (Date.now() - upStart) / 1000
  const up = { ...(await takeBlocks(page)), peakBytes: memory.take() }
  await page.reload()
  await expect(app.photos()).toHaveCount(1)
  await takeBlocks(page)
  memory.take()
  const downStart = Date.now()
  await app.view(name)
  await app.expectShown(HOUR_MS)
  const downSeconds = (Date.now() - downStart) / 1000
  const down = { ...(await takeBlocks(page)), peakBytes: memory.take() }
  const megapixels = await page.evaluate(
    async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
      const { width, height } = await createImageBitmap(new Blob([bytes]))
      return (width * height) / 1e6
    },
    (await readFile(options.photo)).toString('base64'),
  )
  const cores = await page.evaluate(() => navigator.hardwareConcurrency)
  memory.stop()
  await record({ part: 'app', backend: project.name, cores, megapixels, upSeconds, downSeconds, up, down })
})
