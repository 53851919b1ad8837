import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { createCodec } from '../codec/codec'
import type { CodecWeights } from '../codec/weights'
import { loadBaseModel } from '../model/base-model'
import { probe } from './engine'

const folder = new URL('../../models/safelight-v1/', import.meta.url)
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)))

let base: CodecWeights

beforeAll(async () => {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')
  setWasmPaths(join(dirname(entry), 'dist') + '/')
  await tf.setBackend('wasm')
  const files = { description: read('model.json'), weights: read('weights.bin'), tables: read('cdf.bin') }
  base = (await loadBaseModel(files)).weights
})

it('trusts an engine that restores the stored tile', async () => {
  const codec = createCodec(base)
  expect(await probe(codec)).toBeGreaterThan(0)
  codec.dispose()
})

it.each(['render_out', 'synthesis_1_project', 'synthesis_linear'])(
  'does not trust one that is a little off in %s',
  async (name) => {
    const bent = base.tensors.get(name)!.map((v, i) => (i % 7 === 0 ? v * 1.5 : v))
    const codec = createCodec({ ...base, tensors: new Map(base.tensors).set(name, bent) })
    expect(await probe(codec)).toBeNull()
    codec.dispose()
  },
)
