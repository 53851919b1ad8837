/** Keeps the vault in step: runs one round of work when kicked, every so often, and with growing pauses when it fails. */
import { retryDelayMs } from './backoff'
import { isPassing, VaultError } from './errors'
import type { Connection } from './types'

const POLL_MS = 30_000

export interface ConnectionParts {
  /** Registers, syncs and uploads. */
  readonly round: () => Promise<void>
  readonly onChange: (connection: Connection) => void
  readonly onProblem: (error: VaultError) => void
}

export interface ConnectionLoop {
  /** Runs a round soon. */
  kick(): void
  /** Rounds until the signal fires or a problem stops them for good. */
  run(signal: AbortSignal): Promise<void>
}

/** Problems that a person must see to: nothing is synced until the page is opened again. */
const FATAL = new Set(['history-mismatch', 'history-damaged', 'device-copied', 'session'])

export function createConnectionLoop(parts: ConnectionParts): ConnectionLoop {
  let wake: (() => void) | null = null
  let kicked = false

  function kick(): void {
    kicked = true
    wake?.()
  }

  async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
    if (kicked || signal.aborted) return
    await new Promise<void>((resolve) => {
      wake = resolve
      setTimeout(resolve, delayMs)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    wake = null
  }

  return {
    kick,
    async run(signal) {
      const kickWhenVisible = () => {
        if (document.visibilityState === 'visible') kick()
      }
      window.addEventListener('online', kick, { signal })
      document.addEventListener('visibilitychange', kickWhenVisible, { signal })
      const isOver = () => signal.aborted
      let failures = 0
      while (!isOver()) {
        kicked = false
        try {
          await parts.round()
          failures = 0
          parts.onChange('online')
          await pause(POLL_MS, signal)
        } catch (error) {
          if (isOver()) return
          parts.onChange('offline')
          const problem = error instanceof VaultError ? error : new VaultError('internal', { cause: error })
          if (!isPassing(problem)) parts.onProblem(problem)
          if (FATAL.has(problem.code)) return
          failures += 1
          await pause(retryDelayMs(failures, Math.random()), signal)
        }
      }
    },
  }
}
