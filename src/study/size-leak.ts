/** What sizes alone tell: whether two photos have artifacts of different lengths, before and after padding. */
import { PADDING_RULE, paddedLength } from '../format/padding'
import type { PaddingRule } from '../format/padding'

export interface SizeLeak {
  readonly rule: string
  /** Share of pairs of photos whose lengths differ: the advantage of a thief who sees lengths alone. */
  readonly advantage: number
  readonly distinctLengths: number
  /** Mean of padded over true length, less 1. */
  readonly overhead: number
}

function pairsApart(lengths: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1)
  const n = lengths.length
  let alike = 0
  for (const count of counts.values()) alike += (count * (count - 1)) / 2
  return 1 - alike / ((n * (n - 1)) / 2)
}

function sizeLeak(rule: string, lengths: readonly number[], pad: (length: number) => number): SizeLeak {
  const paddedLengths = lengths.map(pad)
  return {
    rule,
    advantage: pairsApart(paddedLengths),
    distinctLengths: new Set(paddedLengths).size,
    overhead: paddedLengths.reduce((sum, length, i) => sum + length / lengths[i]! - 1, 0) / lengths.length,
  }
}

export function sizeLeaks(lengths: readonly number[]): SizeLeak[] {
  const by = (rule: PaddingRule) => (length: number) => paddedLength(rule, length)
  return [
    sizeLeak('none', lengths, (length) => length),
    sizeLeak('rule 1: eight steps per factor of two', lengths, by(PADDING_RULE.eighths)),
    sizeLeak('rule 2 (Strict): two steps', lengths, by(PADDING_RULE.halves)),
  ]
}
