import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../../../lib/prng'
import { readModel } from '../../../training/node-model'
import { foldAnalysis } from '../../folded'
import { QUALITY_MAX } from '../../quality'
import { LATENTS } from '../../weights'
import { createLinearAnalysis, type LinearAnalysis } from './linear-analysis'

let analysis: LinearAnalysis
let linear: Float32Array
beforeAll(async () => {
  analysis = (await createLinearAnalysis())!
  expect(analysis).not.toBeNull()
  linear = foldAnalysis((await readModel()).weights, QUALITY_MAX).linear
})

const random = makePrng(1)
const blocksOf = (count: number, pixel: (index: number) => number): Int16Array =>
  Int16Array.from({ length: count * LATENTS }, (_, i) => pixel(i))

/** Root of the mean square and largest distance from sums in double precision. */
function errorsOf(weights: Float32Array, blocks: Int16Array): { rms: number; worst: number } {
  analysis.use(weights)
  const y = analysis.analyze(blocks)
  expect(y.length).toBe(blocks.length)
  let [worst, squares] = [0, 0]
  for (let from = 0; from < blocks.length; from += LATENTS)
    for (let column = 0; column < LATENTS; column++) {
      let sum = 0
      for (let row = 0; row < LATENTS; row++) sum += weights[row * LATENTS + column]! * blocks[from + row]!
      const error = Math.abs(y[from + column]! - sum)
      worst = Math.max(worst, error)
      squares += error * error
    }
  return { rms: Math.sqrt(squares / y.length), worst }
}

describe('the linear analysis in whole numbers', () => {
  it('is as precise as steps need at the finest quality', () => {
    // A slope over the block, in the order of its pixels.
    const slope = (i: number): number => Math.round((i % LATENTS) / 3.1) - 120
    const smooth = errorsOf(linear, blocksOf(3, slope))
    expect(smooth.rms).toBeLessThan(3e-4)
    const noise = errorsOf(
      linear,
      blocksOf(5, () => random.nextBelow(256) - 128),
    )
    expect(noise.rms).toBeLessThan(2e-3)
    const extremes = errorsOf(
      linear,
      blocksOf(5, () => (random.nextBelow(2) === 0 ? -128 : 127)),
    )
    expect(extremes.worst).toBeLessThan(2e-2)
    const flat = errorsOf(
      linear,
      blocksOf(1, () => -128),
    )
    expect(flat.worst).toBeLessThan(1e-3)
  })

  it('has no sum that overflows', () => {
    for (const weight of [1, -1, 1e-3, 1e20]) {
      const weights = new Float32Array(LATENTS * LATENTS).fill(weight)
      for (const pixel of [-128, 127]) {
        const sum = Math.abs(weight * pixel * LATENTS)
        expect(
          errorsOf(
            weights,
            blocksOf(1, () => pixel),
          ).worst / sum,
        ).toBeLessThan(1e-4)
      }
    }
  })

  it('gives zeros for weights of zero, and takes any number of blocks', () => {
    analysis.use(new Float32Array(LATENTS * LATENTS))
    for (const count of [0, 1, 2, 3, 65, 130]) {
      const y = analysis.analyze(blocksOf(count, () => 100))
      expect(y.length).toBe(count * LATENTS)
      expect(y.every((value) => value === 0)).toBe(true)
    }
  })

  it('refuses what is no block, and weights that do not fit', () => {
    expect(() => analysis.analyze(new Int16Array(LATENTS + 1))).toThrow(RangeError)
    expect(() => analysis.use(new Float32Array(LATENTS))).toThrow(RangeError)
  })
})
