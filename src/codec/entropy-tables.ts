/**
 * The bank of magnitude tables. Table i codes |residual symbol| of a source whose Laplace scale is SCALE_MIN * RATIO^i:
 * entries 0 .. n-2 are magnitudes, the last is an escape, after which the excess follows as an exponential Golomb code.
 * With dependent quantization there are two banks, one for each quantizer, side by side.
 */
import { DRIFT_LEVELS, SYMBOL_UNIT } from './context-model'
import { HALF_STEP, type Quantizer } from './dependent-quantization'
import { PRECISION_BITS } from './rans'

export const TABLES = 64
const SCALE_MIN = 0.02
const SCALE_MAX = 256
const RATIO = (SCALE_MAX / SCALE_MIN) ** (1 / (TABLES - 1))

export function tableScale(index: number): number {
  return SCALE_MIN * RATIO ** index
}

/** Magnitudes a table lists before the escape: where the tail falls below about 2^-13. */
export function tableLength(index: number): number {
  return Math.min(400, Math.max(2, Math.ceil(tableScale(index) * 9) + 1)) + 1
}

/** Share of the gradient that offsets move by after every symbol: less where two of them move; by measurement. */
export const driftRate = (isCalibrated: boolean): number => (isCalibrated ? 0.02 : 0.05)
/** A rare symbol moves it no further than this gradient would. */
const STEEPEST = 6

/** Which values, in steps, a magnitude stands for: 'whole' rounds to whole steps, others are of dependent quantization. */
export type Law = 'whole' | Quantizer

/** The laws of a model's ranks, in their order. */
export const lawsOf = (isDependent: boolean): readonly Law[] => (isDependent ? [0, 1] : ['whole'])

/** Smallest |value| in steps that rounds to this magnitude or beyond. */
function edgeOf(law: Law, magnitude: number): number {
  if (magnitude === 0) return 0
  if (law === 'whole') return magnitude - 0.5
  const half = HALF_STEP / SYMBOL_UNIT
  if (law === 0) return (2 * magnitude - 1) * half
  return magnitude === 1 ? half / 2 : (2 * magnitude - 2) * half
}

/** Probability of this magnitude or more under a Laplace law. */
const beyond = (scale: number, law: Law, magnitude: number): number =>
  Math.exp(-edgeOf(law, magnitude) / scale)

/** Bits by which |residual| is shifted to a level at each rank: 16 levels reach beyond six scales. */
export function driftShifts(laws: readonly Law[] = lawsOf(false)): Int32Array {
  return Int32Array.from({ length: laws.length * TABLES }, (_, rank) =>
    Math.max(0, Math.ceil(Math.log2((6 * tableScale(rank % TABLES)) / DRIFT_LEVELS))),
  )
}

/**
 * Drift of a channel's offset after a symbol of each level, [laws * TABLES, DRIFT_LEVELS], in units of 2^-16 tables: the
 * derivative of the level's log-probability by the logarithm of the Laplace scale, times a rate (a score-driven
 * model: Creal, Koopman and Lucas 2013).
 */
export function driftTable(laws: readonly Law[] = lawsOf(false), rate = driftRate(false)): Int32Array {
  const shifts = driftShifts(laws)
  const logOf = (scale: number, law: Law, level: number, width: number): number => {
    const tail = level === DRIFT_LEVELS - 1 ? 0 : beyond(scale, law, (level + 1) * width)
    return Math.log(Math.max(1e-300, beyond(scale, law, level * width) - tail))
  }
  return Int32Array.from({ length: shifts.length * DRIFT_LEVELS }, (_, i) => {
    const rank = Math.floor(i / DRIFT_LEVELS)
    const law = laws[Math.floor(rank / TABLES)]!
    const level = i % DRIFT_LEVELS
    const width = 2 ** shifts[rank]!
    const scale = tableScale(rank % TABLES)
    const h = 1e-3
    const rise =
      logOf(scale * Math.exp(h), law, level, width) - logOf(scale * Math.exp(-h), law, level, width)
    const gradient = Math.max(-STEEPEST, Math.min(STEEPEST, rise / (2 * h)))
    return Math.round(((rate * gradient) / Math.log(RATIO)) * 65536)
  })
}

/** Probabilities of magnitudes under a Laplace law; the last entry is the tail. */
export function laplaceMagnitudes(scale: number, length: number, law: Law = 'whole'): Float64Array {
  return Float64Array.from({ length }, (_, m) => {
    const tail = m === length - 1 ? 0 : beyond(scale, law, m + 1)
    return beyond(scale, law, m) - tail
  })
}

/** Tables as the Laplace laws say, [laws * TABLES]. */
export function laplaceTables(laws: readonly Law[]): Uint32Array[] {
  return laws.flatMap((law) =>
    Array.from({ length: TABLES }, (_, i) =>
      quantizeFrequencies(laplaceMagnitudes(tableScale(i), tableLength(i), law)),
    ),
  )
}

/** Integer frequencies of at least 1 that sum to 2^16, close to the given weights. */
export function quantizeFrequencies(weights: Float64Array): Uint32Array {
  const total = 2 ** PRECISION_BITS
  const sum = weights.reduce((a, b) => a + b, 0)
  const free = total - weights.length
  const frequencies = Uint32Array.from(weights, (w) => 1 + Math.floor((w / sum) * free))
  let largest = 0
  for (let i = 1; i < frequencies.length; i++) if (frequencies[i]! > frequencies[largest]!) largest = i
  frequencies[largest]! += total - frequencies.reduce((a, b) => a + b, 0)
  return frequencies
}

/** All tables side by side: cumulative frequencies, where each starts, and the bits of each magnitude. */
export interface TableBank {
  readonly cdf: Int32Array
  readonly from: Int32Array
  readonly size: Int32Array
  /** Bits of magnitude m in table i at [from[i] + m], sign included; the escape entry holds its own bits. */
  readonly bits: Float32Array
}

export function buildTableBank(tables: readonly Uint32Array[]): TableBank {
  const from = new Int32Array(tables.length)
  const size = new Int32Array(tables.length)
  const cdf = new Int32Array(tables.reduce((n, t) => n + t.length + 1, 0))
  const bits = new Float32Array(cdf.length)
  let at = 0
  tables.forEach((table, i) => {
    from[i] = at
    size[i] = table.length
    let sum = 0
    table.forEach((frequency, m) => {
      bits[at + m] = PRECISION_BITS - Math.log2(frequency) + (m > 0 ? 1 : 0)
      sum += frequency
      cdf[at + m + 1] = sum
    })
    at += table.length + 1
  })
  return { cdf, from, size, bits }
}
