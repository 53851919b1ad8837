/**
 * The page's side of one worker: a queue of calls, one in the worker at a time, that survives a failed call.
 * An aborted call rejects at once; where it was already running, the queue goes on when the worker lets go of it.
 */
import { RpcError } from './errors'
import { transfersOf, type FromWorker, type InputOf, type OutputOf, type Procedures } from './messages'
import type { WorkerPort } from './port'

export interface CallOptions {
  readonly onProgress?: (fraction: number) => void
}

interface Job {
  readonly id: number
  readonly method: string
  readonly input: unknown
  readonly signal: AbortSignal
  readonly onProgress: ((fraction: number) => void) | undefined
  readonly resolve: (output: unknown) => void
  readonly reject: (error: unknown) => void
  readonly onAbort: () => void
}

export class WorkerClient<Table extends Procedures<Table>> {
  readonly #port: WorkerPort
  readonly #waiting: Job[] = []
  readonly #endListeners: (() => void)[] = []
  #running: Job | null = null
  #nextId = 1
  #ended: RpcError | null = null

  constructor(port: WorkerPort) {
    this.#port = port
    port.onMessage((message) => this.#receive(message))
    port.onDeath((cause) =>
      this.#stop(new RpcError('worker-died', 'A worker stopped before it was done.', { cause })),
    )
  }

  get alive(): boolean {
    return this.#ended === null
  }

  /** Calls a procedure. Buffers named with `moved(input, …)` are transferred when the call is sent. */
  call<Name extends keyof Table & string>(
    signal: AbortSignal,
    method: Name,
    input: InputOf<Table, Name>,
    options: CallOptions = {},
  ): Promise<OutputOf<Table, Name>> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#ended !== null) throw this.#ended
      signal.throwIfAborted()
      const id = this.#nextId++
      const onAbort = () => this.#abort(id)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push({
        id,
        method,
        input,
        signal,
        onProgress: options.onProgress,
        resolve,
        reject,
        onAbort,
      })
      this.#sendNext()
    }) as Promise<OutputOf<Table, Name>>
  }

  /** Ends the worker; every pending call rejects with code 'ended'. */
  end(): void {
    this.#stop(new RpcError('ended', 'The worker was ended.'))
  }

  /** Called once when the worker died or was ended. */
  onEnd(listener: () => void): void {
    if (this.#ended === null) this.#endListeners.push(listener)
    else listener()
  }

  #sendNext(): void {
    while (this.#running === null) {
      const job = this.#waiting.shift()
      if (job === undefined) return
      this.#running = job
      try {
        const { id, method, input } = job
        this.#port.send({ kind: 'call', id, method, input }, transfersOf(input))
      } catch (cause) {
        this.#running = null
        job.signal.removeEventListener('abort', job.onAbort)
        job.reject(new RpcError('unreadable-message', 'A call could not be sent to a worker.', { cause }))
      }
    }
  }

  #receive(message: FromWorker): void {
    const job = this.#running
    if (job === null || job.id !== message.id) return
    if (message.kind === 'progress') {
      if (!job.signal.aborted) job.onProgress?.(message.fraction)
      return
    }
    this.#running = null
    job.signal.removeEventListener('abort', job.onAbort)
    if (message.kind === 'result') job.resolve(message.output)
    else job.reject(new RpcError(message.error.code, message.error.message))
    this.#sendNext()
  }

  #abort(id: number): void {
    if (this.#running?.id === id) {
      this.#running.reject(this.#running.signal.reason)
      this.#port.send({ kind: 'cancel', id }, [])
      return
    }
    const index = this.#waiting.findIndex((job) => job.id === id)
    const job = this.#waiting[index]
    if (job === undefined) return
    this.#waiting.splice(index, 1)
    job.reject(job.signal.reason)
  }

  #stop(reason: RpcError): void {
    if (this.#ended !== null) return
    this.#ended = reason
    this.#port.end()
    const pending = this.#running === null ? this.#waiting : [this.#running, ...this.#waiting]
    for (const job of pending) {
      job.signal.removeEventListener('abort', job.onAbort)
      job.reject(reason)
    }
    this.#running = null
    this.#waiting.length = 0
    for (const listener of this.#endListeners) listener()
  }
}
