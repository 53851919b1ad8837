/** The workers that a vault works with: a pool with engines for pixels, and a few without for decoding files. */
import { WorkerPool } from '../rpc/worker-pool'
import type { WorkerClient } from '../rpc/worker-client'
import { createScales, type Weighed } from './limited'
import type { ModelId } from '../format/ids'
import type { Bytes } from '../lib/bytes'
import type { Darkroom, EngineReport } from '../workers/darkroom'
import type { ModelOnDevice } from '../workers/model-codecs'
import type { ModelShelf } from './model-files'

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

/** Engines, and the model that they shall restore with. */
export interface Restoring {
  readonly pool: WorkerPool<Darkroom>
  readonly model: ModelOnDevice
  /** SHA-256 of the model's personal weights. */
  readonly weightsHash: Bytes
}

export interface Darkrooms {
  /** Starts the first engine when first asked; a failed start is tried again at the next call. */
  engines(): Promise<Engines>
  /** For what was made with a model. Throws as ModelShelf.find. */
  restoring(modelId: ModelId): Promise<Restoring>
  readonly decoders: WorkerPool<Darkroom>
  /** Holds photos back, weighed by their pixels, while those in work are as many as memory allows. */
  readonly weighed: Weighed
  end(): void
}

export function createDarkrooms(parts: {
  readonly startDarkroom: () => DarkroomClient
  readonly models: ModelShelf
  /** Decides the personal models that every engine runs. */
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
      const newest = await parts.models.newest()
      const input = { newest, modelSecret: parts.modelSecret, backends }
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

  const older = new Map<ModelId, Promise<Restoring>>()

  async function restoring(modelId: ModelId): Promise<Restoring> {
    const model = await parts.models.find(modelId)
    const { pool, report } = await theEngines()
    if (modelId === report.modelId) return { pool, model, weightsHash: report.weightsHash }
    const known = older.get(modelId)
    if (known !== undefined) return known
    const { signal } = lifetime
    const hash = pool.run(signal, (worker) => worker.call(signal, 'weightsHashOf', model), { urgent: true })
    const ready = hash.then((weightsHash) => ({ pool, model, weightsHash }))
    older.set(modelId, ready)
    ready.catch(() => older.delete(modelId))
    return ready
  }

  function theEngines(): Promise<Engines> {
    engines ??= startEngines().catch((error: unknown) => {
      engines = null
      throw error
    })
    return engines
  }

  const decoders = new WorkerPool<Darkroom>({
    size: PHOTOS_AT_ONCE,
    idleMs: IDLE_MS,
    start: () => Promise.resolve(parts.startDarkroom()),
  })

  return {
    decoders,
    weighed: createScales(PIXELS_AT_ONCE),
    engines: theEngines,
    restoring,
    end() {
      lifetime.abort()
      decoders.end()
      engines?.then(({ pool }) => pool.end()).catch(() => undefined)
    },
  }
}
