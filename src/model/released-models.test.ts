import { describe, expect, it } from 'vitest'
import { toHex } from '../lib/bytes'
import { readModel } from '../training/node-model'
import { RELEASED_MODELS } from './released-models'

describe('released models', () => {
  it.each(RELEASED_MODELS)('$name has the files that its id names', async ({ name, id }) => {
    const model = await readModel(name)
    expect([model.name, toHex(model.id)]).toEqual([name, id])
  })

  it('begin with the newest and end with the first', () => {
    const numbers = RELEASED_MODELS.map(({ name }) => Number(/^safelight-v(\d+)$/.exec(name)?.[1]))
    expect(numbers).toEqual(RELEASED_MODELS.map((_, i) => RELEASED_MODELS.length - i))
  })

  it('stay what they were released as', () => {
    expect(RELEASED_MODELS.at(-1)).toEqual({
      name: 'safelight-v1',
      id: '43c592056e4122c9ee388fa6c2db9d0c66ebe5ff1dec938088339f3eccd44489',
    })
  })
})
