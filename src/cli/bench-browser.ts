/** The codec benchmark in Chromium: hands its measuring to the journeys' browser and server, and reads what they found. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { sceneQuartet, type WorkerReport } from './bench-rounds'
import { listPictures } from './picture-files'

export interface BrowserOptions {
  readonly backends: readonly string[]
  readonly workers: readonly number[]
  readonly rounds: number
  readonly quality: number
  readonly effort: string
  readonly folder: string | null
}

export interface WorkersInBrowser {
  readonly part: 'workers'
  readonly backend: string
  readonly browser: string
  readonly reports: readonly WorkerReport[]
  /** Of the page's process, which has all workers. */
  readonly peakBytes: number
  /** Opened by the app's own workers, from the first bytes of artifacts to PNG files. */
  readonly darkroomThumbnailsPerSecond: number
}

export interface Strain {
  readonly longestTaskMs: number
  readonly longestFrameGapMs: number
  /** Who called the longest script of the longest late frame, and how long it ran. */
  readonly longestScript: string
  readonly peakBytes: number
}

export interface AppInBrowser {
  readonly part: 'app'
  readonly backend: string
  readonly cores: number
  readonly megapixels: number
  readonly upSeconds: number
  readonly downSeconds: number
  readonly up: Strain
  readonly down: Strain
}

/** 4096 x 3072 from procedural scenes, mirrored. */
async function drawPhoto(file: string): Promise<string> {
  const { width, height, data } = sceneQuartet()
  await sharp(Buffer.from(data.buffer), { raw: { width, height, channels: 4 } })
    .removeAlpha()
    .extend({ right: width, bottom: height, extendWith: 'mirror' })
    .jpeg({ quality: 92 })
    .toFile(file)
  return file
}

export async function measureInBrowser(
  options: BrowserOptions,
): Promise<(WorkersInBrowser | AppInBrowser)[]> {
  const folder = await mkdtemp(join(tmpdir(), 'safelight-bench-'))
  try {
    const first = options.folder === null ? undefined : (await listPictures(options.folder))[0]
    const photo = first ?? (await drawPhoto(join(folder, 'scenes.jpg')))
    const out = join(folder, 'figures')
    const root = fileURLToPath(new URL('../../', import.meta.url))
    const args = ['scripts/e2e.mjs', '--config', 'e2e/scale/bench.config.ts', '--reporter=line']
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: ['ignore', 2, 2], // figures alone go to standard output
      env: {
        ...process.env,
        SAFELIGHT_BENCH: JSON.stringify({ ...options, photo }),
        SAFELIGHT_BENCH_BACKENDS: options.backends.join(','),
        SAFELIGHT_BENCH_OUT: out,
      },
    })
    const status = await new Promise<number | null>((done) => child.on('exit', (code) => done(code)))
    if (status !== 0) throw new Error('The browser did not finish measuring.')
    const lines = (await readFile(out, 'utf8')).trim().split('\n')
    return lines.map((line) => JSON.parse(line) as WorkersInBrowser | AppInBrowser)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
