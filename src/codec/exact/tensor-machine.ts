/**
 * The synthesis in whole numbers on TensorFlow.js, in float32 tensors that hold them exactly. A sum of magnitudes is below
 * 2^24, so whatever order a backend adds in, and with or without fused multiplication, the bits are the same.
 */
import * as tf from '@tensorflow/tfjs-core'
import { powerOfTwo } from '../../lib/exact-exp'
import type { BlockRegion } from '../blocks'
import { QUARTER } from '../folded'
import { toQuarters } from '../transform'
import {
  FINE_BITS,
  PIXEL_BITS,
  PIXEL_MOST,
  SEEN_MOST,
  SEEN_SHIFT,
  type WholeFilter,
  type WholeLayer,
  type WholeMachine,
  type WholeSynthesis,
} from './layers'

interface LayerTensors {
  readonly filter: tf.Tensor4D
  readonly bias: tf.Tensor1D
  /** 2^-shift by column. */
  readonly scale: tf.Tensor1D
  readonly isDepthwise: boolean
}

interface SynthesisTensors {
  readonly most: number
  readonly linear: LayerTensors
  readonly linearFiner: tf.Tensor4D
  readonly first: LayerTensors
  readonly blocks: readonly Record<'depthwise' | 'expand' | 'project', LayerTensors>[]
  readonly features: LayerTensors
  readonly renderPixels: LayerTensors
  readonly renderFeatures: tf.Tensor4D
  readonly finish: LayerTensors
  /** First rows of pointwise filters by what they are and how many, cut once each. */
  readonly cut: Map<string, tf.Tensor4D>
}

function filterOf({ taps, rows, columns, weights }: WholeFilter): tf.Tensor4D {
  const side = taps === 9 ? 3 : 1
  const isDepthwise = rows === 1
  return tf.tensor4d(
    Float32Array.from(weights),
    isDepthwise ? [side, side, columns, 1] : [side, side, rows, columns],
  )
}

function layerOf(layer: WholeLayer): LayerTensors {
  return {
    filter: filterOf(layer),
    bias: tf.tensor1d(Float32Array.from(layer.bias)),
    scale: tf.tensor1d(Float32Array.from(layer.shift, (shift) => powerOfTwo(-shift))),
    isDepthwise: layer.rows === 1,
  }
}

function tensorsOf(whole: WholeSynthesis): SynthesisTensors {
  return {
    most: whole.most,
    linear: layerOf(whole.linear),
    linearFiner: filterOf(whole.linearFiner),
    first: layerOf(whole.first),
    blocks: whole.blocks.map(({ depthwise, expand, project }) => ({
      depthwise: layerOf(depthwise),
      expand: layerOf(expand),
      project: layerOf(project),
    })),
    features: layerOf(whole.features),
    renderPixels: layerOf(whole.renderPixels),
    renderFeatures: filterOf(whole.renderFeatures),
    finish: layerOf(whole.finish),
    cut: new Map(),
  }
}

function firstRows(
  { cut }: SynthesisTensors,
  name: 'linear' | 'finer' | 'first',
  filter: tf.Tensor4D,
  count: number,
): tf.Tensor4D {
  const [, , rows, columns] = filter.shape
  if (count === rows) return filter
  const key = `${name} ${count}`
  const found = cut.get(key) ?? tf.keep(tf.slice(filter, [0, 0, 0, 0], [1, 1, count, columns]))
  cut.set(key, found)
  return found
}

function firstChannels(x: tf.Tensor4D, count: number): tf.Tensor4D {
  const [n, h, w, channels] = x.shape
  return channels <= count ? x : tf.slice(x, [0, 0, 0, 0], [n, h, w, count])
}

/** floor(x * scale) */
const shifted = (x: tf.Tensor4D, scale: tf.Tensor | number): tf.Tensor4D =>
  tf.floor(tf.mul<tf.Tensor4D>(x, scale))

const sumOf = (x: tf.Tensor4D, { filter, bias, isDepthwise }: LayerTensors): tf.Tensor4D => {
  const options = { x, filter, bias, strides: 1, pad: 'same' } as const
  return isDepthwise ? tf.fused.depthwiseConv2d(options) : tf.fused.conv2d(options)
}

const applied = (x: tf.Tensor4D, layer: LayerTensors): tf.Tensor4D => shifted(sumOf(x, layer), layer.scale)

/** Symbols [1, h, w, channels] -> pixels by quarter in 1/32 grey level. */
function linearPixels(t: SynthesisTensors, symbols: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const channels = symbols.shape[3]
    const finer = tf.conv2d(symbols, firstRows(t, 'finer', t.linearFiner, channels), 1, 'valid')
    const carried = shifted(tf.add(finer, 1 << (FINE_BITS - 1)), powerOfTwo(-FINE_BITS))
    const filter = firstRows(t, 'linear', t.linear.filter, channels)
    const sum = tf.add<tf.Tensor4D>(sumOf(symbols, { ...t.linear, filter }), carried)
    return toQuarters(tf.clipByValue(shifted(sum, t.linear.scale), -PIXEL_MOST, PIXEL_MOST), QUARTER)
  })
}

/** Features by quarter of a window. */
function featuresOf(
  t: SynthesisTensors,
  symbols: tf.Tensor4D,
  { x, y, width, height }: BlockRegion,
): tf.Tensor4D {
  const { most } = t
  return tf.tidy(() => {
    const seen = firstChannels(symbols, t.first.filter.shape[2])
    const filter = firstRows(t, 'first', t.first.filter, seen.shape[3])
    const first = tf.clipByValue(applied(seen, { ...t.first, filter }), 0, most)
    const trunk = t.blocks.reduce<tf.Tensor4D>(
      (from, { depthwise, expand, project }) =>
        tf.tidy(() => {
          const spread = tf.clipByValue(applied(from, depthwise), -most, most)
          const hidden = tf.clipByValue(applied(spread, expand), 0, most)
          return tf.clipByValue(tf.add<tf.Tensor4D>(from, applied(hidden, project)), -most, most)
        }),
      first,
    )
    const isWhole = trunk.shape[1] === height && trunk.shape[2] === width
    const inside = isWhole ? trunk : tf.slice(trunk, [0, y, x, 0], [1, height, width, trunk.shape[3]])
    const features = tf.clipByValue(applied(inside, t.features), -most, most)
    return toQuarters(features, features.shape[3] / 16)
  })
}

function drawn(t: SynthesisTensors, pixels: tf.Tensor4D, features: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const half = tf.add<tf.Tensor4D>(pixels, 1 << (SEEN_SHIFT - 1))
    const seen = tf.clipByValue(shifted(half, powerOfTwo(-SEEN_SHIFT)), -SEEN_MOST, SEEN_MOST)
    const ofFeatures = tf.conv2d(features, t.renderFeatures, 1, 'same')
    const sum = tf.add<tf.Tensor4D>(sumOf(seen, t.renderPixels), ofFeatures)
    return tf.clipByValue(shifted(sum, t.renderPixels.scale), 0, t.most)
  })
}

function finished(t: SynthesisTensors, pixels: tf.Tensor4D, of: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() =>
    tf.clipByValue(tf.add<tf.Tensor4D>(pixels, applied(of, t.finish)), -PIXEL_MOST, PIXEL_MOST),
  )
}

function restored(
  t: SynthesisTensors,
  region: tf.Tensor4D,
  { x, y, width, height }: BlockRegion,
  detail: 'full' | 'quick',
): tf.Tensor4D {
  return tf.tidy(() => {
    const isWhole = region.shape[1] === height && region.shape[2] === width
    const window = isWhole ? region : tf.slice(region, [0, y, x, 0], [1, height, width, region.shape[3]])
    const linear = linearPixels(t, window)
    const pixels =
      detail === 'quick'
        ? linear
        : finished(t, linear, drawn(t, linear, featuresOf(t, region, { x, y, width, height })))
    return shifted(tf.add(pixels, 1 << (PIXEL_BITS - 1)), powerOfTwo(-PIXEL_BITS))
  })
}

function disposeOf({ cut, ...tensors }: SynthesisTensors): void {
  tf.dispose([...cut.values()])
  tf.dispose(tensors as unknown as tf.TensorContainer)
}

/** Runs on the backend that is set. */
export function createTensorMachine(): WholeMachine {
  let current: { readonly synthesis: WholeSynthesis; readonly tensors: SynthesisTensors } | null = null
  const drop = (): void => {
    if (current !== null) disposeOf(current.tensors)
    current = null
  }
  return {
    use(synthesis) {
      if (current?.synthesis === synthesis) return
      drop()
      current = { synthesis, tensors: tensorsOf(synthesis) }
    },
    async restore(symbols, { width, height }, window, detail) {
      if (current === null) throw new Error('No synthesis is in use.')
      const { tensors } = current
      const levels = tf.tidy(() => {
        const shape: [number, number, number, number] = [1, height, width, symbols.length / (width * height)]
        return restored(tensors, tf.tensor4d(Float32Array.from(symbols), shape), window, detail)
      })
      try {
        return new Int16Array((await levels.data()) as Float32Array)
      } finally {
        levels.dispose()
      }
    },
    dispose: drop,
  }
}
