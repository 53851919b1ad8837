import { beforeAll, expect, it } from 'vitest'
import { createCodec } from '../codec/codec'
import type { CodecWeights } from '../codec/weights'
import { readModel, readyWasm } from '../training/node-model'
import { probe } from './engine'

let base: CodecWeights

beforeAll(async () => {
  await readyWasm()
  base = (await readModel()).weights
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
