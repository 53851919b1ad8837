/** Models with scale stages, with weights at random, and calibrated ones: for tests. */
import { makePrng } from '../lib/prng'
import { driftRate, driftTable } from './entropy-tables'
import { stageShapes } from './scale-stages'
import type { CodecWeights } from './weights'

const EXTREMES = [-32768, 32767, 0, 1]

/**
 * The weights with stages of 16 bits and so many units, biases reaching 2^8 times as far; `wild`: every hundredth weight
 * may be extreme. Columns of channels before a stage are not zero, as they need not count.
 */
export function withStages(
  weights: CodecWeights,
  seed: number,
  hidden: number,
  reach: number,
  wild = false,
): CodecWeights {
  const prng = makePrng(seed)
  const config = { ...weights.config, stageHidden: hidden }
  const integers = new Map(weights.integers)
  for (const [name, shape] of stageShapes(config)) {
    const most = name.startsWith('stage_bias') ? reach << 8 : reach
    const draw = (): number =>
      wild && prng.nextBelow(100) === 0 ? EXTREMES[prng.nextBelow(4)]! : prng.nextBelow(2 * most + 1) - most
    const length = shape.reduce((a, b) => a * b, 1)
    integers.set(name, Int32Array.from({ length }, draw))
  }
  return { ...weights, config, integers }
}

/** The weights with offsets of kinds of symbols, drifting as the Laplace laws say. */
export function withCalibration(weights: CodecWeights): CodecWeights {
  const integers = new Map(weights.integers).set('drift', driftTable(driftRate(true)))
  return { ...weights, config: { ...weights.config, calibration: 1 }, integers }
}
