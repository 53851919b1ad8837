/** The workers that a vault works with: a pool with engines for pixels, and a few without for decoding files. */
import { WorkerPool } from '../rpc/worker-pool'
import type { WorkerClient } from '../rpc/worker-client'
import { createScales, type Weighed } from './limited'
import type { Darkroom, EngineReport, ModelBlobs } from '../workers/darkroom'

const IDLE_MS = 60_000
/** Photos decoded at a time. */
export const PHOTOS_AT_ONCE = 2
/** Pixels decoded at a time, so that the tab stays below 1 GB. */
const PIXELS_AT_ONCE = 50_000_000
const BACKENDS = ['webgpu', 'wasm', 'cpu'] as const

export type DarkroomClient = WorkerClient<Darkroom>

export interface Engines {
  readonly pool: WorkerPool<Darkroom>
  readonly report: EngineReport
}

export interface Darkrooms {
  /** Starts the first engine when first asked; a failed start is tried again at the next call. */
  engines(): Promise<Engines>
  readonly decoders: WorkerPool<Darkroom>
  /** Holds photos back, weighed by their pixels, while those in work are as many as memory allows. */
  readonly weighed: Weighed
  end(): void
}

export function createDarkrooms(parts: {
  readonly startDarkroom: () => DarkroomClient
  readonly loadModel: () => Promise<ModelBlobs>
  /** Decides the personal model that every engine runs. */
  readonly modelSecret: CryptoKey
  readonly onEngine: (report: EngineReport) => void
}): Darkrooms {
  const lifetime = new AbortController()
  let engines: Promise<Engines> | null = null

  async function startEngine(
    backends: readonly EngineReport['backend'][],
  ): Promise<{ client: DarkroomClient; report: EngineReport }> {
    const client = parts.startDarkroom()
    try {
      const model = await parts.loadModel()
      const input = { model, modelSecret: parts.modelSecret, backends }
      return { client, report: await client.call(lifetime.signal, 'start', input) }
    } catch (error) {
      client.end()
      throw error
    }
  }

  async function startEngines(): Promise<Engines> {
    const { client, report } = await startEngine(BACKENDS)
    parts.onEngine(report)
    let first: DarkroomClient | null = client
    const pool = new WorkerPool<Darkroom>({
      size: report.workers,
      idleMs: IDLE_MS,
      start: async () => {
        if (first?.alive === true) {
          const ready = first
          first = null
          return ready
        }
        const others = BACKENDS.slice(BACKENDS.indexOf(report.backend))
        return (await startEngine(others)).client
      },
    })
    return { pool, report }
  }

  const decoders = new WorkerPool<Darkroom>({
    size: PHOTOS_AT_ONCE,
    idleMs: IDLE_MS,
    start: () => Promise.resolve(parts.startDarkroom()),
  })

  return {
    decoders,
    weighed: createScales(PIXELS_AT_ONCE),
    engines() {
      engines ??= startEngines().catch((error: unknown) => {
        engines = null
        throw error
      })
      return engines
    },
    end() {
      lifetime.abort()
      decoders.end()
      engines?.then(({ pool }) => pool.end()).catch(() => undefined)
    },
  }
}
