import { MessageChannel, type MessagePort as NodePort } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { moved, type FromWorker, type ToWorker } from './messages'
import type { ServicePort, WorkerPort } from './port'
import { serve } from './serve'
import { WorkerClient } from './worker-client'
import { WorkerPool } from './worker-pool'

class OddError extends Error {
  readonly code = 'odd'
}

/** Procedures whose progress the test decides through `gates`. */
function makeBench() {
  const gates: (() => void)[] = []
  const log: string[] = []
  let aborted = 0
  const procedures = {
    add: (_signal: AbortSignal, input: { a: number; b: number }) => Promise.resolve(input.a + input.b),
    fail: (_signal: AbortSignal, input: string) => Promise.reject(new OddError(input)),
    crash: (_signal: AbortSignal, input: string): Promise<never> => {
      throw new TypeError(`secret ${input}`)
    },
    invert: (_signal: AbortSignal, input: { bytes: Uint8Array }) => {
      const bytes = input.bytes.map((byte) => 255 - byte)
      return Promise.resolve(moved({ bytes }, [bytes.buffer]))
    },
    steps: (_signal: AbortSignal, input: number, report: (fraction: number) => void) => {
      for (let i = 1; i <= input; i++) report(i / input)
      return Promise.resolve(input)
    },
    wait: (signal: AbortSignal, name: string) =>
      new Promise<string>((resolve) => {
        log.push(name)
        signal.addEventListener('abort', () => {
          aborted += 1
          resolve('let go')
        })
        gates.push(() => resolve(name))
      }),
  }
  return { procedures, gates, log, abortedCount: () => aborted }
}

type Bench = ReturnType<typeof makeBench>['procedures']

const open: NodePort[] = []
afterEach(() => {
  for (const port of open.splice(0)) port.close()
})

function portOf(port: NodePort, deaths: ((reason: Error) => void)[]): WorkerPort {
  return {
    send: (message: ToWorker, transfer) => port.postMessage(message, transfer as ArrayBuffer[]),
    onMessage: (listener) => port.on('message', (message: FromWorker) => listener(message)),
    onDeath: (listener) => deaths.push(listener),
    end: () => port.close(),
  }
}

function connect(bench = makeBench()) {
  const { port1, port2 } = new MessageChannel()
  open.push(port1, port2)
  port2.start()
  serve(bench.procedures, port2 as unknown as ServicePort)
  const deaths: ((reason: Error) => void)[] = []
  const client = new WorkerClient<Bench>(portOf(port1, deaths))
  const kill = () => deaths.forEach((listener) => listener(new Error('gone')))
  return { ...bench, client, kill }
}

const never = new AbortController().signal
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

describe('a worker client', () => {
  it('answers, reports progress and goes on after a failed call', async () => {
    const { client } = connect()
    const seen: number[] = []
    const results = await Promise.allSettled([
      client.call(never, 'add', { a: 1, b: 2 }),
      client.call(never, 'fail', 'A sentence.'),
      client.call(never, 'crash', 'word'),
      client.call(never, 'steps', 4, { onProgress: (fraction) => seen.push(fraction) }),
    ])
    expect(results[0]).toMatchObject({ status: 'fulfilled', value: 3 })
    expect(results[1]).toMatchObject({ reason: { code: 'odd', message: 'A sentence.' } })
    expect(results[2]).toMatchObject({ reason: { code: 'internal' } })
    expect(String((results[2] as PromiseRejectedResult).reason)).not.toContain('secret')
    expect(results[3]).toMatchObject({ value: 4 })
    expect(seen).toEqual([0.25, 0.5, 0.75, 1])
  })

  it('refuses names that are not procedures, inherited ones too', async () => {
    const { client } = connect()
    const anyName = client as unknown as WorkerClient<Record<string, () => Promise<unknown>>>
    for (const name of ['nothing', 'toString', '__proto__', 'constructor'])
      await expect(anyName.call(never, name, null)).rejects.toMatchObject({ code: 'unknown-method' })
  })

  it('transfers buffers instead of copying them', async () => {
    const { client } = connect()
    const bytes = Uint8Array.of(1, 2, 3)
    const output = await client.call(never, 'invert', moved({ bytes }, [bytes.buffer]))
    expect(bytes.byteLength).toBe(0)
    expect([...output.bytes]).toEqual([254, 253, 252])
  })

  it('runs one call at a time and drops an aborted one that waits', async () => {
    const { client, gates, log } = connect()
    const second = new AbortController()
    const a = client.call(never, 'wait', 'a')
    const b = client.call(second.signal, 'wait', 'b')
    const c = client.call(never, 'wait', 'c')
    await until(() => log.length === 1)
    second.abort()
    await expect(b).rejects.toMatchObject({ name: 'AbortError' })
    gates[0]?.()
    await until(() => log.length === 2)
    gates[1]?.()
    expect(await Promise.all([a, c])).toEqual(['a', 'c'])
    expect(log).toEqual(['a', 'c'])
  })

  it('tells a running call to stop and rejects at once', async () => {
    const { client, log, abortedCount } = connect()
    const controller = new AbortController()
    const a = client.call(controller.signal, 'wait', 'a')
    await until(() => log.length === 1)
    controller.abort()
    await expect(a).rejects.toMatchObject({ name: 'AbortError' })
    expect(await client.call(never, 'add', { a: 2, b: 2 })).toBe(4)
    expect(abortedCount()).toBe(1)
    await expect(client.call(controller.signal, 'add', { a: 0, b: 0 })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  it('rejects every pending call when the worker dies or is ended', async () => {
    for (const way of ['kill', 'end'] as const) {
      const { client, kill, log } = connect()
      const calls = [client.call(never, 'wait', 'a'), client.call(never, 'wait', 'b')]
      await until(() => log.length === 1)
      if (way === 'kill') kill()
      else client.end()
      const code = way === 'kill' ? 'worker-died' : 'ended'
      for (const call of calls) await expect(call).rejects.toMatchObject({ code })
      await expect(client.call(never, 'add', { a: 1, b: 1 })).rejects.toMatchObject({ code })
      expect(client.alive).toBe(false)
    }
  })

  it('rejects a call whose input cannot be cloned and goes on', async () => {
    const { client } = connect()
    const bad = client.call(never, 'wait', (() => 1) as unknown as string)
    await expect(bad).rejects.toMatchObject({ code: 'unreadable-message' })
    expect(await client.call(never, 'add', { a: 1, b: 1 })).toBe(2)
  })
})

describe('a worker pool', () => {
  function makePool(size: number, idleMs = 10_000) {
    const started: ReturnType<typeof connect>[] = []
    const pool = new WorkerPool<Bench>({
      size,
      idleMs,
      start: () => {
        const connection = connect()
        started.push(connection)
        return Promise.resolve(connection.client)
      },
    })
    return { pool, started }
  }

  it('never leases more workers than its size, and urgent tasks go first', async () => {
    const { pool, started } = makePool(2)
    const order: string[] = []
    let running = 0
    let most = 0
    const task = (name: string) => async () => {
      running += 1
      most = Math.max(most, running)
      order.push(name)
      await new Promise((resolve) => setTimeout(resolve, 2))
      running -= 1
    }
    await Promise.all([
      ...['a', 'b', 'c', 'd'].map((name) => pool.run(never, task(name))),
      pool.run(never, task('now'), { urgent: true }),
    ])
    expect(most).toBe(2)
    expect(started).toHaveLength(2)
    expect(order).toEqual(['a', 'b', 'now', 'c', 'd'])
    pool.end()
  })

  it('replaces a dead worker and tries again after a failed start', async () => {
    let fails = 1
    const started: ReturnType<typeof connect>[] = []
    const pool = new WorkerPool<Bench>({
      size: 1,
      idleMs: 10_000,
      start: () => {
        if (fails-- > 0) return Promise.reject(new Error('no worker today'))
        const connection = connect()
        started.push(connection)
        return Promise.resolve(connection.client)
      },
    })
    const sum = () => pool.run(never, (client) => client.call(never, 'add', { a: 1, b: 2 }))
    await expect(sum()).rejects.toThrow('no worker today')
    expect(await sum()).toBe(3)
    started[0]?.kill()
    expect(await sum()).toBe(3)
    expect(started).toHaveLength(2)
    pool.end()
  })

  it('ends idle workers beyond some on demand, and starts others when they are needed', async () => {
    const { pool, started } = makePool(3)
    const together = () =>
      Promise.all([1, 2, 3].map((a) => pool.run(never, (client) => client.call(never, 'add', { a, b: 0 }))))
    await together()
    expect(started).toHaveLength(3)
    pool.endIdle(1)
    expect(started.filter(({ client }) => client.alive)).toHaveLength(1)
    expect(await together()).toEqual([1, 2, 3])
    expect(started).toHaveLength(5)
    pool.end()
  })

  it('ends idle workers, lets an aborted task leave the queue, and rejects tasks when ended', async () => {
    const { pool, started } = makePool(1, 5)
    await pool.run(never, (client) => client.call(never, 'add', { a: 1, b: 2 }))
    await until(() => started[0]?.client.alive === false)

    const controller = new AbortController()
    const held = pool.run(never, (client) => client.call(never, 'wait', 'a'))
    const leaves = pool.run(controller.signal, () => Promise.resolve('ran'))
    const stays = pool.run(never, () => Promise.resolve('ran'))
    controller.abort()
    await expect(leaves).rejects.toMatchObject({ name: 'AbortError' })
    expect(pool.waiting).toBe(1)
    await until(() => started[1]?.log.length === 1)
    const heldOutcome = expect(held).rejects.toMatchObject({ code: 'ended' })
    const staysOutcome = expect(stays).rejects.toMatchObject({ code: 'ended' })
    pool.end()
    await heldOutcome
    await staysOutcome
  })
})
