/** The entropy model's differentiable form: Laplace scales and means from symbols already coded (context-model.ts). */
import * as tf from '@tensorflow/tfjs-core'
import { OWN_WEIGHT, REGULAR, PAIR_SHIFT, SLOPE_GROUP, SLOPE_LIMIT } from '../codec/chroma-prediction'
import {
  EDGE,
  EDGE_DEPTH,
  EDGES,
  INTRA_CHANNELS,
  INTRA_STAGE_COUNT,
  INTRA_STAGES,
} from '../codec/intra-prediction'
import { SCALE_STAGES } from '../codec/scale-stages'
import { LATENTS, type CodecConfig } from '../codec/weights'
import { rowAt, type TensorOf } from './trainable-transform'

/** Values of the edges of the west, north, north-west and north-east neighbour that a position sees: from, to. */
const SEEN_EDGES = [
  [0, EDGE],
  [EDGE, EDGES],
  [EDGE - EDGE_DEPTH ** 2, EDGE],
  [EDGE, EDGES],
] as const
/** Largest magnitude that the context sees. */
const MAGNITUDE_CAP = 15
const SCALE_FLOOR = 0.02

/** West, north, north-west and north-east neighbours, zero outside: [1, h, w, c] -> four of them. */
function neighbours(x: tf.Tensor4D): tf.Tensor4D[] {
  const [, h, w, c] = x.shape
  const padded = tf.pad(x, [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 0],
  ])
  const from = [
    [1, 0],
    [0, 1],
    [0, 0],
    [0, 2],
  ] as const
  return from.map(([y, left]) => tf.slice(padded, [0, y, left, 0], [1, h, w, c]))
}

const flat = (x: tf.Tensor4D): tf.Tensor2D => tf.reshape(x, [x.shape[1] * x.shape[2], x.shape[3]])

/** x [n, inputs] times the transposed rows of a matrix [outputs, inputs]. */
const product = (x: tf.Tensor2D, matrix: tf.Tensor): tf.Tensor2D =>
  tf.matMul(x, tf.transpose(matrix as tf.Tensor2D))

export interface Prediction {
  /** Predicted symbols of some first channels, [1, h, w, channels]. */
  readonly means: tf.Tensor4D
  /** A hidden layer that also bears on the scales, [h * w, width]. */
  readonly hidden: tf.Tensor2D
}

/** What neighbouring symbols [1, h, w, at least meanChannels] foretell at a quality. */
export function predictMeans(
  tensor: TensorOf,
  config: CodecConfig,
  known: tf.Tensor4D,
  quality: number,
): Prediction {
  const [, h, w] = known.shape
  const m = config.meanChannels
  const near = tf.concat(neighbours(tf.slice(known, [0, 0, 0, 0], [1, h, w, m])).map(flat), 1)
  const hidden = tf.relu(product(near, tensor('mean_in')))
  const sum = tf.add(product(near, tensor('mean_weight')), product(hidden, tensor('mean_out')))
  const means = tf.mul(sum, rowAt(tensor('mean_gain'), quality))
  return { means: tf.reshape(means, [1, h, w, m]), hidden }
}

/**
 * What the edges of neighbours foretell of the first 192 symbols of a position, stage by stage, from decoded symbols
 * [1, h, w, 768] (codec/intra-prediction.ts), and the second layer of the first stage.
 */
export function predictIntra(tensor: TensorOf, known: tf.Tensor4D, quality: number): Prediction {
  const [, h, w] = known.shape
  const symbols = flat(tf.slice(known, [0, 0, 0, 0], [1, h, w, INTRA_CHANNELS]))
  const scaled = tf.mul<tf.Tensor2D>(symbols, rowAt(tensor('intra_step'), quality))
  const columns = (x: tf.Tensor2D, from: number, to: number): tf.Tensor2D =>
    tf.slice(x, [0, from], [h * w, to - from])
  const edges: tf.Tensor2D = tf.matMul(scaled, tensor('intra_edges'))
  const near = neighbours(tf.reshape(edges, [1, h, w, EDGES])).map(flat)
  const seen = SEEN_EDGES.map(([from, to], site) => columns(near[site]!, from, to))
  const first = tf.relu(product(tf.concat(seen, 1), tensor('intra_in')))
  const layers = Array.from({ length: INTRA_STAGE_COUNT }, (_, stage) => {
    const own = stage === 0 ? [] : [columns(scaled, 0, INTRA_STAGES[stage]!)]
    return tf.relu(product(tf.concat([first, ...own], 1), tensor(`intra_mid_${stage}`)))
  })
  const foretold = layers.map((layer, stage) => product(layer, tensor(`intra_out_${stage}`)))
  const means = tf.mul(tf.concat(foretold, 1), rowAt(tensor('intra_gain'), quality))
  return { means: tf.reshape(means, [1, h, w, INTRA_CHANNELS]), hidden: layers[0]! }
}

const SLOPES = LATENTS / SLOPE_GROUP
/** The same in whole steps. */
const REGULAR_STEPS = REGULAR / (1 << (2 * PAIR_SHIFT))

/**
 * Predictors times local slopes, [positions, 768]: least squares of the targets over the neighbours and over earlier
 * groups of channels of the position. Predictors are zero where a channel is not to count.
 */
function sloped(predictors: tf.Tensor2D, targets: tf.Tensor2D, h: number, w: number): tf.Tensor2D {
  const sums = (x: tf.Tensor): tf.Tensor4D => tf.sum(tf.reshape(x, [1, h, w, SLOPES, SLOPE_GROUP]), 4)
  const known = (x: tf.Tensor): tf.Tensor => {
    const own = sums(x)
    const [west, north, northWest, northEast] = neighbours(tf.sum(own, 3, true)) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ]
    const near = tf.add(tf.mul(tf.add(west, north), 2), tf.add(northWest, northEast))
    return tf.add(near, tf.mul(tf.cumsum(own, 3, true), OWN_WEIGHT))
  }
  const slopes = tf.clipByValue(
    tf.div(known(tf.mul(predictors, targets)), tf.add(known(tf.square(predictors)), REGULAR_STEPS)),
    -SLOPE_LIMIT,
    SLOPE_LIMIT,
  )
  const each = tf.tile(tf.reshape(slopes, [h * w, SLOPES, 1]), [1, 1, SLOPE_GROUP])
  return tf.mul(tf.reshape(each, [h * w, LATENTS]), predictors)
}

/**
 * What luma foretells of chroma, [1, h, w, 768], from decoded symbols of the same shape (codec/chroma-prediction.ts).
 * Only the gains have gradients.
 */
export function predictChroma(tensor: TensorOf, known: tf.Tensor4D, quality: number): tf.Tensor4D {
  const [, h, w] = known.shape
  const lumaGain = rowAt(tensor('luma_gain'), quality)
  const firstGain = rowAt(tensor('first_gain'), quality)
  const foretold = tf.customGrad((symbols) => {
    const x = flat(symbols as tf.Tensor4D)
    /** By channel: what the channel looks at, zero where it looks at none. */
    const seen = (values: tf.Tensor2D, name: string): tf.Tensor2D => {
      const partners = tensor(name) as tf.Tensor1D
      const indices = tf.cast<tf.Tensor1D>(tf.maximum(partners, 0), 'int32')
      return tf.mul(tf.gather(values, indices, 1), tf.step(tf.add(partners, 1)))
    }
    const luma = seen(x, 'luma_of')
    const ofSecond = tf.mul<tf.Tensor2D>(luma, tf.step(tf.add(tensor('first_of'), 1)))
    const fromLuma = tf.add<tf.Tensor2D>(sloped(tf.sub(luma, ofSecond), x, h, w), sloped(ofSecond, x, h, w))
    const left = tf.sub<tf.Tensor2D>(x, tf.mul(fromLuma, lumaGain))
    const fromFirst = sloped(seen(left, 'first_of'), left, h, w)
    return {
      value: tf.stack([fromLuma, fromFirst]),
      gradFunc: () => tf.zerosLike(symbols as tf.Tensor4D),
    }
  })(known)
  const [fromLuma, fromFirst] = tf.unstack(foretold) as [tf.Tensor2D, tf.Tensor2D]
  return tf.reshape(tf.add(tf.mul(fromLuma, lumaGain), tf.mul(fromFirst, firstGain)), known.shape)
}

/** Weights to the scales from the hidden layers of predictMeans and predictIntra. */
const SCALES_OF_LAYERS = ['scale_hidden', 'scale_intra'] as const

/** Laplace scale of every symbol from residual symbols [1, h, w, 768], which carry no gradient here, and hidden layers. */
export function predictScales(
  tensor: TensorOf,
  config: CodecConfig,
  residuals: tf.Tensor4D,
  hidden: readonly tf.Tensor2D[],
  quality: number,
): tf.Tensor4D {
  const [, h, w] = residuals.shape
  const magnitude = tf.minimum<tf.Tensor4D>(tf.abs(residuals), MAGNITUDE_CAP)
  const same = tensor('scale_same') as tf.Tensor2D
  const d = config.contextDense
  const mask = tf.tensor2d(causalMask(d), [d, LATENTS])
  const dense = tf.matMul(
    flat(tf.slice(magnitude, [0, 0, 0, 0], [1, h, w, d])),
    tf.mul<tf.Tensor2D>(tensor('scale_dense'), mask),
  )
  const features = tf.relu<tf.Tensor2D>(tf.matMul(flat(magnitude), tensor('feature')))
  const grid: tf.Tensor4D = tf.reshape(features, [1, h, w, config.contextFeatures])
  const seen = tf.concat(neighbours(grid).map(flat), 1)
  let sum = tf.add<tf.Tensor2D>(dense, tf.matMul(seen, tensor('scale_feature')))
  neighbours(magnitude).forEach((near, tap) => {
    sum = tf.add(sum, tf.mul(flat(near), tf.slice(same, [tap, 0], [1, LATENTS])))
  })
  hidden.forEach((layer, i) => {
    const foreseen = tf.minimum<tf.Tensor2D>(layer, MAGNITUDE_CAP)
    sum = tf.add(sum, tf.matMul(foreseen, tensor(SCALES_OF_LAYERS[i]!)))
  })
  if (config.stageHidden !== undefined) sum = tf.add(sum, stagesOf(tensor, flat(magnitude), seen))
  sum = tf.add(sum, rowAt(tensor('scale_bias'), quality))
  return tf.reshape(tf.add(tf.softplus(sum), SCALE_FLOOR), [1, h, w, LATENTS])
}

/**
 * What magnitudes [positions, 768] and features of the neighbours [positions, 4 * features] say of the scales of later
 * channels, [positions, 768] (codec/scale-stages.ts).
 */
function stagesOf(tensor: TensorOf, magnitude: tf.Tensor2D, seen: tf.Tensor2D): tf.Tensor2D {
  const positions = magnitude.shape[0]
  const sums = SCALE_STAGES.map((start, stage): tf.Tensor2D => {
    const inputs = tf.concat([tf.slice(magnitude, [0, 0], [positions, start]), seen], 1)
    const sum = tf.add<tf.Tensor2D>(
      product(inputs, tensor(`stage_in_${stage}`)),
      tensor(`stage_bias_${stage}`),
    )
    const layer = tf.minimum<tf.Tensor2D>(tf.relu(sum), MAGNITUDE_CAP)
    const out = tf.slice(tensor(`stage_out_${stage}`) as tf.Tensor2D, [0, start])
    return tf.pad(tf.matMul(layer, out), [
      [0, 0],
      [start, 0],
    ])
  })
  return tf.addN(sums)
}

function causalMask(dense: number): Float32Array {
  const mask = new Float32Array(dense * LATENTS)
  for (let row = 0; row < dense; row++) mask.fill(1, row * LATENTS + row + 1, (row + 1) * LATENTS)
  return mask
}

/** Passes values and stops gradients. */
export const stopGradient = tf.customGrad((x) => ({
  value: tf.clone(x as tf.Tensor),
  gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
}))

/** 1 where a value is below the limit, else 0; comparisons have no gradient of their own. */
function lessThan(limit: number): (x: tf.Tensor) => tf.Tensor {
  return tf.customGrad((x) => ({
    value: tf.cast(tf.less(x as tf.Tensor, limit), 'float32'),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }))
}

/** Bits of real symbols x under a zero-mean Laplace law of the given scale over unit bins, elementwise. */
export function laplaceBits(x: tf.Tensor4D, scale: tf.Tensor4D): tf.Tensor4D {
  const a = tf.abs(x)
  const inner = tf.minimum(a, 0.5)
  const outer = tf.maximum(tf.sub(a, 0.5), 0)
  const grow = tf.exp(tf.div(tf.sub(inner, 0.5), scale))
  const fall = tf.exp(tf.neg(tf.div(tf.add(inner, 0.5), scale)))
  const inside = tf.sub(1, tf.mul(0.5, tf.add(grow, fall)))
  const outside = tf.mul(
    tf.mul(tf.exp(tf.neg(tf.div(outer, scale))), 0.5),
    tf.sub(1, tf.exp(tf.div(-1, scale))),
  )
  const isInside = lessThan(0.5)(a)
  const p = tf.add(tf.mul(inside, isInside), tf.mul(outside, tf.sub(1, isInside)))
  // Far out the probability underflows while its logarithm is linear.
  const isLikely = tf.sub(1, lessThan(1e-6)(p))
  const near = tf.mul(tf.log(tf.maximum(p, 1e-6)), -1 / Math.LN2)
  const far = tf.minimum(tf.add(tf.div(outer, tf.mul(scale, Math.LN2)), 1), 400)
  return tf.add(tf.mul(near, isLikely), tf.mul(far, tf.sub(1, isLikely)))
}
