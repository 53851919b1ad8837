/** Models with splits, with weights at random or those of the whole, and latents of blocks of grey: for tests. */
import { makePrng } from '../../lib/prng'
import { KNOTS } from '../quality'
import { guessSplits, Splitter, type SplitGuess } from './split-choice'
import { SPLIT_BITS, SPLIT_TENSORS, splitName, SPLITS, type SplitModel } from './split-model'
import { BLOCK, LATENTS, type CodecWeights } from '../weights'

export const FREQUENCIES = BLOCK * BLOCK
const ONE = 1 << SPLIT_BITS

/** Of the orthonormal DCT. */
const cosine = (size: number, frequency: number, at: number): number =>
  Math.sqrt((frequency === 0 ? 1 : 2) / size) * Math.cos((Math.PI * (2 * at + 1) * frequency) / (2 * size))

/** [16, 16], 2^-14: from the DCT of 16 to those of its halves; of the lowest, their sum and difference. */
export function halvesOfDct(): Int32Array {
  const side = BLOCK / 2
  const ofHalf = (frequency: number, half: number, at: number): number =>
    at >> 3 === half ? cosine(side, frequency, at - side * half) : 0
  return Int32Array.from({ length: FREQUENCIES }, (_, i) => {
    const [row, whole] = [Math.floor(i / BLOCK), i % BLOCK]
    let sum = 0
    for (let at = 0; at < BLOCK; at++) {
      const value =
        row < 2
          ? (ofHalf(0, 0, at) + (row === 0 ? 1 : -1) * ofHalf(0, 1, at)) / Math.SQRT2
          : ofHalf(row >> 1, row & 1, at)
      sum += value * cosine(BLOCK, whole, at)
    }
    return Math.round(sum * ONE)
  })
}

/**
 * Tables of splits, of so many knots: places, signs and steps between a half and two at random. `wild`: they turn by any
 * weights, and steps are any of 16 bits.
 */
function drawTables(seed: number, knots: number, wild: boolean): SplitModel {
  const prng = makePrng(seed)
  const place = Int32Array.from({ length: LATENTS }, (_, i) => i)
  for (let i = LATENTS - 1; i > 0; i--) {
    const other = prng.nextBelow(i + 1)
    ;[place[i], place[other]] = [place[other]!, place[i]!]
  }
  const any = (): number => (prng.nextBelow(8) === 0 ? 65535 : 1 + prng.nextBelow(65535))
  const length = knots * LATENTS
  const step = Int32Array.from({ length }, () => (wild ? any() : ONE / 2 + prng.nextBelow(1.5 * ONE)))
  return {
    halves: wild ? halvesOfDct().map(() => prng.nextBelow(65536) - 32768) : halvesOfDct(),
    place,
    sign: Int32Array.from({ length: LATENTS }, () => 1 - 2 * prng.nextBelow(2)),
    step,
    unstep: step.map((s) => (wild ? any() : Math.round(ONE ** 2 / s))),
    prior: Int32Array.from({ length: SPLITS ** 3 }, () => 1 + prng.nextBelow(100)),
  }
}

/** What splits need at one quality, at random. */
export const drawSplitModel = (seed: number, wild = false): SplitModel => drawTables(seed, 1, wild)

function withTables(
  weights: CodecWeights,
  { halves, place, sign, step, unstep, prior }: SplitModel,
  own: (weight: number) => number,
): CodecWeights {
  const integers = new Map([
    ...weights.integers,
    ['split_halves', halves],
    ['split_place', place],
    ['split_sign', sign],
    ['split_step', step],
    ['split_unstep', unstep],
    ['split_prior', prior],
  ])
  for (const name of SPLIT_TENSORS) {
    // A model without edges or stages has none of theirs.
    const whole = weights.integers.get(name)
    for (let split = 1; whole !== undefined && split < SPLITS; split++)
      integers.set(splitName(split, name), whole.map(own))
  }
  return { ...weights, config: { ...weights.config, splits: 1 }, integers }
}

/** The weights with splits at random, whose own tensors are the whole's, changed a little. */
export function withSplits(weights: CodecWeights, seed: number, wild = false): CodecWeights {
  const prng = makePrng(seed + 1)
  // Within 16 bits where the whole's are.
  const changed = (w: number): number => Math.trunc(w * (0.8 + 0.2 * prng.nextFloat()))
  return withTables(weights, drawTables(seed, KNOTS, wild), changed)
}

/**
 * The weights with splits that serve blocks of grey: places by rising frequency, equal steps, splits seldom at first, and
 * the whole's tensors for all.
 */
export function withPlainSplits(weights: CodecWeights): CodecWeights {
  const order = Array.from({ length: LATENTS }, (_, i) => i)
  const frequency = (i: number): number => Math.hypot((i >> 4) & 15, i & 15)
  order.sort((a, b) => frequency(a) - frequency(b) || a - b)
  const place = new Int32Array(LATENTS)
  order.forEach((i, c) => (place[i] = c))
  const steps = new Int32Array(KNOTS * LATENTS).fill(ONE)
  const tables: SplitModel = {
    ...{ halves: halvesOfDct(), place, sign: new Int32Array(LATENTS).fill(1), step: steps, unstep: steps },
    prior: Int32Array.from({ length: SPLITS ** 3 }, (_, i) => (i % SPLITS === 0 ? 80 : 16)),
  }
  return withTables(weights, tables, (w) => w)
}

/** [frequency, pixel] */
const DCT = Float64Array.from({ length: FREQUENCIES }, (_, i) => cosine(BLOCK, i >> 4, i & 15))

/** Grey levels less 128 of a pixel. */
export type Grey = (x: number, y: number) => number

/** Latents [768] of one block of grey, in steps of so many grey levels. */
export function latentsOfGrey(
  { place, sign, step }: Pick<SplitModel, 'place' | 'sign' | 'step'>,
  grey: Grey,
  levels: number,
): Float32Array {
  const y = new Float32Array(LATENTS)
  const pixels = Float64Array.from({ length: FREQUENCIES }, (_, i) => grey(i & 15, i >> 4))
  for (let i = 0; i < FREQUENCIES; i++) {
    let sum = 0
    for (let at = 0; at < FREQUENCIES; at++)
      sum += pixels[at]! * DCT[(i & ~15) + (at >> 4)]! * DCT[16 * (i & 15) + (at & 15)]!
    const c = place[i]!
    y[c] = (Math.sqrt(3) * sum * sign[i]! * ONE) / step[c]! / levels
  }
  return y
}

/** The same of a picture of width x height blocks, [positions, 768]. */
export function latentsOfPicture(
  model: Pick<SplitModel, 'place' | 'sign' | 'step'>,
  grey: Grey,
  width: number,
  height: number,
  levels: number,
): Float32Array {
  const y = new Float32Array(width * height * LATENTS)
  for (let p = 0; p < width * height; p++) {
    const [left, top] = [BLOCK * (p % width), BLOCK * Math.floor(p / width)]
    y.set(
      latentsOfGrey(model, (column, row) => grey(left + column, top + row), levels),
      p * LATENTS,
    )
  }
  return y
}

/** What is guessed of y [positions, 768], in TypeScript. */
export function guessOf(model: SplitModel, y: Float32Array, positions: number): SplitGuess {
  const splitter = new Splitter(model)
  return guessSplits(positions, (position) =>
    splitter.guess(y.subarray(position * LATENTS, (position + 1) * LATENTS)),
  )
}
