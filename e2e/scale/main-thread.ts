/** How long a page's main thread was held up: its longest task, and the longest gap between two frames. */
import type { Page } from '@playwright/test'

export interface Blocks {
  readonly longestTaskMs: number
  readonly longestFrameGapMs: number
}

interface Watched {
  blocks: { task: number; gap: number }
}

/** Call before the page is opened. */
export async function watchMainThread(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const blocks = { task: 0, gap: 0 }
    Object.assign(globalThis, { blocks })
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) blocks.task = Math.max(blocks.task, duration)
    }).observe({ type: 'longtask' })
    let last = performance.now()
    const frame = () => {
      const now = performance.now()
      blocks.gap = Math.max(blocks.gap, now - last)
      last = now
      requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
  })
}

/** Since the last call, or since the page was opened. Tasks below 50 ms count as none. */
export async function takeBlocks(page: Page): Promise<Blocks> {
  return page.evaluate(() => {
    const { blocks } = globalThis as unknown as Watched
    const taken = { longestTaskMs: blocks.task, longestFrameGapMs: blocks.gap }
    Object.assign(blocks, { task: 0, gap: 0 })
    return taken
  })
}
