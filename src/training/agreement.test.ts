/**
 * The training graph against the PyTorch mirror, on vectors that models/training/agreement.py wrote: latents, restored
 * pixels, rate, distortion, loss, and the gradient of every parameter. Both sum in float32, in other orders.
 */
import * as tf from '@tensorflow/tfjs-core'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readBlocks } from '../codec/blocks'
import { QUALITY_MAX, KNOTS } from '../codec/quality'
import { EDGES, INTRA_CHANNELS } from '../codec/intra-prediction'
import { analyze, synthesize } from '../codec/transform'
import { BLOCK, LATENTS, type CodecConfig } from '../codec/weights'
import { readyBackend } from './backend'
import { lumaEdges } from './block-transform'
import { opaque } from './opaque'
import { addToFirst, lossAndGradients, rateDistortion, type Sample } from './loss'
import { chromaPartners, FIXED, parameterShapes, type Parameter, type Parameters } from './parameters'
import { SMOKE_CONFIG, type TrainConfig } from './train-config'
import { trainableTransform, type TensorOf } from './trainable-transform'

/** Some values of an array, and its Euclidean norm. */
interface Picked {
  readonly at: readonly number[]
  readonly values: readonly number[]
  readonly norm: number
}

interface Case {
  readonly bits: number
  readonly error: number
  readonly loss: number
  readonly gradients: Readonly<Record<string, Picked>>
}

interface Vectors {
  readonly config: CodecConfig
  readonly across: number
  readonly knotPosition: number
  readonly deadzone: number
  readonly lagrange: number
  readonly imageSeed: number
  readonly noiseSeed: number
  readonly tensors: readonly {
    readonly name: string
    readonly shape: readonly number[]
    readonly seed: number
    readonly centre: number
    readonly spread: number
  }[]
  readonly latents: Picked
  /** From latents rounded, [12, 12, 48] quarters. */
  readonly restored: Picked
  readonly cases: Readonly<Record<'noisy' | 'rounded', Case>>
}

const vectors = JSON.parse(
  readFileSync(new URL('vectors/agreement.json', import.meta.url), 'utf8'),
) as Vectors

/** Of a gradient's norm, and of a value. */
const TOLERANCE = 2e-5

/** 32-bit hash of a seed and an index, as in agreement.py. */
function word(seed: number, index: number): number {
  let z = (Math.imul(index, 0x9e3779b9) + Math.imul(seed, 0x85ebca6b) + 1) >>> 0
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad) >>> 0
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97) >>> 0
  return (z ^ (z >>> 15)) >>> 0
}

const uniform = (seed: number, index: number): number => word(seed, index) / 2 ** 31 - 1

const side = vectors.across * BLOCK
const config: TrainConfig = { ...SMOKE_CONFIG, ...vectors, codec: vectors.config, size: side }
const sample: Sample = {
  quality: QUALITY_MAX * (1 - vectors.knotPosition / (KNOTS - 1)),
  rgb: Uint8Array.from({ length: 3 * side * side }, (_, i) => {
    const x = Math.floor(i / 3) % side
    return 40 + 2 * x + (word(vectors.imageSeed, i) >>> 26)
  }),
  noise: null,
}
const noise = Float32Array.from(
  { length: vectors.across ** 2 * LATENTS },
  (_, i) => uniform(vectors.noiseSeed, i) / 2,
)
const samples = { rounded: sample, noisy: { ...sample, noise } }

const drawn = new Map<string, Parameter>(
  vectors.tensors.map(({ name, shape, seed, centre, spread }) => {
    const length = shape.reduce((a, b) => a * b, 1)
    const values = Float32Array.from({ length }, (_, i) => centre + spread * uniform(seed, i))
    return [name, { name, shape, values }]
  }),
)
const give = (name: string, shape: readonly number[], values: ArrayLike<number>): unknown =>
  drawn.set(name, { name, shape, values: Float32Array.from(values) })
// The mirror's latents stand in the order of the block transform.
const channels = Int32Array.from({ length: LATENTS }, (_, i) => i)
for (const [name, values] of Object.entries(chromaPartners(channels))) give(name, [LATENTS], values)
give('intra_edges', [INTRA_CHANNELS, EDGES], lumaEdges(channels.subarray(0, INTRA_CHANNELS)))
const parameters: Parameters = parameterShapes(config.codec).map(([name]) => drawn.get(name)!)
const trained = parameters.filter(({ name }) => !FIXED.has(name))

const tensorOf: TensorOf = (name) => {
  const { values, shape } = drawn.get(name)!
  return tf.tensor(values, shape as number[])
}

/** Largest difference from the picked values, and of the norms, as a share of the norm. */
function distance(values: Float32Array, picked: Picked): number {
  const norm = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0))
  const worst = picked.at.reduce(
    (most, at, i) => Math.max(most, Math.abs(values[at]! - picked.values[i]!)),
    0,
  )
  return Math.max(worst, Math.abs(norm - picked.norm)) / picked.norm
}

beforeAll(() => readyBackend('wasm'))

describe('the training graph and its PyTorch mirror', () => {
  it('have the same parameters in the same shapes', () => {
    const shapes = vectors.tensors.map(({ name, shape }) => [name, shape])
    expect(Object.fromEntries(shapes)).toEqual(
      Object.fromEntries(trained.map(({ name, shape }) => [name, shape])),
    )
  })

  it('analyze to the same latents, and restore the same pixels from them rounded', () => {
    const { across } = vectors
    const pixels = readBlocks(opaque(sample.rgb, side), 0, { x: 0, y: 0, width: across, height: across })
    const [latents, restored] = tf.tidy(() => {
      const transform = trainableTransform(tensorOf, config.codec, sample.quality)
      const blocks = tf.tensor4d(pixels, [1, across, across, LATENTS])
      const y = addToFirst(...analyze(transform, blocks))
      return [y, synthesize(transform, tf.round(y))].map((t) => t.dataSync() as Float32Array)
    }) as [Float32Array, Float32Array]
    expect(distance(latents, vectors.latents)).toBeLessThan(1e-6)
    expect(distance(restored, vectors.restored)).toBeLessThan(1e-6)
  })

  it.each(['noisy', 'rounded'] as const)(
    'agree on rate, distortion, loss and gradients, %s',
    async (name) => {
      const expected = vectors.cases[name]
      const { bits, error } = tf.tidy(() => {
        const found = rateDistortion(tensorOf, config, samples[name])
        return { bits: found.bits.dataSync()[0]!, error: found.error.dataSync()[0]! }
      })
      expect(Math.abs(bits / expected.bits - 1)).toBeLessThan(1e-5)
      expect(Math.abs(error / expected.error - 1)).toBeLessThan(1e-5)
      const { loss, gradients } = await lossAndGradients(parameters, config, samples[name])
      expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(1e-5)
      const apart = trained.map(
        (p) => [p.name, distance(gradients[parameters.indexOf(p)]!, expected.gradients[p.name]!)] as const,
      )
      expect(apart.filter(([, share]) => !(share < TOLERANCE))).toEqual([])
    },
  )
})
