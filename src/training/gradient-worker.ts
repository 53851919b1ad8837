/** Entry of a training thread: answers each step number with the loss of its share (see gradient-pool.ts). */
import { parentPort, workerData } from 'node:worker_threads'
import { readyBackend } from './backend'
import { sumShare, type WorkerJob } from './gradient-pool'

const job = workerData as WorkerJob
const ready = readyBackend(job.config.backend)

parentPort!.on('message', (step: number) => {
  void ready.then(() => sumShare(job, step)).then((loss) => parentPort!.postMessage(loss))
})
