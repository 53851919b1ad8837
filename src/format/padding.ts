/**
 * How long a section is made before mask and seal, so that its length tells little. Pure functions of a length in bytes.
 * Rule 1: the next of eight geometric steps per factor of two (9.1 % at most); rule 2: of two steps (41.5 % at most);
 * a step that is no whole number of bytes is rounded up. Index and thumbnail have rules of their own.
 */
import { INDEX_BYTES, SECTION } from './artifact'
import { FormatError } from './errors'

export const PADDING_RULE = { eighths: 1, halves: 2 } as const
export type PaddingRule = (typeof PADDING_RULE)[keyof typeof PADDING_RULE]

export const THUMBNAIL_STEP_BYTES = 4096
/** Of one section: beyond it no address space of a tab would reach. */
export const MAX_SECTION_BYTES = 2 ** 40

/** 2^(k/8) in units of 2^-20, rounded up, for k = 0 .. 7. Constants of the format: never computed with floats. */
const EIGHTHS = [1048576, 1143481, 1246975, 1359835, 1482911, 1617126, 1763488, 1923097] as const
const HALVES = [EIGHTHS[0], EIGHTHS[4]] as const

export function paddedLength(rule: PaddingRule, bytes: number): number {
  if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > MAX_SECTION_BYTES)
    throw new FormatError('too-large', 'A section has a length the format does not allow.')
  if (bytes === 0) return 0
  const steps: readonly number[] = rule === PADDING_RULE.eighths ? EIGHTHS : HALVES
  for (let octave = 1; ; octave *= 2) {
    for (const step of steps) {
      const length = Math.ceil((step * octave) / 2 ** 20) // exact: scaled by powers of two alone
      if (length >= bytes) return length
    }
  }
}

export function paddedThumbnailLength(bytes: number): number {
  return Math.ceil(bytes / THUMBNAIL_STEP_BYTES) * THUMBNAIL_STEP_BYTES
}

export function paddedSectionLength(rule: PaddingRule, section: number, bytes: number): number {
  if (section === SECTION.index) return INDEX_BYTES
  if (section === SECTION.thumbnail) return paddedThumbnailLength(bytes)
  return paddedLength(rule, bytes)
}
