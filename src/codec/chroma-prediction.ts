/**
 * What luma foretells of chroma. Both chromas of a frequency are predicted from luma of the same frequency at the same
 * position, and the second chroma also from what is left of the first. The slopes are local: least squares over all
 * frequencies of the four neighbours and of the groups of channels that are already known at this position (as chroma
 * from luma in AV1, Trudeau, Egge and Barr 2018, but found again by the decoder). A gain for every channel and quality
 * says how far a prediction is to be trusted.
 *
 * All in whole numbers but for the slope: a quotient of two doubles that hold whole numbers, which IEEE 754 rounds alike
 * everywhere. Symbols are in sixteenths of a step; in the sums in quarters, limited to PAIR_LIMIT.
 */
import { saturate } from './integers'
import { LATENTS } from './weights'

/** Channels that share slopes. */
export const SLOPE_GROUP = 16
/** Sums over a position: products and squares for the first chroma, the second, and the second from the first. */
export const PAIR_SUMS = 6
export const PAIR_SHIFT = 2
/** In quarters of a step: the sums of a position, and six of them, stay below 2^31. */
export const PAIR_LIMIT = 1023
/** Weight of this position's own sums; the west and north neighbours count twice, the diagonal ones once. */
export const OWN_WEIGHT = 16
/** Added to the squares: without evidence there is no prediction. 20 squared steps. */
export const REGULAR = 20 << (2 * PAIR_SHIFT)
export const SLOPE_BITS = 10
export const SLOPE_LIMIT = 8
export const PAIR_GAIN_BITS = 10

export interface ChromaModel {
  /** The luma channel of a chroma channel, -1 where there is none; always in an earlier group. */
  readonly lumaOf: Int32Array
  /** The first chroma's channel of a second one, else -1; always in an earlier group. */
  readonly firstOf: Int32Array
  /** At this quality, 2^-10. */
  readonly lumaGain: Int32Array
  readonly firstGain: Int32Array
}

/** Throws RangeError where a channel is to be predicted from one that is not known in time, or from one that serves twice. */
export function checkChromaModel({ lumaOf, firstOf }: ChromaModel): void {
  const groupOf = (c: number): number => Math.floor(c / SLOPE_GROUP)
  const used = new Set<string>()
  for (let c = 0; c < LATENTS; c++) {
    const [luma, first] = [lumaOf[c]!, firstOf[c]!]
    const use = `${luma} for the ${first < 0 ? 'first' : 'second'}`
    const isSound =
      luma < 0
        ? first < 0
        : groupOf(luma) < groupOf(c) &&
          lumaOf[luma]! < 0 &&
          !used.has(use) &&
          (first < 0 || (groupOf(first) < groupOf(c) && lumaOf[first] === luma && firstOf[first]! < 0))
    if (!isSound) throw new RangeError(`The model cannot predict channel ${c}.`)
    if (luma >= 0) used.add(use)
  }
}

/** x / 2^bits, halves away from zero. */
const roundedShift = (x: number, bits: number): number => (x + (1 << (bits - 1)) + (x >> 31)) >> bits

const forSums = (x: number): number =>
  Math.max(-PAIR_LIMIT, Math.min(PAIR_LIMIT, roundedShift(x, PAIR_SHIFT)))

/** The predictions of one tile, position by position, group by group. */
export class ChromaPrediction {
  readonly #model: ChromaModel
  /** Sums of positions [padded positions, PAIR_SUMS], and those of the neighbours and of this position so far. */
  readonly #sums: Int32Array
  readonly #near = new Int32Array(PAIR_SUMS)
  readonly #own = new Int32Array(PAIR_SUMS)
  /** By channel: what luma foretells, and all together. */
  readonly #fromLuma = new Int32Array(LATENTS)
  readonly #predicted = new Int32Array(LATENTS)

  constructor(model: ChromaModel, positions: number) {
    this.#model = model
    this.#sums = new Int32Array(positions * PAIR_SUMS)
  }

  /** `near`: west, north, north-west and north-east. */
  start(near: Int32Array): void {
    const sum = (site: number, i: number): number => this.#sums[near[site]! * PAIR_SUMS + i]!
    for (let i = 0; i < PAIR_SUMS; i++) this.#near[i] = 2 * (sum(0, i) + sum(1, i)) + sum(2, i) + sum(3, i)
    this.#own.fill(0)
  }

  /** Predicts the channels of a group from symbols of this position, [768] from `at`. */
  startGroup(from: number, symbols: Int16Array, at: number): void {
    const { lumaOf, firstOf, lumaGain, firstGain } = this.#model
    const slopes = [this.#slope(0), this.#slope(2), this.#slope(4)] as const
    const times = (slope: number, value: number, gain: number): number =>
      saturate(roundedShift(saturate(roundedShift(slope * value, SLOPE_BITS)) * gain, PAIR_GAIN_BITS))
    for (let c = from; c < from + SLOPE_GROUP; c++) {
      const [luma, first] = [lumaOf[c]!, firstOf[c]!]
      const slope = first < 0 ? slopes[0] : slopes[1]
      const fromLuma = luma < 0 ? 0 : times(slope, symbols[at + luma]!, lumaGain[c]!)
      const further = first < 0 ? 0 : times(slopes[2], this.#left(first, symbols, at), firstGain[c]!)
      this.#fromLuma[c] = fromLuma
      this.#predicted[c] = saturate(fromLuma + further)
    }
  }

  #slope(sum: number): number {
    const products = this.#near[sum]! + OWN_WEIGHT * this.#own[sum]!
    const squares = this.#near[sum + 1]! + OWN_WEIGHT * this.#own[sum + 1]! + REGULAR
    const slope = Math.max(-SLOPE_LIMIT, Math.min(SLOPE_LIMIT, products / squares))
    return Math.trunc(slope * (1 << SLOPE_BITS))
  }

  /** What luma has not foretold of a channel. */
  #left(c: number, symbols: Int16Array, at: number): number {
    return saturate(symbols[at + c]! - this.#fromLuma[c]!)
  }

  /** Prediction of a channel of the group, in sixteenths. */
  of(c: number): number {
    return this.#predicted[c]!
  }

  /** The group's symbols are known. */
  finishGroup(from: number, symbols: Int16Array, at: number): void {
    const { lumaOf, firstOf } = this.#model
    const own = this.#own
    const add = (sum: number, a: number, b: number): void => {
      own[sum] = own[sum]! + a * b
      own[sum + 1] = own[sum + 1]! + a * a
    }
    for (let c = from; c < from + SLOPE_GROUP; c++) {
      const [luma, first] = [lumaOf[c]!, firstOf[c]!]
      if (luma < 0) continue
      add(first < 0 ? 0 : 2, forSums(symbols[at + luma]!), forSums(symbols[at + c]!))
      if (first < 0) continue
      add(4, forSums(this.#left(first, symbols, at)), forSums(this.#left(c, symbols, at)))
    }
  }

  /** The position's sums become visible to its neighbours. */
  finish(here: number): void {
    this.#sums.set(this.#own, here * PAIR_SUMS)
  }
}
