/**
 * The synthesis in whole numbers: every product, sum and activation is an integer below 2^24 in magnitude, which float32
 * holds exactly, so that every backend must give the same pixels in whatever order it sums.
 *
 * An activation is a whole number of units, one unit per channel, clipped to its bits. Weights are rounded so that a sum
 * has a finer unit, by a power of two, and no sum can pass 2^24: by the largest inputs that clipping leaves, or, for
 * symbols, by the largest energy of a block (Cauchy and Schwarz). Sums go to the next layer by floor(sum * 2^-k + 1/2).
 */
import * as tf from '@tensorflow/tfjs-core'
import { SYMBOL_UNIT } from '../codec/context-model'
import type { QualityTransform } from '../codec/transform'
import { BLOCK, LATENTS } from '../codec/weights'

type Tensor = tf.Tensor4D
const QUARTER = 48
/** Sums of a layer stay below; the rest is left for what finer weights add. */
const LIMIT = 2 ** 24 - 2 ** 18
/** Pixels are whole numbers of 1/32 grey level, and of 1/2 where the renderer reads them. */
const PIXEL_UNIT = 1 / 32
const SEEN_UNIT = 1 / 2
const PIXEL_MOST = 512 / PIXEL_UNIT
const SEEN_MOST = 192 / SEEN_UNIT
/** Pictures may go so far beyond the ranges that were seen. */
const HEADROOM = 1.5
/**
 * The first channels carry most of a picture, its brightness above all: what rounding takes from their weights is added
 * back by a second filter, so many bits finer.
 */
const FINE_CHANNELS = 64
const FINE_BITS = 6
/** No block of a picture has more energy, with a tenth for what quantization adds: 128 grey levels in every value. */
export const BLOCK_NORM = 1.1 * 128 * Math.sqrt(3) * BLOCK

/** The synthesis, without saying in which numbers. Tensors as in codec/transform. */
export interface Arithmetic {
  readonly blocks: number
  linear(symbols: Tensor): Tensor
  first(symbols: Tensor): Tensor
  depthwise(block: number, x: Tensor): Tensor
  expand(block: number, x: Tensor): Tensor
  project(block: number, x: Tensor, hidden: Tensor): Tensor
  features(x: Tensor): Tensor
  render(pixels: Tensor, features: Tensor): Tensor
  finish(drawn: Tensor, pixels: Tensor): Tensor
}

/** Symbols [1, h, w, channels] -> pixels [1, 4h, 4w, 48] less 128. */
export function synthesizeIn(a: Arithmetic, symbols: Tensor): Tensor {
  return tf.tidy(() => {
    const pixels = toQuarters(a.linear(symbols))
    let hidden = a.first(symbols)
    for (let n = 0; n < a.blocks; n++) hidden = a.project(n, a.expand(n, a.depthwise(n, hidden)), hidden)
    return a.finish(a.render(pixels, toQuarters(a.features(hidden))), pixels)
  })
}

function toQuarters(x: Tensor): Tensor {
  const [, h, w, channels] = x.shape
  const rows = tf.reshape(x, [h, w, 4, channels / 4])
  return tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [1, 4 * h, 4 * w, channels / 16])
}

const firstChannels = (x: Tensor, count: number): Tensor =>
  x.shape[3] <= count ? x : tf.slice(x, [0, 0, 0, 0], [x.shape[0], x.shape[1], x.shape[2], count])
const firstRows = (w: Tensor, count: number): Tensor => tf.slice(w, [0, 0, 0, 0], [1, 1, count, w.shape[3]])

interface FloatLayer {
  readonly weight: Tensor
  readonly bias: tf.Tensor1D
}

/** The float32 synthesis, told of every activation that the integer one will clip. */
export function floatArithmetic(t: QualityTransform, see: (name: string, x: Tensor) => void): Arithmetic {
  const conv = (x: Tensor, { weight: filter, bias }: FloatLayer, activation: 'linear' | 'relu' = 'linear') =>
    tf.fused.conv2d({ x, filter, strides: 1, pad: 'same', bias, activation })
  const seen = (name: string, x: Tensor): Tensor => {
    see(name, x)
    return x
  }
  return {
    blocks: t.synthesisBlocks.length,
    linear: (x) => tf.conv2d(x, firstRows(t.synthesisLinear, x.shape[3]), 1, 'valid'),
    first(x) {
      const visible = firstChannels(x, t.synthesisIn.weight.shape[2])
      const weight = firstRows(t.synthesisIn.weight, visible.shape[3])
      return seen('hidden', conv(visible, { weight, bias: t.synthesisIn.bias }, 'relu'))
    },
    depthwise(n, x) {
      const { weight: filter, bias } = t.synthesisBlocks[n]!.depthwise
      return seen(`depthwise${n}`, tf.fused.depthwiseConv2d({ x, filter, strides: 1, pad: 'same', bias }))
    },
    expand: (n, x) => seen(`expand${n}`, conv(x, t.synthesisBlocks[n]!.expand, 'relu')),
    project: (n, x, hidden) => seen('hidden', tf.add(hidden, conv(x, t.synthesisBlocks[n]!.project))),
    features(x) {
      const features = conv(x, t.synthesisOut)
      const each = t.renderFeatures.weight.shape[2]
      see('features', tf.reshape(features, [1, -1, 16, each]))
      return features
    },
    render: (pixels, features) =>
      seen(
        'drawn',
        tf.relu(tf.add(tf.conv2d(pixels, t.renderPixels, 1, 'same'), conv(features, t.renderFeatures))),
      ),
    finish: (drawn, pixels) => tf.add(pixels, conv(drawn, t.renderOut)),
  }
}

/** Largest magnitude of every channel of every activation. */
export type Ranges = Map<string, Float32Array>

export function rangesOf(t: QualityTransform, pictures: readonly Tensor[]): Ranges {
  const ranges: Ranges = new Map()
  const arithmetic = floatArithmetic(t, (name, x) => {
    const most = tf.tidy(() => tf.max(tf.abs(tf.reshape(x, [-1, x.shape[3]])), 0).dataSync<'float32'>())
    const known = ranges.get(name) ?? new Float32Array(most.length)
    ranges.set(
      name,
      known.map((value, c) => Math.max(value, most[c]!)),
    )
  })
  for (const symbols of pictures) synthesizeIn(arithmetic, symbols).dispose()
  return ranges
}

/** Inputs of a layer: units by channel and the largest whole number; for symbols, the weights of their energy instead. */
interface Inputs {
  readonly units: Float64Array
  readonly most: number
  readonly energy?: Float64Array
}

interface Filter {
  /** [taps, rows, columns]; `each` where a row meets its own column alone. */
  readonly values: Float32Array
  readonly rows: number
  readonly each?: boolean
  /** Rows of so many kinds have one mean each, as colours do: rounding keeps the sum of their weights. */
  readonly alike?: number
  readonly inputs: Inputs
  readonly shape: [number, number, number, number]
}

interface IntegerLayer {
  readonly filters: Tensor[]
  /** Depthwise. */
  readonly each: boolean
  /** With the half that rounding adds. */
  readonly bias: tf.Tensor1D
  /** 2^-k by column. */
  readonly shift: tf.Tensor1D
}

/** Whole weights of one column in a unit of its sums, in the order of the filter, and the largest sum they can give. */
function wholeColumn(
  { values, rows, each = false, alike = 0, inputs }: Filter,
  columns: number,
  column: number,
  unit: number,
): { readonly weights: Float32Array; readonly most: number } {
  const weights = new Float32Array(values.length / columns)
  const carried = new Float64Array(alike)
  let [sum, squares] = [0, 0]
  for (let i = 0; i < weights.length; i++) {
    const row = each ? column : i % rows
    const kind = alike === 0 ? 0 : i % alike
    const exact = (values[i * columns + column]! * inputs.units[row]!) / unit + (carried[kind] ?? 0)
    const weight = Math.round(exact)
    if (alike > 0) carried[kind] = exact - weight
    weights[i] = weight
    if (inputs.energy === undefined) sum += Math.abs(weight) * inputs.most
    else squares += (weight / inputs.energy[row]!) ** 2
  }
  return { weights, most: sum + Math.sqrt(squares) * BLOCK_NORM * SYMBOL_UNIT }
}

/** Whole weights for outputs in given units, as fine as 2^24 allows; `sumUnits` takes the units of the sums. */
function integerLayer(
  filters: readonly Filter[],
  bias: Float32Array,
  outUnits: Float64Array,
  sumUnits = new Float64Array(bias.length),
): IntegerLayer {
  const columns = bias.length
  const whole = filters.map(({ values }) => new Float32Array(values.length))
  const wholeBias = new Float32Array(columns)
  const shift = new Float32Array(columns)
  for (let c = 0; c < columns; c++)
    for (let k = 22; shift[c] === 0; k--) {
      const unit = outUnits[c]! * 2 ** -k
      const half = k > 0 ? 2 ** (k - 1) : 0
      const ofBias = Math.round(bias[c]! / unit)
      const parts = filters.map((filter) => wholeColumn(filter, columns, c, unit))
      if (parts.reduce((sum, { most }) => sum + most, Math.abs(ofBias) + half) >= LIMIT) continue
      for (const [i, { weights }] of parts.entries())
        weights.forEach((weight, at) => (whole[i]![at * columns + c] = weight))
      wholeBias[c] = ofBias + half
      shift[c] = 2 ** -k
      sumUnits[c] = unit
    }
  return {
    each: filters.some(({ each }) => each === true),
    filters: filters.map(({ shape }, i) => tf.tensor4d(whole[i]!, shape)),
    bias: tf.tensor1d(wholeBias),
    shift: tf.tensor1d(shift),
  }
}

/** What rounding took from the first rows of a filter of symbols, for sums in units of the filter's own. */
function finerLayer({ values, inputs }: Filter, sumUnits: Float64Array): IntegerLayer {
  const columns = sumUnits.length
  const finer = new Float32Array(FINE_CHANNELS * columns)
  for (let c = 0; c < columns; c++) {
    let squares = 0
    for (let row = 0; row < FINE_CHANNELS; row++) {
      const exact = (values[row * columns + c]! * inputs.units[row]!) / sumUnits[c]!
      const weight = Math.round((exact - Math.round(exact)) * 2 ** FINE_BITS)
      finer[row * columns + c] = weight
      squares += (weight / inputs.energy![row]!) ** 2
    }
    if (Math.sqrt(squares) * BLOCK_NORM * SYMBOL_UNIT >= LIMIT)
      throw new RangeError('Finer weights are too many.')
  }
  return {
    each: false,
    filters: [tf.tensor4d(finer, [1, 1, FINE_CHANNELS, columns])],
    bias: tf.fill([columns], 2 ** (FINE_BITS - 1)),
    shift: tf.fill([columns], 2 ** -FINE_BITS),
  }
}

export interface IntegerSynthesis extends Arithmetic {
  /** Symbols in sixteenths are within the energy that the sums allow for. */
  fits(symbols: Int16Array | Float32Array, channels: number): boolean
  /** The largest sum of magnitudes in any layer over these symbols: what float32 must hold whatever the order. */
  largestSum(symbols: Tensor): number
  dispose(): void
}

/** Symbols are given in sixteenths; pixels come back in whole grey levels. `bits` is what activations are clipped to. */
export async function integerArithmetic(
  t: QualityTransform,
  ranges: Ranges,
  bits: number,
): Promise<IntegerSynthesis> {
  const data = async (x: tf.Tensor): Promise<Float32Array> => (await x.data()) as Float32Array
  const most = 2 ** bits - 1
  const units = (name: string): Float64Array =>
    Float64Array.from(ranges.get(name)!, (range) => (Math.max(range, 1e-3) * HEADROOM) / most)
  const inputs = (name: string): Inputs => ({ units: units(name), most })
  const linear = await data(t.synthesisLinear)
  const energy = Float64Array.from({ length: LATENTS }, (_, r) =>
    Math.sqrt(linear.subarray(r * LATENTS, (r + 1) * LATENTS).reduce((sum, w) => sum + w * w, 0)),
  )
  const symbols: Inputs = { units: new Float64Array(LATENTS).fill(1 / SYMBOL_UNIT), most: 0, energy }
  const layers: IntegerLayer[] = []
  const add = (layer: IntegerLayer): IntegerLayer => {
    layers.push(layer)
    return layer
  }
  const filter = async (weight: Tensor, from: Inputs, each = false): Promise<Filter> => ({
    values: await data(weight),
    rows: weight.shape[2],
    each,
    inputs: from,
    shape: weight.shape,
  })
  const layer = async ({ weight, bias }: FloatLayer, from: Inputs, out: Float64Array, each = false) =>
    add(integerLayer([await filter(weight, from, each)], await data(bias), out))

  const pixelUnits = new Float64Array(LATENTS).fill(PIXEL_UNIT)
  const linearFilter = await filter(t.synthesisLinear, symbols)
  const linearUnits = new Float64Array(LATENTS)
  const linearLayer = add(integerLayer([linearFilter], new Float32Array(LATENTS), pixelUnits, linearUnits))
  const linearFiner = add(finerLayer(linearFilter, linearUnits))
  const first = await layer(t.synthesisIn, symbols, units('hidden'))
  const blocks: Record<'depthwise' | 'expand' | 'project', IntegerLayer>[] = []
  for (const [n, { depthwise, expand, project }] of t.synthesisBlocks.entries())
    blocks.push({
      depthwise: await layer(depthwise, inputs('hidden'), units(`depthwise${n}`), true),
      expand: await layer(expand, inputs(`depthwise${n}`), units(`expand${n}`)),
      project: await layer(project, inputs(`expand${n}`), units('hidden')),
    })
  const featureUnits = units('features')
  const sixteenTimes = Float64Array.from(
    { length: 16 * featureUnits.length },
    (_, i) => featureUnits[i % featureUnits.length]!,
  )
  const features = await layer(t.synthesisOut, inputs('hidden'), sixteenTimes)
  const seenPixels: Inputs = { units: new Float64Array(QUARTER).fill(SEEN_UNIT), most: SEEN_MOST }
  const render = add(
    integerLayer(
      [
        { ...(await filter(t.renderPixels, seenPixels)), alike: 3 },
        await filter(t.renderFeatures.weight, inputs('features')),
      ],
      await data(t.renderFeatures.bias),
      units('drawn'),
    ),
  )
  const last = await layer(t.renderOut, inputs('drawn'), pixelUnits.subarray(0, QUARTER))
  const cut = new Map<string, Tensor>()
  /** Rows for the channels that there are, cut once. */
  const cutRows = (from: IntegerLayer, name: string, count: number): IntegerLayer => {
    const key = `${name}${count}`
    const found = cut.get(key) ?? tf.keep(firstRows(from.filters[0]!, count))
    cut.set(key, found)
    return { ...from, filters: [found] }
  }

  let largest = 0
  let watching = false
  /** The sum of a layer over its inputs, one for each filter. */
  const sumOf = ({ filters, bias, each }: IntegerLayer, ...inputs: readonly Tensor[]): Tensor => {
    const add = (of: (x: Tensor) => Tensor, ofBias: tf.Tensor1D): Tensor =>
      inputs
        .map((input, i) => {
          const options = { x: of(input), filter: of(filters[i]!), strides: 1, pad: 'same' } as const
          const given = i === 0 ? { ...options, bias: ofBias } : options
          return each ? tf.fused.depthwiseConv2d(given) : tf.fused.conv2d(given)
        })
        .reduce((sum, part) => tf.add<Tensor>(sum, part))
    if (watching) {
      const most = tf.tidy(() => tf.max(add((x) => tf.abs(x), tf.abs(bias))).dataSync()[0]!)
      largest = Math.max(largest, most)
    }
    return add((x) => x, bias)
  }
  const rescaled = (layer: IntegerLayer, ...inputs: readonly Tensor[]): Tensor =>
    tf.floor(tf.mul<Tensor>(sumOf(layer, ...inputs), layer.shift))

  const whole: IntegerSynthesis = {
    blocks: blocks.length,
    linear(x) {
      const coarse = firstChannels(x, FINE_CHANNELS)
      const finer = rescaled(cutRows(linearFiner, 'finer', coarse.shape[3]), coarse)
      const sum = tf.add<Tensor>(sumOf(cutRows(linearLayer, 'linear', x.shape[3]), x), finer)
      return tf.clipByValue(tf.floor(tf.mul<Tensor>(sum, linearLayer.shift)), -PIXEL_MOST, PIXEL_MOST)
    },
    first(x) {
      const visible = firstChannels(x, t.synthesisIn.weight.shape[2])
      return tf.clipByValue(rescaled(cutRows(first, 'first', visible.shape[3]), visible), 0, most)
    },
    depthwise: (n, x) => tf.clipByValue(rescaled(blocks[n]!.depthwise, x), -most, most),
    expand: (n, x) => tf.clipByValue(rescaled(blocks[n]!.expand, x), 0, most),
    project: (n, x, hidden) =>
      tf.clipByValue(tf.add<Tensor>(hidden, rescaled(blocks[n]!.project, x)), -most, most),
    features: (x) => tf.clipByValue(rescaled(features, x), -most, most),
    render(pixels, f) {
      const half = tf.add<Tensor>(tf.mul(pixels, PIXEL_UNIT / SEEN_UNIT), 0.5)
      const seen = tf.clipByValue(tf.floor(half), -SEEN_MOST, SEEN_MOST)
      return tf.clipByValue(rescaled(render, seen, f), 0, most)
    },
    finish(drawn, pixels) {
      const fine = tf.add<Tensor>(pixels, rescaled(last, drawn))
      return tf.floor(tf.add(tf.mul(fine, PIXEL_UNIT), 0.5))
    },
    fits(values, channels) {
      const limit = (BLOCK_NORM * SYMBOL_UNIT) ** 2
      for (let at = 0; at < values.length; at += channels) {
        let sum = 0
        for (let c = 0; c < channels; c++) sum += (values[at + c]! * energy[c]!) ** 2
        if (sum > limit) return false
      }
      return true
    },
    largestSum(input) {
      largest = 0
      watching = true
      synthesizeIn(whole, input).dispose()
      watching = false
      return largest
    },
    dispose() {
      tf.dispose([
        ...cut.values(),
        ...layers.flatMap(({ filters, bias, shift }) => [...filters, bias, shift]),
      ])
    },
  }
  return whole
}
