/** Training and validation samples as pure functions of the seed and a number, so that a resumed run sees the same ones. */
import { QUALITY_MAX } from '../codec/quality'
import { BLOCK, LATENTS } from '../codec/weights'
import type { Sample } from './loss'
import { proceduralImage } from './procedural-images'
import { Random } from './random'
import type { TrainConfig } from './train-config'

export function trainingSample(config: TrainConfig, index: number): Sample {
  const seed = Math.imul(config.seed, 1_000_003) + index
  const random = new Random(seed ^ 0x5bd1e995)
  const noise = new Float32Array((config.size / BLOCK) ** 2 * LATENTS)
  for (let i = 0; i < noise.length; i++) noise[i] = random.unit() - 0.5
  return {
    rgb: proceduralImage(seed, config.size, config.size, config.data),
    quality: random.between(0, QUALITY_MAX),
    noise,
  }
}

/** Fixed crops, coded as the codec does. Their seeds are negative, those of training crops are not. */
export function validationSample(config: TrainConfig, index: number, quality: number): Sample {
  return {
    rgb: proceduralImage(-1_000_000 - index, config.size, config.size, config.data),
    quality,
    noise: null,
  }
}
