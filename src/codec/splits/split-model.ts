/**
 * Splits: a choice of block transform for every position. A position is whole, the DCT of its 16 x 16 pixels; or split
 * into quarters, left and right halves, or top and bottom halves, each with a DCT of its own: 8 x 8, or 8 long across the
 * halves. What is local, an edge or a stroke, then takes fewer symbols.
 *
 * A split's coefficients are an orthonormal turn of the whole ones, along rows (v), columns (u) or both, by the matrix
 * `halves` [16, 16]: frequency by frequency those of both halves, of the lowest their sum and difference. So a channel keeps
 * about its frequency, and the context model (context-model.ts) serves all splits, with some weights of each split's own.
 * What later positions see as signed symbols, and the synthesis network sees at all, is turned back to the whole transform.
 *
 *   t[i] = sat(symbol[place[i]] · sign[i] · step[place[i]])     i: colour, v, u; a step and its inverse are in 2^-14
 *   t = halvesᵀ · t along v, then along u, as the split says    2^-14, sat after each
 *   symbol[place[i]] = sign[i] · t[i] · unstep[place[i]]        within the limit of symbols
 *
 * Products and sums wrap at 32 bits and are rounded half up; sat saturates at 16 bits.
 */
import { saturate } from '../integers'
import { KNOTS } from '../quality'
import { LATENTS, type CodecConfig } from '../weights'

/** Whole, quarters, left and right, top and bottom. */
export const SPLITS = 4
export const SPLIT_BITS = 14
export const SPLIT_HALF = 1 << (SPLIT_BITS - 1)
/** Frequencies along a side of a block. */
const SIDE = 16
const FREQUENCIES = SIDE * SIDE

/** Whether the top and bottom of a position are apart. */
export const splitsRows = (split: number): boolean => split === 1 || split === 3
/** Whether its left and right are. */
export const splitsColumns = (split: number): boolean => split === 1 || split === 2

/** What splits need at one quality. */
export interface SplitModel {
  /** [16, 16], 2^-14: from frequencies of the whole (columns) to those of the halves (rows). */
  readonly halves: Int32Array
  /** Channel, and its sign, by colour, v and u. */
  readonly place: Int32Array
  readonly sign: Int32Array
  /** Steps of channels and one over them, 2^-14. */
  readonly step: Int32Array
  readonly unstep: Int32Array
  /** How often each split follows those of west and north, [16, 4] (split-coder.ts). */
  readonly prior: Int32Array
}

/** Tensors of the context model that every split has of its own, as `split_1_` and so on before their names. */
export const SPLIT_TENSORS: readonly string[] = [
  ...['scale_bias', 'mean_weight', 'mean_out', 'mean_gain', 'intra_gain', 'intra_mid_1', 'intra_mid_2'],
  ...[
    'intra_out_0',
    'intra_out_1',
    'intra_out_2',
    'stage_bias_0',
    'stage_bias_1',
    'stage_bias_2',
    'stage_bias_3',
  ],
]

/** Name of a split's own tensor. */
export const splitName = (split: number, name: string): string => `split_${split}_${name}`

/** Names and shapes of the tensors that no whole position has its like of; none for a model without splits. */
export function splitShapes({
  splits,
}: CodecConfig): readonly (readonly [name: string, shape: readonly number[]])[] {
  if (splits === undefined) return []
  return [
    ['split_halves', [SIDE, SIDE]],
    ['split_place', [LATENTS]],
    ['split_sign', [LATENTS]],
    ['split_step', [KNOTS, LATENTS]],
    ['split_unstep', [KNOTS, LATENTS]],
    ['split_prior', [SPLITS * SPLITS, SPLITS]],
  ]
}

/** Turns the symbols of a split position [768], in sixteenths, to the whole transform, in place; none is beyond `limit`. */
export function turnBack(model: SplitModel, split: number, symbols: Int16Array, limit: number): void {
  const { place, sign, step, unstep } = model
  const rounded = (sum: number): number => saturate((sum + SPLIT_HALF) >> SPLIT_BITS)
  const turned = Int16Array.from(place, (c, i) => rounded(Math.imul(symbols[c]! * sign[i]!, step[c]!)))
  for (let colour = 0; colour < LATENTS; colour += FREQUENCIES) {
    const block = turned.subarray(colour, colour + FREQUENCIES)
    if (splitsRows(split)) turnLines(model.halves, block, SIDE, 1, rounded)
    if (splitsColumns(split)) turnLines(model.halves, block, 1, SIDE, rounded)
  }
  place.forEach((c, i) => {
    const whole = sign[i]! * ((Math.imul(turned[i]!, unstep[c]!) + SPLIT_HALF) >> SPLIT_BITS)
    symbols[c] = Math.max(-limit, Math.min(limit, whole))
  })
}

/** Every line of a block: `along` from one value of a line to the next, `across` from a line to the next. */
function turnLines(
  halves: Int32Array,
  block: Int16Array,
  along: number,
  across: number,
  rounded: (sum: number) => number,
): void {
  const line = new Int16Array(SIDE)
  for (let first = 0; first < SIDE * across; first += across) {
    for (let a = 0; a < SIDE; a++) line[a] = block[first + a * along]!
    for (let b = 0; b < SIDE; b++) {
      let sum = 0
      for (let a = 0; a < SIDE; a++) sum = (sum + Math.imul(halves[a * SIDE + b]!, line[a]!)) | 0
      block[first + b * along] = rounded(sum)
    }
  }
}
