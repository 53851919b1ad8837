/**
 * A few workers shared by many tasks. A task leases one worker alone; urgent tasks (somebody is looking) go before
 * waiting ones. Workers start when first needed, are replaced when they die, and end after `idleMs` without work,
 * because the heap of a WebAssembly engine never shrinks.
 */
import { RpcError } from './errors'
import type { Procedures } from './messages'
import type { WorkerClient } from './worker-client'

export interface PoolOptions<Table extends Procedures<Table>> {
  readonly size: number
  readonly idleMs: number
  /** Starts a worker that is ready for tasks. */
  readonly start: () => Promise<WorkerClient<Table>>
}

interface Slot<Table extends Procedures<Table>> {
  readonly client: WorkerClient<Table>
  idleTimer: ReturnType<typeof setTimeout> | null
}

interface Waiter {
  readonly go: () => void
  readonly fail: (error: Error) => void
}

export class WorkerPool<Table extends Procedures<Table>> {
  readonly #options: PoolOptions<Table>
  readonly #idle: Slot<Table>[] = []
  readonly #busy = new Set<Slot<Table>>()
  readonly #urgent: Waiter[] = []
  readonly #waiting: Waiter[] = []
  #leases = 0
  #ended = false

  constructor(options: PoolOptions<Table>) {
    this.#options = options
  }

  get size(): number {
    return this.#options.size
  }

  /** Tasks that wait for a worker. */
  get waiting(): number {
    return this.#urgent.length + this.#waiting.length
  }

  async run<Result>(
    signal: AbortSignal,
    task: (client: WorkerClient<Table>) => Promise<Result>,
    options: { readonly urgent?: boolean } = {},
  ): Promise<Result> {
    await this.#lease(signal, options.urgent === true)
    let slot: Slot<Table> | null = null
    try {
      slot = await this.#takeWorker()
      signal.throwIfAborted()
      return await task(slot.client)
    } finally {
      if (slot !== null) this.#giveBack(slot)
      this.#leases -= 1
      ;(this.#urgent.shift() ?? this.#waiting.shift())?.go()
    }
  }

  /** Ends workers without work beyond so many, so that what they hold is free now. */
  endIdle(keep: number): void {
    for (const slot of this.#idle.splice(keep)) this.#endSlot(slot)
  }

  /** Ends every worker; running and waiting tasks reject. */
  end(): void {
    this.#ended = true
    const reason = new RpcError('ended', 'The workers were ended.')
    for (const waiter of [...this.#urgent.splice(0), ...this.#waiting.splice(0)]) waiter.fail(reason)
    for (const slot of [...this.#idle.splice(0), ...this.#busy]) this.#endSlot(slot)
  }

  #endSlot(slot: Slot<Table>): void {
    if (slot.idleTimer !== null) clearTimeout(slot.idleTimer)
    slot.client.end()
  }

  #lease(signal: AbortSignal, urgent: boolean): Promise<void> {
    if (this.#ended) return Promise.reject(new RpcError('ended', 'The workers were ended.'))
    signal.throwIfAborted()
    if (this.#leases < this.#options.size) {
      this.#leases += 1
      return Promise.resolve()
    }
    return new Promise<void>((resolve, reject) => {
      const queue = urgent ? this.#urgent : this.#waiting
      const onAbort = () => {
        queue.splice(queue.indexOf(waiter), 1)
        reject(signal.reason as Error)
      }
      const waiter: Waiter = {
        go: () => {
          signal.removeEventListener('abort', onAbort)
          this.#leases += 1
          resolve()
        },
        fail: (error) => {
          signal.removeEventListener('abort', onAbort)
          reject(error)
        },
      }
      queue.push(waiter)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  async #takeWorker(): Promise<Slot<Table>> {
    const idle = this.#idle.pop()
    const slot = idle ?? { client: await this.#options.start(), idleTimer: null }
    if (slot.idleTimer !== null) clearTimeout(slot.idleTimer)
    slot.idleTimer = null
    if (this.#ended) {
      slot.client.end()
      throw new RpcError('ended', 'The workers were ended.')
    }
    if (!slot.client.alive) return this.#takeWorker()
    this.#busy.add(slot)
    return slot
  }

  #giveBack(slot: Slot<Table>): void {
    this.#busy.delete(slot)
    if (!slot.client.alive || this.#ended) return
    this.#idle.push(slot)
    slot.idleTimer = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(slot), 1)
      slot.client.end()
    }, this.#options.idleMs)
  }
}
