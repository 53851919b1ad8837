/** How long a page's main thread was held up: its longest task, and the longest gap between two frames. */
import type { Page } from '@playwright/test'

export interface Blocks {
  readonly longestTaskMs: number
  readonly longestFrameGapMs: number
  /** What ran longest in the longest frame that was late: who called it, and for how long. */
  readonly longestScript: string
}

interface LateFrame extends PerformanceEntry {
  readonly scripts: readonly { readonly invoker: string; readonly duration: number }[]
}

interface Watched {
  blocks: { task: number; gap: number; late: number; script: string }
}

/** Call before the page is opened. */
export async function watchMainThread(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const blocks = { task: 0, gap: 0, late: 0, script: '' }
    Object.assign(globalThis, { blocks })
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) blocks.task = Math.max(blocks.task, duration)
    }).observe({ type: 'longtask' })
    new PerformanceObserver((list) => {
      for (const frame of list.getEntries() as LateFrame[]) {
        if (frame.duration <= blocks.late) continue
        const [longest] = [...frame.scripts].sort((a, b) => b.duration - a.duration)
        blocks.late = frame.duration
        blocks.script =
          longest === undefined ? 'no script' : `${longest.invoker} ${Math.round(longest.duration)} ms`
      }
    }).observe({ type: 'long-animation-frame' })
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
    const { task: longestTaskMs, gap: longestFrameGapMs, script: longestScript } = blocks
    const taken = { longestTaskMs, longestFrameGapMs, longestScript }
    Object.assign(blocks, { task: 0, gap: 0, late: 0, script: '' })
    return taken
  })
}
