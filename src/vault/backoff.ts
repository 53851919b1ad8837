/** When to try the vault again after it could not be reached. */

export const FIRST_DELAY_MS = 1_000
export const LONGEST_DELAY_MS = 60_000

/** Doubles from one second to a minute; `chance` in [0, 1) spreads devices over the upper half of each step. */
export function retryDelayMs(failures: number, chance: number): number {
  const step = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(30, Math.max(0, failures - 1)))
  return Math.round(step * (0.5 + chance / 2))
}
