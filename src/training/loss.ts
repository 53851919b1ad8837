/** Rate and distortion of one crop at one quality, as a differentiable function of the parameters. */
import * as tf from '@tensorflow/tfjs-core'
import { readBlocks } from '../codec/blocks'
import { stepOf } from '../codec/quality'
import { analyze, synthesize } from '../codec/transform'
import { BLOCK, LATENTS } from '../codec/weights'
import { opaque } from './opaque'
import { FIXED, type Parameters } from './parameters'
import {
  laplaceBits,
  predictChroma,
  predictIntra,
  predictMeans,
  predictScales,
  stopGradient,
} from './rate-model'
import type { TrainConfig } from './train-config'
import { trainableTransform, type TensorOf } from './trainable-transform'

export interface Sample {
  /** RGB bytes [size, size, 3]. */
  readonly rgb: Uint8Array
  readonly quality: number
  /** Uniform in -0.5..0.5, [size / 16, size / 16, 768], or null to round as the codec does. */
  readonly noise: Float32Array | null
}

/** Both per pixel; the error is summed over R, G and B. */
export interface RateDistortion {
  readonly bits: tf.Scalar
  readonly error: tf.Scalar
}

/** Rounds to integers with a wider zero bin; gradients pass straight through. */
function quantizer(deadzone: number): (y: tf.Tensor4D) => tf.Tensor4D {
  const round = tf.customGrad((y) => {
    const x = y as tf.Tensor
    return {
      value: tf.mul(tf.sign(x), tf.floor(tf.add(tf.abs(x), deadzone))),
      gradFunc: (dy: tf.Tensor) => dy,
    }
  })
  return (y) => round(y) as tf.Tensor4D
}

/** [1, h, w, 768] in block layout -> [1, 4h, 4w, 48], the layout that synthesize gives. */
function quartersOf(blocks: tf.Tensor4D): tf.Tensor4D {
  const [, h, w] = blocks.shape
  const rows = tf.reshape(blocks, [h, w, 4, 192])
  return tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [1, 4 * h, 4 * w, 48])
}

/** Adds channels to the first ones of y. */
export function addToFirst(y: tf.Tensor4D, some: tf.Tensor4D): tf.Tensor4D {
  const missing = y.shape[3] - some.shape[3]
  return tf.add(y, tf.pad(some, [[0, 0], [0, 0], [0, 0], [0, missing]])) // prettier-ignore
}

interface Predictions {
  /** Predicted symbols of all channels, [1, h, w, 768]. */
  readonly means: tf.Tensor4D
  /** The hidden layers that predictScales looks at. */
  readonly hidden: readonly tf.Tensor2D[]
}

function predict(tensor: TensorOf, config: TrainConfig, known: tf.Tensor4D, quality: number): Predictions {
  const { chromaPrediction, intraWidth } = config.codec
  const some = [predictMeans(tensor, config.codec, known, quality)]
  if (intraWidth !== undefined) some.push(predictIntra(tensor, known, quality))
  const others = chromaPrediction === undefined ? tf.zerosLike(known) : predictChroma(tensor, known, quality)
  return {
    means: some.reduce((sum, { means }) => addToFirst(sum, means), others),
    hidden: some.map(({ hidden }) => hidden),
  }
}

/** Symbols as the decoder will know them, mean and all: it goes position by position, two rounds come near it. */
function knownSymbols(tensor: TensorOf, config: TrainConfig, y: tf.Tensor4D, quality: number): tf.Tensor4D {
  let known = quantizer(0.5)(y)
  for (let round = 0; round < 2; round++) {
    const { means } = predict(tensor, config, known, quality)
    known = tf.add(quantizer(config.deadzone)(tf.sub(y, means)), means)
  }
  return known
}

export function rateDistortion(tensor: TensorOf, config: TrainConfig, sample: Sample): RateDistortion {
  const across = config.size / BLOCK
  const area = config.size * config.size
  const image = opaque(sample.rgb, config.size)
  const pixels = readBlocks(image, 0, { x: 0, y: 0, width: across, height: across })
  const blocks = tf.tensor4d(pixels, [1, across, across, LATENTS])
  const transform = trainableTransform(tensor, config.codec, sample.quality)
  const [linear, correction] = analyze(transform, blocks)
  const y = addToFirst(linear, correction)
  const known = stopGradient(knownSymbols(tensor, config, y, sample.quality)) as tf.Tensor4D
  const { means, hidden } = predict(tensor, config, known, sample.quality)
  const centred = tf.sub<tf.Tensor4D>(y, means)
  const residuals = quantizer(config.deadzone)(centred)
  const coarse = stopGradient(residuals) as tf.Tensor4D
  const scales = predictScales(tensor, config.codec, coarse, hidden, sample.quality)
  const coded =
    sample.noise === null ? residuals : tf.add<tf.Tensor4D>(centred, tf.tensor4d(sample.noise, blocks.shape))
  const bits = tf.div<tf.Scalar>(tf.sum(laplaceBits(coded, scales)), area)
  const restored = synthesize(transform, tf.add(residuals, means))
  const error = tf.div<tf.Scalar>(tf.sum(tf.squaredDifference(restored, quartersOf(blocks))), area)
  return { bits, error }
}

/** Rate-distortion cost over the rate itself, so that all qualities weigh alike. */
export function sampleLoss(tensor: TensorOf, config: TrainConfig, sample: Sample): tf.Scalar {
  const { bits, error } = rateDistortion(tensor, config, sample)
  const step = stepOf(sample.quality)
  const cost = tf.add(bits, tf.div(error, config.lagrange * step * step))
  return tf.div(cost, tf.add(stopGradient(bits) as tf.Scalar, 0.08))
}

/** Loss of one sample, and its gradients in the order of the parameters; zeros for those that are fixed. */
export async function lossAndGradients(
  parameters: Parameters,
  config: TrainConfig,
  sample: Sample,
): Promise<{ loss: number; gradients: Float32Array[] }> {
  const tensorsOf = (some: Parameters): tf.Tensor[] =>
    some.map(({ values, shape }) => tf.tensor(values, shape as number[]))
  const trained = parameters.filter(({ name }) => !FIXED.has(name))
  const fixed = parameters.filter(({ name }) => FIXED.has(name))
  const [tensors, constants] = [tensorsOf(trained), tensorsOf(fixed)]
  const named = (some: Parameters, values: readonly tf.Tensor[]) =>
    some.map(({ name }, i) => [name, values[i]!] as const)
  const { value, grads } = tf.tidy(() =>
    tf.valueAndGrads((...at: tf.Tensor[]) => {
      const byName = new Map([...named(fixed, constants), ...named(trained, at)])
      return sampleLoss((name) => byName.get(name)!, config, sample)
    })(tensors),
  )
  try {
    const slopes = new Map(named(trained, grads))
    const gradients = await Promise.all(
      parameters.map(
        async ({ name, values }) =>
          ((await slopes.get(name)?.data()) as Float32Array | undefined) ?? new Float32Array(values.length),
      ),
    )
    const [loss] = await value.data()
    return { loss: loss!, gradients }
  } finally {
    tf.dispose([...tensors, ...constants, ...grads, value])
  }
}
