import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, expect, it } from 'vitest'
import { readModel, readyWasm } from '../training/node-model'
import { proceduralSquare, studyExactness } from './exactness-study'

beforeAll(async () => {
  await readyWasm()
})

it('the synthesis in whole numbers restores almost as well, and the same bytes on two backends', async () => {
  const model = await readModel()
  const results = await studyExactness({
    weights: model.weights,
    pictures: new Map([['procedural', [proceduralSquare(5, 128)]]]),
    qualities: [34],
    bits: [10],
    backends: ['wasm', 'cpu'],
    timedRounds: 1,
    print: () => undefined,
  })
  const [{ losses, agreement }] = results.qualities as [(typeof results.qualities)[0]]
  expect(losses[0]!.meanDb).toBeLessThan(0.1)
  expect(losses[0]!.largestSum).toBeLessThan(1)
  expect(agreement.wholeBytes).toBe(0)
  expect(results.asExpected).toBe(true)
}, 120_000)
