import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import type { CodecWeights } from '../codec/weights'
import { readModel } from '../training/node-model'
import { startEngine } from './engine'

let base: CodecWeights

beforeAll(async () => {
  base = (await readModel()).weights
})

it('goes on to the next backend where one cannot start', async () => {
  // Node has no WebGPU, and cannot fetch the address under which a browser finds the engine's WebAssembly.
  const engine = await startEngine({ base, personal: base }, ['webgpu', 'wasm', 'cpu'])
  expect(engine.backend).toBe('cpu')
  expect(engine.codec.backend).toBe('cpu')
  expect(tf.getBackend()).toBe('cpu')
  expect(await engine.check()).toBeGreaterThan(0)
  engine.codec.dispose()
})

it('refuses where every backend starts and none restores the stored tile', async () => {
  const bent = base.tensors.get('render_out')!.map((v, i) => (i % 7 === 0 ? v * 1.5 : v))
  const weights = { ...base, tensors: new Map(base.tensors).set('render_out', bent) }
  const started = startEngine({ base: weights, personal: weights }, ['wasm', 'cpu'])
  await expect(started).rejects.toMatchObject({ code: 'no-engine' })
})
