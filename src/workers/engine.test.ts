import { beforeAll, describe, expect, it } from 'vitest'
import type { BaseModel } from '../model/base-model'
import { RELEASED_MODELS } from '../model/released-models'
import { readModel, readyWasm } from '../training/node-model'
import { probe } from './engine'

beforeAll(async () => {
  await readyWasm()
})

describe.each(RELEASED_MODELS)('the probe with $name', ({ name }) => {
  let model: BaseModel

  beforeAll(async () => {
    model = await readModel(name)
  })

  it('trusts an engine that restores the stored tile', async () => {
    expect(await probe(model)).toBeGreaterThan(0)
  })

  it.each(['render_out', 'synthesis_1_project', 'synthesis_linear'])(
    'does not trust one that is a little off in %s',
    async (tensor) => {
      const { weights } = model
      const bent = weights.tensors.get(tensor)!.map((v, i) => (i % 7 === 0 ? v * 1.5 : v))
      const tensors = new Map(weights.tensors).set(tensor, bent)
      expect(await probe({ ...model, weights: { ...weights, tensors } })).toBeNull()
    },
  )
})

it('does not trust an engine with a model that has no stored tile', async () => {
  expect(await probe({ ...(await readModel()), id: new Uint8Array(32) })).toBeNull()
})
