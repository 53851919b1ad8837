/**
 * Makes a model one in whole numbers: adds the units of its activations (codec/exact), from what its float32 synthesis
 * needs for procedural scenes at each knot of the quality tables.
 */
import * as tf from '@tensorflow/tfjs-core'
import { parseBitstream } from '../codec/bitstream'
import { createCodec } from '../codec/codec'
import { SYMBOL_UNIT } from '../codec/context-model'
import { activationChannels, mostOf, unitName } from '../codec/exact/whole-synthesis'
import { KNOTS, QUALITY_MAX } from '../codec/quality'
import { readSymbols } from '../codec/symbols'
import { synthesisAt, synthesize } from '../codec/transform'
import type { Codec, Effort, RasterImage } from '../codec/types'
import { BLOCK, type CodecConfig, type CodecWeights } from '../codec/weights'
import { opaque } from './opaque'
import { proceduralImage } from './procedural-images'

/** Bits beside the sign: with fewer, activations are coarse; with more, the weights are. */
export const ACTIVATION_BITS = 11
/** Pictures may go so far beyond what scenes need before they are clipped. */
const HEADROOM = 1.5
/** No channel has a range below this share of the largest of its activation: weights from a silent one would overflow. */
const LEAST_SHARE = 1 / 256
const SIDE = 384
const SEED = 9001

/** A picture of one tile as the synthesis takes it. */
export interface TilePicture {
  /** Blocks. */
  readonly width: number
  readonly height: number
  readonly channels: number
  /** In sixteenths of a step, [height, width, channels]. */
  readonly symbols: Int16Array
}

/** What the decoder finds for a picture of one tile and whole blocks. */
export async function tilePicture(
  codec: Codec,
  weights: CodecWeights,
  picture: RasterImage,
  quality: number,
  effort: Effort = 'fast',
): Promise<TilePicture> {
  const bitstream = await codec.encode(picture, { quality, effort })
  const bytes = await readSymbols(weights, parseBitstream(bitstream))
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const [width, height] = [picture.width / BLOCK, picture.height / BLOCK]
  const symbols = Int16Array.from({ length: (bytes.length - 2) / 2 }, (_, i) =>
    view.getInt16(2 + 2 * i, true),
  )
  return { width, height, channels: view.getUint16(0, true), symbols }
}

/** Channels of the activation were as large as this at most. */
type Ranges = Map<string, Float64Array>

async function rangesAt(
  weights: CodecWeights,
  quality: number,
  scenes: readonly RasterImage[],
): Promise<Ranges> {
  const channels = activationChannels(weights.config)
  const ranges: Ranges = new Map([...channels].map(([name, count]) => [name, new Float64Array(count)]))
  const watch = (name: string, x: tf.Tensor): void => {
    const range = ranges.get(name)!
    const most = tf.tidy(() => tf.max(tf.abs(tf.reshape(x, [-1, range.length])), 0).dataSync<'float32'>())
    most.forEach((value, c) => (range[c] = Math.max(range[c]!, value)))
  }
  const transform = synthesisAt(weights, quality)
  const codec = createCodec(weights)
  for (const scene of scenes) {
    const { width, height, channels, symbols } = await tilePicture(codec, weights, scene, quality)
    if (channels === 0) continue
    const steps = Float32Array.from(symbols, (symbol) => symbol / SYMBOL_UNIT)
    tf.tidy(() => {
      synthesize(transform, tf.tensor4d(steps, [1, height, width, channels]), watch)
    })
  }
  codec.dispose()
  transform.dispose()
  return ranges
}

/** The tensors to add, by name, each [KNOTS, channels]. */
export async function measureUnits(
  weights: CodecWeights,
  scenes: number,
  bits = ACTIVATION_BITS,
): Promise<Map<string, Float32Array>> {
  const channels = activationChannels(weights.config)
  const units = new Map(
    [...channels].map(([name, count]) => [unitName(name), new Float32Array(KNOTS * count)]),
  )
  const pictures = Array.from({ length: scenes }, (_, i) =>
    opaque(proceduralImage(SEED + i, SIDE, SIDE), SIDE),
  )
  for (let knot = 0; knot < KNOTS; knot++) {
    const quality = Math.round(QUALITY_MAX * (1 - knot / (KNOTS - 1)))
    for (const [name, range] of await rangesAt(weights, quality, pictures)) {
      const least = LEAST_SHARE * range.reduce((most, value) => Math.max(most, value), 0)
      units.get(unitName(name))!.set(
        range.map((value) => (Math.max(value, least) * HEADROOM) / mostOf(bits)),
        knot * range.length,
      )
    }
  }
  return units
}

/** The same model in whole numbers. */
export function inWholeNumbers(
  { config, tensors, ...rest }: CodecWeights,
  units: ReadonlyMap<string, Float32Array>,
  bits = ACTIVATION_BITS,
): CodecWeights {
  return {
    ...rest,
    config: { ...config, wholeActivationBits: bits },
    tensors: new Map([...tensors, ...units]),
  }
}

/** The same model with its synthesis in float32. */
export function inFloat32({ config, ...rest }: CodecWeights): CodecWeights {
  const floats: { -readonly [name in keyof CodecConfig]?: number } = { ...config }
  delete floats.wholeActivationBits
  return { ...rest, config: floats as CodecConfig }
}
