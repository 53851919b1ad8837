/**
 * The splits of a tile as bytes: range coded with counts of its own for every pair of splits at west and north, which are
 * whole outside the tile. Counts start from the model's and learn as they go; a tile without splits takes no bytes.
 */
import { damaged } from '../errors'
import { PRECISION_BITS, RansDecoder, ransEncode } from '../rans'
import { SPLITS } from './split-model'

const TOTAL = 1 << PRECISION_BITS
/** What a split adds to its count, and the sum beyond which counts are halved. */
const GAIN = 8
const SUM_LIMIT = 4096

/** Counts by context, and the cumulative frequencies that follow from them, position by position. */
export class SplitCounts {
  readonly cdf = new Int32Array(SPLITS + 1)
  readonly #counts: Int32Array
  #here: Int32Array

  constructor(prior: Int32Array) {
    this.#counts = prior.map((count) => Math.max(1, Math.min(SUM_LIMIT, count)))
    this.#here = this.#counts.subarray(0, SPLITS)
  }

  /** Brings `cdf` to a position, of which the splits before it are known: every split has a frequency of at least one. */
  look(splits: Uint8Array, width: number, position: number): void {
    const west = position % width === 0 ? 0 : splits[position - 1]!
    const north = position < width ? 0 : splits[position - width]!
    const first = SPLITS * (west * SPLITS + north)
    const counts = this.#counts.subarray(first, first + SPLITS)
    const sum = counts.reduce((a, b) => a + b)
    let at = TOTAL
    for (let split = SPLITS - 1; split > 0; split--) {
      at -= 1 + Math.floor(((TOTAL - SPLITS) * counts[split]!) / sum)
      this.cdf[split] = at
    }
    this.cdf[SPLITS] = TOTAL
    this.#here = counts
  }

  /** Of the 2^16 of the position. */
  frequency(split: number): number {
    return this.cdf[split + 1]! - this.cdf[split]!
  }

  /** The split of the position is known. */
  learn(split: number): void {
    const counts = this.#here
    counts[split] = counts[split]! + GAIN
    if (counts.reduce((a, b) => a + b) > SUM_LIMIT)
      counts.forEach((count, i) => (counts[i] = (count + 1) >> 1))
  }
}

/** `splits` of positions row by row. */
export function encodeSplits(splits: Uint8Array, width: number, prior: Int32Array): Uint8Array {
  if (splits.every((split) => split === 0)) return new Uint8Array(0)
  const counts = new SplitCounts(prior)
  const starts = new Uint16Array(splits.length)
  const frequencies = new Uint16Array(splits.length)
  splits.forEach((split, position) => {
    counts.look(splits, width, position)
    starts[position] = counts.cdf[split]!
    frequencies[position] = counts.frequency(split)
    counts.learn(split)
  })
  return ransEncode(starts, frequencies, splits.length)
}

/** null where all positions are whole. Throws CodecError 'damaged' unless every byte is accounted for. */
export function decodeSplits(
  bytes: Uint8Array,
  width: number,
  height: number,
  prior: Int32Array,
): Uint8Array | null {
  if (bytes.length === 0) return null
  const counts = new SplitCounts(prior)
  const coder = new RansDecoder(bytes)
  const splits = new Uint8Array(width * height)
  for (let position = 0; position < splits.length; position++) {
    counts.look(splits, width, position)
    const split = coder.symbol(counts.cdf, 0, SPLITS)
    splits[position] = split
    counts.learn(split)
  }
  coder.end()
  if (splits.every((split) => split === 0)) throw damaged('a tile names splits and has none')
  return splits
}
