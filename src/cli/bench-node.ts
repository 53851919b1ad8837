/** The codec benchmark under Node: worker processes with one WebAssembly engine each, which begin every part together. */
import { fork, type ChildProcess } from 'node:child_process'
import { resourceUsage } from 'node:process'
import { getThreadsCount } from '@tensorflow/tfjs-backend-wasm'
import type { Effort, RasterImage } from '../codec/types'
import { measureRounds, sceneQuartet, thumbnailScenes, type WorkerReport } from './bench-rounds'
import { readModel, readyWasm } from '../training/node-model'
import { listPictures, readPicture } from './picture-files'

export type Entropy = 'kernel' | 'typescript'

export interface NodeReport extends WorkerReport {
  readonly processId: number
  /** Largest resident set that the worker's process had. */
  readonly peakBytes: number
}

export interface WorkOptions {
  readonly entropy: Entropy
  readonly rounds: number
  readonly quality: number
  readonly effort: Effort
  readonly folder: string | null
}

const THUMBNAILS = 16

/** Runs `script` with `args` in so many processes; the script calls `workHere`. */
export async function measureTogether(
  script: string,
  args: readonly string[],
  workers: number,
): Promise<NodeReport[]> {
  const children = Array.from({ length: workers }, () => fork(script, args))
  let waiting: ChildProcess[] = []
  const reports = await Promise.all(
    children.map(
      (child) =>
        new Promise<NodeReport>((resolve, reject) => {
          child.on('message', (message: 'ready' | NodeReport) => {
            if (message !== 'ready') {
              resolve(message)
              return
            }
            waiting.push(child)
            if (waiting.length < workers) return
            for (const each of waiting) each.send('begin')
            waiting = []
          })
          child.on('error', reject)
          child.on('exit', (code) => reject(new Error(`A worker ended with ${code ?? 'no code'}.`)))
        }),
    ),
  )
  const processes = new Set(reports.map(({ processId }) => processId))
  if (
    processes.size !== workers ||
    reports.some(({ backend, threads }) => backend !== 'wasm' || threads !== 1)
  )
    throw new Error(`These were not ${workers} processes with one WebAssembly thread each.`)
  return reports
}

async function readPictures(folder: string | null): Promise<RasterImage[]> {
  if (folder === null) return [sceneQuartet()]
  return Promise.all((await listPictures(folder)).map((file) => readPicture(file)))
}

/** One worker, in a process that `measureTogether` started. */
export async function workHere({ folder, ...options }: WorkOptions): Promise<void> {
  await readyWasm()
  const { weights } = await readModel()
  const pictures = await readPictures(folder)
  const report = await measureRounds({
    ...options,
    ...{ weights, pictures },
    scenes: folder === null ? thumbnailScenes(THUMBNAILS) : pictures.slice(0, THUMBNAILS),
    threads: getThreadsCount(),
    together: () => {
      const begin = new Promise<void>((resolve) => process.once('message', () => resolve()))
      process.send?.('ready')
      return begin
    },
  })
  const whole: NodeReport = { ...report, processId: process.pid, peakBytes: 1024 * resourceUsage().maxRSS }
  process.send?.(whole)
  process.disconnect()
}
