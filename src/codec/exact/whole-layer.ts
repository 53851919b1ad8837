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

/** Columns that are turned at a time: as many as a line of the processor's cache holds. */
const TURNED = 16

/** [rows, columns] as [columns, rows], into `to`. Reading weights column by column where they lie takes twice as long. */
function turned<T extends Float32Array | Int16Array>(values: T, rows: number, columns: number, to: T): T {
  for (let from = 0; from < columns; from += TURNED) {
    const end = Math.min(columns, from + TURNED)
    for (let row = 0; row < rows; row++)
      for (let c = from; c < end; c++) to[c * rows + row] = values[row * columns + c]!
  }
  return to
}

/** The columns of a filter one by one, [taps, rows] in units of the output before rounding. */
function columnsOf({ values, rows, taps, inputs }: FloatFilter, outUnits: Float64Array) {
  const length = taps * rows
  const columns = outUnits.length
  const isDepthwise = rows === 1
  const byColumn = turned(values, length, columns, new Float32Array(values.length))
  const { units } = inputs
  return (column: number): Float64Array => {
    const unit = outUnits[column]!
    const out = new Float64Array(length)
    for (let tap = 0, i = 0; tap < taps; tap++)
      for (let row = 0; row < rows; row++, i++)
        out[i] = (byColumn[column * length + i]! * units[isDepthwise ? column : row]!) / unit
    return out
  }
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

function isNarrow(weights: Float64Array): boolean {
  for (let i = 0; i < weights.length; i++) if (Math.abs(weights[i]!) > WEIGHT_MOST) return false
  return true
}

/** What rounding takes from the reach of a column at most, where it moves each of its weights by as much. */
function slackOf({ taps, rows, inputs }: FloatFilter, by: number): number {
  return inputs.reach(new Float64Array(taps * rows).fill(by))
}

/** Whatever is finer has sums that are too large, from a reach without rounding and what that may take. */
function finestShift(reach: number, slack: number): number {
  let shift = SHIFT_MOST
  while (shift > 0 && reach * powerOfTwo(shift) - slack > SUM_LIMIT) shift--
  return shift
}

/** `exact` and `bias` in units of the output; `slack` of all filters and the bias. */
function wholeColumn(
  filters: readonly FloatFilter[],
  exact: readonly Float64Array[],
  bias: number,
  slack: number,
): WholeColumn {
  const reachOf = (weights: readonly Float64Array[]): number =>
    filters.reduce((sum, { inputs }, i) => sum + inputs.reach(weights[i]!), 0)
  for (let shift = finestShift(reachOf(exact) + Math.abs(bias), slack); shift >= 0; shift--) {
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
  const from = filters.map((filter) => columnsOf(filter, outUnits))
  // By up to one: a half, and another that was carried.
  const slack = filters.reduce((sum, filter) => sum + slackOf(filter, 1), 1)
  const byColumn = filters.map(({ values }) => new Int16Array(values.length))
  const whole = { bias: new Int32Array(columns), shift: new Uint8Array(columns) }
  for (let c = 0; c < columns; c++) {
    const exact = from.map((columnAt) => columnAt(c))
    const column = wholeColumn(filters, exact, bias[c]! / outUnits[c]!, slack)
    for (const [i, weights] of column.weights.entries()) byColumn[i]!.set(weights, c * weights.length)
    whole.bias[c] = column.bias
    whole.shift[c] = column.shift
  }
  return filters.map(({ taps, rows }, i) => {
    const weights = new Int16Array(taps * rows * columns)
    return { taps, rows, columns, weights: turned(byColumn[i]!, columns, taps * rows, weights), ...whole }
  })
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
  const columnAt = columnsOf(filter, outUnits)
  const slack = slackOf(filter, 1)
  const coarse = new Int16Array(rows * columns)
  const finer = new Int16Array(rows * columns)
  const bias = new Int32Array(columns)
  const shift = new Uint8Array(columns)
  for (let c = 0; c < columns; c++) {
    const column = fineColumn(columnAt(c), bits, inputs, slack)
    bias[c] = column.bias
    shift[c] = column.shift
    coarse.set(column.coarse, c * rows)
    finer.set(column.finer, c * rows)
  }
  const whole = (byColumn: Int16Array): WholeFilter => ({
    ...{ taps: 1, rows, columns },
    weights: turned(byColumn, columns, rows, new Int16Array(rows * columns)),
  })
  return { layer: { ...whole(coarse), bias, shift }, finer: whole(finer) }
}

function fineColumn(exact: Float64Array, bits: number, { reach }: Inputs, slack: number) {
  const fineness = powerOfTwo(bits)
  for (let shift = finestShift(reach(exact), slack); shift >= 0; shift--) {
    const both = rounded(exact, powerOfTwo(shift) * fineness)
    const coarse = rounded(both, 1 / fineness)
    const finer = new Float64Array(both.length)
    for (let row = 0; row < finer.length; row++) finer[row] = both[row]! - coarse[row]! * fineness
    const bias = shift > 0 ? powerOfTwo(shift - 1) : 0
    const ofFiner = reach(finer) + fineness / 2
    const sum = reach(coarse) + bias + ofFiner / fineness
    if (isNarrow(both) && ofFiner < SUM_LIMIT && sum < SUM_LIMIT) return { coarse, finer, bias, shift }
  }
  throw new RangeError('The weights of a layer are too large for whole numbers.')
}
