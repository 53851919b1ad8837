/**
 * Layers in whole numbers out of layers in float32. An activation is a whole number of units, one unit per channel (below
 * zero where a personal model turns the sign: the whole number then is the base model's);
 * weights are rounded so that a sum has a finer unit, by a power of two, as fine as can be while no sum reaches 2^24 and no
 * weight passes 16 bits. Doubles by + - * / and sqrt alone: the same weights on every engine.
 */
import { powerOfTwo } from '../../lib/exact-exp'
import type { WholeFilter, WholeLayer } from './layers'

/** Sums of a layer stay below 2^24, by a little for what rounding does to the bounds themselves. */
const SUM_LIMIT = 2 ** 24 - 2 ** 10
const WEIGHT_MOST = 32767
const SHIFT_MOST = 22

/** Inputs of a filter: the unit of each, and what a column of whole weights can come to over all inputs that may occur. */
export interface Inputs {
  readonly units: Float64Array
  /** The largest sum of magnitudes, from whole weights [taps, rows] of one column. */
  readonly reach: (weights: Float64Array) => number
}

/** Inputs that are clipped to a magnitude. */
export function clippedInputs(units: Float64Array, most: number): Inputs {
  const reach = (weights: Float64Array): number => {
    let sum = 0
    for (let i = 0; i < weights.length; i++) sum += Math.abs(weights[i]!)
    return most * sum
  }
  return { units, reach }
}

export interface FloatFilter {
  readonly taps: 1 | 9
  /** 1 for a depthwise layer, as in WholeFilter. */
  readonly rows: number
  /** [taps, rows, columns] */
  readonly values: Float32Array
  readonly inputs: Inputs
  /** Rows of so many kinds in turns, as colours are, have one mean each: rounding keeps the sum of their weights. */
  readonly kinds?: number
}

/** Half away from zero, so that a change of sign changes nothing else. */
export function roundHalfAway(x: number): number {
  return x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5)
}

/** Weights of one column before rounding, [taps, rows], for sums in the given unit. */
function columnIn(filter: FloatFilter, columns: number, column: number, unit: number): Float64Array {
  const { values, rows, taps, inputs } = filter
  const isDepthwise = rows === 1
  const { units } = inputs
  const out = new Float64Array(taps * rows)
  for (let tap = 0, i = 0; tap < taps; tap++)
    for (let row = 0; row < rows; row++, i++)
      out[i] = (values[i * columns + column]! * units[isDepthwise ? column : row]!) / unit
  return out
}

/** Exact weights times a scale, rounded. */
function rounded(exact: Float64Array, scale: number, kinds = 0): Float64Array {
  const out = new Float64Array(exact.length)
  if (kinds === 0) {
    for (let i = 0; i < out.length; i++) out[i] = roundHalfAway(exact[i]! * scale)
    return out
  }
  const carried = new Float64Array(kinds)
  for (let i = 0; i < out.length; i++) {
    const wanted = exact[i]! * scale + carried[i % kinds]!
    out[i] = roundHalfAway(wanted)
    carried[i % kinds] = wanted - out[i]!
  }
  return out
}

interface WholeColumn {
  readonly weights: readonly Float64Array[]
  readonly bias: number
  readonly shift: number
}

const isNarrow = (weights: Float64Array): boolean =>
  weights.every((weight) => Math.abs(weight) <= WEIGHT_MOST)

/** `exact` and `bias` in units of the output. */
function wholeColumn(
  filters: readonly FloatFilter[],
  exact: readonly Float64Array[],
  bias: number,
): WholeColumn {
  const reachOf = (weights: readonly Float64Array[]): number =>
    filters.reduce((sum, { inputs }, i) => sum + inputs.reach(weights[i]!), 0)
  const before = reachOf(exact) + Math.abs(bias)
  let shift = SHIFT_MOST
  // One bit finer than what would fit without rounding cannot fit with it.
  while (shift > 0 && before * powerOfTwo(shift - 1) > SUM_LIMIT) shift--
  for (; shift >= 0; shift--) {
    const scale = powerOfTwo(shift)
    const weights = exact.map((column, i) => rounded(column, scale, filters[i]!.kinds))
    const whole = roundHalfAway(bias * scale)
    const half = shift > 0 ? scale / 2 : 0
    if (weights.every(isNarrow) && reachOf(weights) + Math.abs(whole) + half < SUM_LIMIT)
      return { weights, bias: whole + half, shift }
  }
  throw new RangeError('The weights of a layer are too large for whole numbers.')
}

/** One layer over one filter or more, whose sums are added. */
export function wholeLayers(
  filters: readonly FloatFilter[],
  bias: Float32Array,
  outUnits: Float64Array,
): WholeLayer[] {
  const columns = bias.length
  const weights = filters.map(({ values }) => new Int16Array(values.length))
  const whole = { bias: new Int32Array(columns), shift: new Uint8Array(columns) }
  for (let c = 0; c < columns; c++) {
    const unit = outUnits[c]!
    const exact = filters.map((filter) => columnIn(filter, columns, c, unit))
    const column = wholeColumn(filters, exact, bias[c]! / unit)
    for (const [i, values] of column.weights.entries()) {
      const to = weights[i]!
      for (let at = 0; at < values.length; at++) to[at * columns + c] = values[at]!
    }
    whole.bias[c] = column.bias
    whole.shift[c] = column.shift
  }
  return filters.map(({ taps, rows }, i) => ({ taps, rows, columns, weights: weights[i]!, ...whole }))
}

export function wholeLayer(filter: FloatFilter, bias: Float32Array, outUnits: Float64Array): WholeLayer {
  return wholeLayers([filter], bias, outUnits)[0]!
}

/**
 * A pointwise layer whose weights are given more finely by a second filter: 2^bits * weight + finer weight fit in 16 bits
 * together. Sums of the second are rounded to those of the first.
 */
export function fineLayer(
  filter: FloatFilter,
  bits: number,
  outUnits: Float64Array,
): { readonly layer: WholeLayer; readonly finer: WholeFilter } {
  const { rows, inputs } = filter
  const columns = outUnits.length
  const coarse = new Int16Array(rows * columns)
  const finer = new Int16Array(rows * columns)
  const bias = new Int32Array(columns)
  const shift = new Uint8Array(columns)
  for (let c = 0; c < columns; c++) {
    const exact = columnIn(filter, columns, c, outUnits[c]!)
    const column = fineColumn(exact, bits, inputs)
    bias[c] = column.bias
    shift[c] = column.shift
    for (let row = 0; row < rows; row++) {
      coarse[row * columns + c] = column.coarse[row]!
      finer[row * columns + c] = column.finer[row]!
    }
  }
  return {
    layer: { taps: 1, rows, columns, weights: coarse, bias, shift },
    finer: { taps: 1, rows, columns, weights: finer },
  }
}

function fineColumn(exact: Float64Array, bits: number, { reach }: Inputs) {
  const before = reach(exact)
  let shift = SHIFT_MOST
  while (shift > 0 && before * powerOfTwo(shift - 1) > SUM_LIMIT) shift--
  for (; shift >= 0; shift--) {
    const both = rounded(exact, powerOfTwo(shift + bits))
    const coarse = rounded(both, powerOfTwo(-bits))
    const finer = both.map((weight, row) => weight - coarse[row]! * powerOfTwo(bits))
    const bias = shift > 0 ? powerOfTwo(shift - 1) : 0
    const ofFiner = reach(finer) + powerOfTwo(bits - 1)
    const sum = reach(coarse) + bias + ofFiner * powerOfTwo(-bits)
    if (isNarrow(both) && ofFiner < SUM_LIMIT && sum < SUM_LIMIT) return { coarse, finer, bias, shift }
  }
  throw new RangeError('The weights of a layer are too large for whole numbers.')
}
