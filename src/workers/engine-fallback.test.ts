import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import type { BaseModel } from '../model/base-model'
import { readModel } from '../training/node-model'
import { startEngine } from './engine'

let model: BaseModel

beforeAll(async () => {
  model = await readModel()
})

it('goes on to the next backend where one cannot start', async () => {
  // Node has no WebGPU, and cannot fetch the address under which a browser finds the engine's WebAssembly.
  const engine = await startEngine(model, ['webgpu', 'wasm', 'cpu'])
  expect(engine.backend).toBe('cpu')
  expect(tf.getBackend()).toBe('cpu')
  expect(await engine.check()).toBeGreaterThan(0)
})

it('refuses where every backend starts and none restores the stored tile', async () => {
  const { weights } = model
  const bent = weights.tensors.get('render_out')!.map((v, i) => (i % 7 === 0 ? v * 1.5 : v))
  const tensors = new Map(weights.tensors).set('render_out', bent)
  const started = startEngine({ ...model, weights: { ...weights, tensors } }, ['wasm', 'cpu'])
  await expect(started).rejects.toMatchObject({ code: 'no-engine' })
})
