/** Rate-distortion points of parameters on fixed procedural crops, by the differentiable rate model. */
import * as tf from '@tensorflow/tfjs-core'
import { QUALITY_MAX, stepOf } from '../codec/quality'
import { psnrOf } from '../codec/metrics'
import { rateDistortion } from './loss'
import type { Parameters } from './parameters'
import { validationSample } from './samples'
import type { TrainConfig } from './train-config'

export interface RatePoint {
  /** Mean over crops of the logarithm of bits + error / (lagrange * step^2): what training lowers. */
  readonly logCost: number
  readonly quality: number
  readonly bpp: number
  /** Of the mean squared error over all crops. */
  readonly psnrDb: number
}

export async function validate(
  parameters: Parameters,
  config: TrainConfig,
  crops: number,
  points = 5,
): Promise<RatePoint[]> {
  const tensors = new Map(parameters.map((p) => [p.name, tf.tensor(p.values, p.shape as number[])]))
  const out: RatePoint[] = []
  try {
    for (let k = 0; k < points; k++) {
      const quality = (QUALITY_MAX * k) / (points - 1)
      let bpp = 0
      let error = 0
      let logCost = 0
      const unit = config.lagrange * stepOf(quality) ** 2
      for (let i = 0; i < crops; i++) {
        const sample = validationSample(config, i, quality)
        const rd = tf.tidy(() => {
          const { bits, error: e } = rateDistortion((name) => tensors.get(name)!, config, sample)
          return tf.stack([bits, e])
        })
        const [b, e] = await rd.data()
        rd.dispose()
        bpp += b! / crops
        error += e! / crops
        logCost += Math.log(b! + e! / unit) / crops
      }
      out.push({ quality, logCost, bpp, psnrDb: psnrOf(error, 3) })
    }
  } finally {
    tf.dispose([...tensors.values()])
  }
  return out
}
