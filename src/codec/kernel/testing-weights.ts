/** Models with weights at random, and latents for the entropy coder: for tests. */
import { makePrng } from '../../lib/prng'
import { KNOTS } from '../quality'
import { LATENTS, type CodecConfig, type CodecWeights } from '../weights'

export type Unit = () => number
export function unitOf(seed: number): Unit {
  const random = makePrng(seed)
  return () => random.nextU32() / 2 ** 32
}

/** Who predicts whom, with gaps, and any gains of 16 bits. */
function randomChroma(unit: Unit): [string, Int32Array][] {
  const third = LATENTS / 3
  const pairs = Array.from({ length: third }, (_, luma) => ({
    luma,
    first: third + ((luma * 37) % third),
    second: 2 * third + ((luma * 101) % third),
    known: unit(),
  }))
  const [lumaOf, firstOf] = [new Int32Array(LATENTS).fill(-1), new Int32Array(LATENTS).fill(-1)]
  for (const { luma, first, second, known } of pairs) {
    if (known < 0.1) continue
    lumaOf[first] = luma
    if (known < 0.2) continue
    lumaOf[second] = luma
    firstOf[second] = first
  }
  const reach = 2 ** (8 + 7 * unit())
  const gains = () => Int32Array.from({ length: KNOTS * LATENTS }, () => (unit() - 0.2) * reach)
  return [
    ['luma_of', lumaOf],
    ['first_of', firstOf],
    ['luma_gain', gains()],
    ['first_gain', gains()],
  ]
}

/** Any weights of 16 bits, biases of 32, with groups that are not full; the tables are those of a released model. */
export function randomWeights(
  released: CodecWeights,
  seed: number,
  reach: number,
  predictsChroma = false,
): CodecWeights {
  const unit = unitOf(seed)
  const config: CodecConfig = {
    ...released.config,
    contextDense: 1 + Math.floor(unit() * LATENTS),
    contextFeatures: 1 + Math.floor(unit() * 40),
    meanChannels: 1 + Math.floor(unit() * 60),
    meanHidden: 1 + Math.floor(unit() * 70),
    ...(predictsChroma ? { chromaPrediction: 1 } : {}),
  }
  const { contextDense, contextFeatures, meanChannels, meanHidden } = config
  const extremes = [-32768, 32767, 0, 1]
  const int16 = (count: number) =>
    Int32Array.from({ length: count }, () =>
      unit() < 0.01 ? extremes[Math.floor(unit() * 4)]! : Math.round((unit() - 0.5) * 2 * reach),
    )
  const integers = new Map([
    ['scale_bias', Int32Array.from({ length: KNOTS * LATENTS }, () => (unit() - 0.7) * 2 ** 18)],
    ['scale_same', int16(4 * LATENTS)],
    ['scale_dense', int16(contextDense * LATENTS)],
    ['scale_feature', int16(4 * contextFeatures * LATENTS)],
    ['feature', int16(LATENTS * contextFeatures)],
    ['scale_hidden', int16(meanHidden * LATENTS)],
    ['mean_weight', int16(meanChannels * 4 * meanChannels)],
    ['mean_in', int16(meanHidden * 4 * meanChannels)],
    ['mean_out', int16(meanChannels * meanHidden).map((w) => w * 3)],
    ['mean_gain', int16(KNOTS * meanChannels)],
    ['thresholds', released.integers.get('thresholds')!],
    ['drift', Int32Array.from({ length: 64 * 16 }, () => (unit() - 0.5) * 2 ** (31 * unit()))],
    ['drift_shift', Int32Array.from({ length: 64 }, () => unit() * 5)],
    ...(predictsChroma ? randomChroma(unit) : []),
  ])
  return { config, integers, tensors: released.tensors, tables: released.tables }
}

/** Latents with falling variance; some are huge, some fall on the borders of rounding. */
export function latents(unit: Unit, positions: number, spread: number): Float32Array {
  return Float32Array.from({ length: positions * LATENTS }, (_, i) => {
    const value = ((unit() + unit() + unit() - 1.5) * spread) / (1 + (i % LATENTS) / 12)
    const kind = unit()
    if (kind < 2e-4) return Math.max(-2047, Math.min(2047, value * 1000))
    return kind < 0.01 ? Math.round(value * 2) / 2 : value
  })
}
