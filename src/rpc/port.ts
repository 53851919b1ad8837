/** The two ends of a worker connection, reduced to what the calls need, so that they run in any JavaScript host. */
import type { FromWorker, ToWorker } from './messages'

/** The page's end. */
export interface WorkerPort {
  send(message: ToWorker, transfer: Transferable[]): void
  onMessage(listener: (message: FromWorker) => void): void
  /** Called once when the worker can no longer answer. */
  onDeath(listener: (reason: Error) => void): void
  end(): void
}

/** The worker's end: a DedicatedWorkerGlobalScope or a started MessagePort. */
export interface ServicePort {
  postMessage(message: FromWorker, transfer: Transferable[]): void
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void
}

export function portOfWorker(worker: Worker): WorkerPort {
  return {
    send: (message, transfer) => worker.postMessage(message, transfer),
    onMessage: (listener) =>
      worker.addEventListener('message', (event: MessageEvent<FromWorker>) => listener(event.data)),
    onDeath: (listener) => {
      worker.addEventListener('error', (event) => {
        event.preventDefault()
        listener(new Error('A worker failed.'))
      })
      worker.addEventListener('messageerror', () =>
        listener(new Error('A worker sent an unreadable message.')),
      )
    },
    end: () => worker.terminate(),
  }
}
