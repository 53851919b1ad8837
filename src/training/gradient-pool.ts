/** Gradients of a batch, averaged over threads that each run one single-threaded backend on shared parameters. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { lossAndGradients } from './loss'
import type { Parameters } from './parameters'
import { trainingSample } from './samples'
import type { TrainConfig } from './train-config'

/** Threads have no TypeScript loader of their own: each registers one, then runs the worker's entry. */
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'))
const loader = new URL('dist/esm/api/index.mjs', tsx).href
const entry = new URL('gradient-worker.ts', import.meta.url).href
const BOOT = `import(${JSON.stringify(loader)}).then(({ register }) => {
  register()
  return import(${JSON.stringify(entry)})
})`

export interface BatchGradients {
  readonly loss: number
  readonly gradients: readonly Float32Array[]
}

export interface GradientPool {
  /** Mean loss and gradients over the batch of a step. */
  compute(step: number): Promise<BatchGradients>
  close(): Promise<void>
}

/** What a worker is started with; parameters and gradients live in shared memory. */
export interface WorkerJob {
  readonly config: TrainConfig
  readonly worker: number
  readonly parameters: Parameters
  readonly gradients: readonly Float32Array[]
}

/** Adds the gradients of this worker's share of a batch into `gradients`; returns the sum of losses. */
export async function sumShare(job: WorkerJob, step: number): Promise<number> {
  const { config, worker, parameters, gradients } = job
  for (const g of gradients) g.fill(0)
  let loss = 0
  for (let k = worker; k < config.batch; k += config.workers) {
    const one = await lossAndGradients(parameters, config, trainingSample(config, step * config.batch + k))
    loss += one.loss
    one.gradients.forEach((from, i) => addTo(gradients[i]!, from))
  }
  return loss
}

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + values[i]!
}

function scaleBy(values: readonly Float32Array[], factor: number): void {
  for (const v of values) for (let i = 0; i < v.length; i++) v[i] = v[i]! * factor
}

/** With one worker everything runs in this process, whose backend is ready; `parameters` are read at every step. */
export function startPool(config: TrainConfig, parameters: Parameters): GradientPool {
  const plain = (): Float32Array[] => parameters.map((p) => new Float32Array(p.values.length))
  if (config.workers === 1) {
    const job: WorkerJob = { config, worker: 0, parameters, gradients: plain() }
    return {
      async compute(step) {
        const loss = await sumShare(job, step)
        scaleBy(job.gradients, 1 / config.batch)
        return { loss: loss / config.batch, gradients: job.gradients }
      },
      close: () => Promise.resolve(),
    }
  }
  return startThreads(config, parameters)
}

function startThreads(config: TrainConfig, parameters: Parameters): GradientPool {
  const shared = (length: number): Float32Array => new Float32Array(new SharedArrayBuffer(4 * length))
  const copies = parameters.map((p) => ({ ...p, values: shared(p.values.length) }))
  const jobs = Array.from({ length: config.workers }, (_, worker): WorkerJob => ({
    config,
    worker,
    parameters: copies,
    gradients: parameters.map((p) => shared(p.values.length)),
  }))
  const workers = jobs.map((workerData) => new Worker(BOOT, { eval: true, workerData, execArgv: [] }))
  const ask = (worker: Worker, step: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const settle = (): void => {
        worker.off('message', answered)
        worker.off('error', failed)
      }
      const answered = (loss: number): void => {
        settle()
        resolve(loss)
      }
      const failed = (cause: unknown): void => {
        settle()
        reject(new Error('A training worker died.', { cause }))
      }
      worker.on('message', answered)
      worker.on('error', failed)
      worker.postMessage(step)
    })
  return {
    async compute(step) {
      parameters.forEach((p, i) => copies[i]!.values.set(p.values))
      const losses = await Promise.all(workers.map((worker) => ask(worker, step)))
      const sum = jobs[0]!.gradients
      for (const job of jobs.slice(1)) job.gradients.forEach((g, i) => addTo(sum[i]!, g))
      scaleBy(sum, 1 / config.batch)
      return { loss: losses.reduce((a, b) => a + b, 0) / config.batch, gradients: sum }
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
