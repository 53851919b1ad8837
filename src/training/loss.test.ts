import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { readBlocks } from '../codec/blocks'
import { laplaceMagnitudes } from '../codec/entropy-tables'
import { EDGE_DEPTH, EDGES } from '../codec/intra-prediction'
import { stepOf } from '../codec/quality'
import { analyze, transformAt } from '../codec/transform'
import { BLOCK, LATENTS } from '../codec/weights'
import { readyBackend } from './backend'
import { blockTransform, lumaEdges, transformBlock } from './block-transform'
import { opaque } from './opaque'
import { lossAndGradients, rateDistortion, sampleLoss, type Sample } from './loss'
import { FIXED, freshParameters, type Parameters } from './parameters'
import { Random } from './random'
import { laplaceBits } from './rate-model'
import { trainingSample } from './samples'
import { SMOKE_CONFIG, type TrainConfig } from './train-config'
import { trainableTransform, type TensorOf } from './trainable-transform'

const config: TrainConfig = SMOKE_CONFIG

let parameters: Parameters
let sample: Sample

beforeAll(async () => {
  await readyBackend('wasm')
  const random = new Random(3)
  // Layers that start at zero get small weights, so that every gradient is alive.
  parameters = freshParameters(config).map((p) =>
    p.values.some((v) => v !== 0) ? p : { ...p, values: p.values.map(() => random.normal() * 0.15) },
  )
  sample = { ...trainingSample(config, 7), quality: 30 }
})

const named = (at: readonly tf.Tensor[]): TensorOf => {
  const byName = new Map(at.map((t, i) => [parameters[i]!.name, t]))
  return (name) => byName.get(name)!
}

/** The cost without the divisor of the loss, which is a constant to gradients but not to differences. */
function cost(...at: tf.Tensor[]): tf.Scalar {
  const { bits, error } = rateDistortion(named(at), config, sample)
  return tf.add(bits, tf.div(error, config.lagrange * stepOf(sample.quality) ** 2))
}

const tensorsOf = (p: Parameters): tf.Tensor[] =>
  p.map(({ values, shape }) => tf.tensor(values, shape as number[]))
const valueOf = (f: () => tf.Scalar): number => tf.tidy(() => f().dataSync()[0]!)

describe('the training loss', () => {
  it('gives the loss that its forward pass gives, and finite gradients of every parameter', async () => {
    const { loss, gradients } = await lossAndGradients(parameters, config, sample)
    const forward = valueOf(() => sampleLoss(named(tensorsOf(parameters)), config, sample))
    expect(loss).toBeCloseTo(forward, 5)
    gradients.forEach((g, i) => {
      const { name, values } = parameters[i]!
      expect(g.length, name).toBe(values.length)
      expect(g.every(Number.isFinite), name).toBe(true)
      expect(
        g.some((v) => v !== 0),
        name,
      ).toBe(!FIXED.has(name))
    })
  })

  it.each([
    ...[
      'render_out',
      'render_pixels',
      'synthesis_out',
      'synthesis_0_depthwise',
      'synthesis_gain',
      'render_scale',
    ],
    ...['scale_bias', 'scale_same', 'scale_dense', 'feature', 'scale_feature', 'scale_hidden', 'scale_intra'],
    ...['stage_in_1', 'stage_bias_0', 'stage_out_2'],
  ])('has the gradient of finite differences in %s', (name) => {
    // These act after quantization or on the rate alone, where the cost is smooth but for relu.
    const k = parameters.findIndex((p) => p.name === name)
    const slope = tf.tidy(() => {
      const all = tensorsOf(parameters)
      const costAt = (x: tf.Tensor) => cost(...all.with(k, x))
      return tf.valueAndGrad(costAt)(all[k]!).grad.dataSync() as Float32Array
    })
    const norm = Math.sqrt(slope.reduce((sum, v) => sum + v * v, 0))
    const size = Math.sqrt(parameters[k]!.values.reduce((sum, v) => sum + v * v, 0))
    // Far enough for float32 to see the change, near enough for it to be straight.
    const reach = Math.min(4e-3 / norm, 0.2 * size)
    const at = (t: number): number =>
      valueOf(() => {
        const moved = parameters.map((p, i) =>
          i === k ? { ...p, values: p.values.map((v, j) => v + (t * slope[j]!) / norm) } : p,
        )
        return cost(...tensorsOf(moved))
      })
    const measured = (at(reach) - at(-reach)) / (2 * reach)
    expect(Math.abs(measured / norm - 1)).toBeLessThan(0.03)
  })

  it('leaves no tensors behind', async () => {
    await lossAndGradients(parameters, config, sample)
    const before = tf.memory().numTensors
    await lossAndGradients(parameters, config, sample)
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('laplaceBits', () => {
  it('agrees with the bank of tables at whole symbols', async () => {
    for (const scale of [0.05, 0.4, 1.5, 8]) {
      const p = laplaceMagnitudes(scale, 12)
      const symbols = [0, 1, 2, 5]
      const bits = await laplaceBits(
        tf.tensor4d(symbols, [1, 1, 1, 4]),
        tf.fill<tf.Rank.R4>([1, 1, 1, 4], scale),
      ).data()
      symbols.forEach((m, i) => {
        const exact = -Math.log2(p[m]!) + (m === 0 ? 0 : 1)
        if (exact < 18) expect(bits[i]).toBeCloseTo(exact, 2)
        else expect(bits[i]).toBeGreaterThan(15)
      })
    }
  })

  it('stays finite far out', async () => {
    const bits = await laplaceBits(
      tf.tensor4d([2000, -2000], [1, 1, 1, 2]),
      tf.fill<tf.Rank.R4>([1, 1, 1, 2], 0.02),
    ).data()
    expect([...bits]).toEqual([400, 400])
  })
})

describe('trainableTransform', () => {
  it('is the transform of the codec', async () => {
    const quality = 30
    const weights = {
      config: config.codec,
      tensors: new Map(parameters.map((p) => [p.name, p.values])),
      integers: new Map<string, Int32Array>(),
      tables: [],
    }
    const blocks = readBlocks(opaque(sample.rgb, config.size), 0, { x: 0, y: 0, width: 4, height: 4 })
    const byName = new Map(parameters.map((p) => [p.name, tf.tensor(p.values, p.shape as number[])]))
    const input = tf.tensor4d(blocks, [1, 4, 4, 768])
    const ours = analyze(
      trainableTransform((name) => byName.get(name)!, config.codec, quality),
      input,
    )
    const theirs = analyze(transformAt(weights, quality), input)
    for (const [part, tensor] of ours.entries()) {
      const [a, b] = await Promise.all([tensor.data(), theirs[part]!.data()])
      expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))).toBeLessThan(2e-3)
    }
  })
})

describe('lumaEdges', () => {
  it('draws the right and the bottom edge of a grey block from its latents, in any order', () => {
    const random = new Random(4)
    const grey = Uint8Array.from({ length: BLOCK * BLOCK }, () => Math.floor(256 * random.unit()))
    const rgb = Uint8Array.from({ length: 3 * grey.length }, (_, i) => grey[Math.floor(i / 3)]!)
    const latents = transformBlock(readBlocks(opaque(rgb, BLOCK), 0, { x: 0, y: 0, width: 1, height: 1 }), 0)
    const order = Int32Array.from({ length: LATENTS }, (_, i) => (i * 5) % LATENTS)
    const waves = lumaEdges(order)
    const drawn = Array.from({ length: EDGES }, (_, j) =>
      order.reduce((sum, row, channel) => sum + latents[row]! * waves[channel * EDGES + j]!, 0),
    )
    const luma = [...grey].map((value) => Math.sqrt(3) * (value - 128))
    const right = luma.filter((_, i) => i % BLOCK >= BLOCK - EDGE_DEPTH)
    const bottom = luma.slice(-EDGE_DEPTH * BLOCK)
    ;[...right, ...bottom].forEach((value, j) => expect(drawn[j]).toBeCloseTo(value, 3))
  })
})

describe('blockTransform', () => {
  it('is orthonormal', () => {
    const basis = blockTransform()
    for (const [a, b] of [
      [0, 0],
      [0, 1],
      [5, 261],
      [300, 300],
      [767, 767],
      [255, 511],
    ] as const) {
      let dot = 0
      for (let p = 0; p < 768; p++) dot += basis[a * 768 + p]! * basis[b * 768 + p]!
      expect(dot).toBeCloseTo(a === b ? 1 : 0, 10)
    }
  })

  it('is what transformBlock computes by rows and columns', () => {
    const basis = blockTransform()
    const random = new Random(8)
    const block = Float32Array.from({ length: 2 * 768 }, () => random.normal())
    const fast = transformBlock(block, 768)
    for (let row = 0; row < 768; row += 13) {
      let sum = 0
      for (let p = 0; p < 768; p++) sum += basis[row * 768 + p]! * block[768 + p]!
      expect(fast[row]).toBeCloseTo(sum, 9)
    }
  })
})
