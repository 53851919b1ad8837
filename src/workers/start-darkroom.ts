/** Starts darkroom workers; the only place that names their file. */
import { portOfWorker } from '../rpc/port'
import { WorkerClient } from '../rpc/worker-client'
import type { Darkroom } from './darkroom'

export function startDarkroom(): WorkerClient<Darkroom> {
  const worker = new Worker(new URL('./darkroom.worker.ts', import.meta.url), {
    type: 'module',
    name: 'darkroom',
  })
  return new WorkerClient<Darkroom>(portOfWorker(worker))
}
