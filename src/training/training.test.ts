import { mkdtempSync, rmSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCodec } from '../codec/codec'
import { psnrDb } from '../codec/metrics'
import { loadBaseModel } from '../model/base-model'
import { readyBackend } from './backend'
import { opaque } from './opaque'
import { loadCheckpoint, saveCheckpoint } from './checkpoint'
import { exportModel, floatToHalf } from './export-model'
import { startPool } from './gradient-pool'
import { applyGradients, startOptimizer } from './optimizer'
import { freshParameters, parametersOf } from './parameters'
import { proceduralImage } from './procedural-images'
import { Random } from './random'
import { smokeTest } from './smoke'
import { SMOKE_CONFIG } from './train-config'

const largest = (values: Float32Array): number => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0)

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'safelight-training-'))
  await readyBackend('wasm')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('training', () => {
  it('lowers the loss, and goes on bit for bit after a kill', async () => {
    await smokeTest(join(folder, 'smoke'), () => undefined)
  }, 120_000)

  it('averages over two workers what one worker computes', async () => {
    const config = { ...SMOKE_CONFIG, batch: 2, workers: 2 }
    const parameters = freshParameters(config)
    const one = startPool({ ...config, workers: 1 }, parameters)
    const two = startPool(config, parameters)
    try {
      const [a, b] = [await one.compute(3), await two.compute(3)]
      expect(b.loss).toBeCloseTo(a.loss, 5)
      a.gradients.forEach((g, i) => {
        const scale = largest(g)
        expect(largest(g.map((v, j) => v - b.gradients[i]![j]!))).toBeLessThanOrEqual(1e-4 * scale)
      })
    } finally {
      await two.close()
    }
  })

  it('saves a model that the codec reads, encodes and decodes with', async () => {
    const target = join(folder, 'fresh-v0')
    // Some predictions start at zero; here they are to bear on the bitstream.
    const random = new Random(6)
    const parameters = freshParameters(SMOKE_CONFIG).map((p) =>
      /intra_out|scale_intra/.test(p.name) ? { ...p, values: p.values.map(() => random.normal() * 0.02) } : p,
    )
    exportModel(target, SMOKE_CONFIG.codec, parameters)
    const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(target, name)))
    const model = await loadBaseModel({
      description: read('model.json'),
      weights: read('weights.bin'),
      tables: read('cdf.bin'),
    })
    const again = parametersOf(model.weights)
    again.forEach((p, i) => {
      expect(p.name).toBe(parameters[i]!.name)
      const worst = largest(p.values.map((v, j) => v - parameters[i]!.values[j]!))
      expect(worst, p.name).toBeLessThan(2e-3)
    })
    const codec = createCodec(model.weights)
    const image = opaque(proceduralImage(3, 64, 64), 64)
    const restored = await codec.decode(await codec.encode(image, { quality: 50, effort: 'fast' }))
    expect(psnrDb(image, restored)).toBeGreaterThan(38)
    codec.dispose()
  })
})

describe('checkpoints', () => {
  it('keep everything, and refuse to be read when cut short', () => {
    const file = join(folder, 'checkpoint.bin')
    expect(loadCheckpoint(file)).toBeNull()
    const state = startOptimizer([{ name: 'a', shape: [2, 2], values: Float32Array.of(1, -2, 3, 0.1) }])
    applyGradients(state, [Float32Array.of(0.5, 0, -1, 2)], 0.01)
    saveCheckpoint(file, SMOKE_CONFIG, state)
    expect(loadCheckpoint(file)).toEqual({ config: SMOKE_CONFIG, state })
    writeFileSync(file, readFileSync(file).subarray(0, -3))
    expect(() => loadCheckpoint(file)).toThrow(RangeError)
  })
})

describe('applyGradients', () => {
  it('finds the least of a parabola and skips broken gradients', () => {
    const state = startOptimizer([{ name: 'x', shape: [1], values: Float32Array.of(3) }])
    const x = state.parameters[0]!.values
    for (let i = 0; i < 400; i++) applyGradients(state, [Float32Array.of(2 * (x[0]! - 1))], 0.03)
    expect(x[0]).toBeCloseTo(1, 2)
    const before = x[0]
    applyGradients(state, [Float32Array.of(NaN)], 0.03)
    expect(x[0]).toBe(before)
  })
})

describe('floatToHalf', () => {
  it.each([
    [0, 0],
    [1, 0x3c00],
    [-2, 0xc000],
    [65472, 0x7bfe],
    [0.333251953125, 0x3555],
    [1.99999, 0x4000],
    [2 ** -14, 0x0400],
  ])('%d', (value, bits) => expect(floatToHalf(value)).toBe(bits))

  it('refuses what does not fit', () => expect(() => floatToHalf(NaN)).toThrow(RangeError))
})
