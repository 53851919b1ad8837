/**
 * The bank of magnitude tables. Table i codes |residual symbol| of a source whose Laplace scale is SCALE_MIN * RATIO^i:
 * entries 0 .. n-2 are magnitudes, the last is an escape, after which the excess follows as an exponential Golomb code.
 */
import { DRIFT_LEVELS } from './context-model'
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

/** Bits by which |residual| is shifted to a level at each rank: 16 levels reach beyond six scales. */
export function driftShifts(): Int32Array {
  return Int32Array.from({ length: TABLES }, (_, rank) =>
    Math.max(0, Math.ceil(Math.log2((6 * tableScale(rank)) / DRIFT_LEVELS))),
  )
}

/**
 * Drift of offsets after a symbol of each level, [TABLES, DRIFT_LEVELS], in units of 2^-16 tables: the derivative of the
 * level's log-probability by the logarithm of the Laplace scale, times a rate (a score-driven model: Creal, Koopman and
 * Lucas 2013).
 */
export function driftTable(rate = driftRate(false)): Int32Array {
  const shifts = driftShifts()
  const logOf = (scale: number, level: number, width: number): number => {
    const beyond = (magnitude: number): number => (magnitude === 0 ? 1 : Math.exp(-(magnitude - 0.5) / scale))
    const tail = level === DRIFT_LEVELS - 1 ? 0 : beyond((level + 1) * width)
    return Math.log(Math.max(1e-300, beyond(level * width) - tail))
  }
  return Int32Array.from({ length: TABLES * DRIFT_LEVELS }, (_, i) => {
    const rank = Math.floor(i / DRIFT_LEVELS)
    const level = i % DRIFT_LEVELS
    const width = 2 ** shifts[rank]!
    const scale = tableScale(rank)
    const h = 1e-3
    const rise = logOf(scale * Math.exp(h), level, width) - logOf(scale * Math.exp(-h), level, width)
    const gradient = Math.max(-STEEPEST, Math.min(STEEPEST, rise / (2 * h)))
    return Math.round(((rate * gradient) / Math.log(RATIO)) * 65536)
  })
}

/** Probabilities of magnitudes under a Laplace law over unit bins; the last entry is the tail. */
export function laplaceMagnitudes(scale: number, length: number): Float64Array {
  const p = new Float64Array(length)
  p[0] = 1 - Math.exp(-0.5 / scale)
  let rest = 1 - p[0]
  for (let m = 1; m < length - 1; m++) {
    p[m] = rest * (1 - Math.exp(-1 / scale))
    rest -= p[m]!
  }
  p[length - 1] = rest
  return p
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
