/** Runs a job for every item, at most `atOnce` at a time, and gives the results in the items' order. */
export async function mapLimited<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  job: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array<Result>(items.length)
  let next = 0
  async function work(): Promise<void> {
    while (next < items.length) {
      const index = next++
      results[index] = await job(items[index]!, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work))
  return results
}

/** Runs a task of some weight when its turn comes. */
export type Weighed = <Result>(
  signal: AbortSignal,
  weight: number,
  task: () => Promise<Result>,
) => Promise<Result>

/** Tasks run at once while their weights together stay within the capacity, in order; what weighs more runs alone. */
export function createScales(capacity: number): Weighed {
  let load = 0
  const waiting: { readonly weight: number; readonly go: () => void }[] = []

  function admit(): void {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (load > 0 && load + first.weight > capacity) return
      waiting.shift()
      load += first.weight
      first.go()
    }
  }

  return async (signal, weight, task) => {
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        waiting.splice(waiting.indexOf(waiter), 1)
        reject(signal.reason as Error)
        admit()
      }
      const waiter = {
        weight,
        go: () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      waiting.push(waiter)
      admit()
    })
    try {
      return await task()
    } finally {
      load -= weight
      admit()
    }
  }
}

/** Beyond this a photo is worked on by one engine at a time, so that the tab stays below 1 GB. */
const LARGE_PHOTO_PIXELS = 24_000_000

export function bandsAtOnce(pixels: number, workers: number): number {
  return pixels > LARGE_PHOTO_PIXELS ? 1 : workers
}
