/** The JavaScript heap of a page's main thread, with the buffers that its arrays are views of; workers have heaps of their own. */
import type { Page } from '@playwright/test'

const EVERY_MS = 250

export interface HeapWatch {
  /** Most bytes since the last call. */
  readonly take: () => number
  readonly stop: () => Promise<void>
}

interface HeapUsage {
  readonly usedSize: number
  /** Only in newer browsers. */
  readonly backingStorageSize?: number
}

export async function watchHeap(page: Page): Promise<HeapWatch> {
  const session = await page.context().newCDPSession(page)
  let most = 0
  const timer = setInterval(() => {
    session.send('Runtime.getHeapUsage').then(
      ({ usedSize, backingStorageSize = 0 }: HeapUsage) =>
        (most = Math.max(most, usedSize + backingStorageSize)),
      () => undefined,
    )
  }, EVERY_MS)
  const take = (): number => {
    const taken = most
    most = 0
    return taken
  }
  const stop = async () => {
    clearInterval(timer)
    await session.detach()
  }
  return { take, stop }
}
