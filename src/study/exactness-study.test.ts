import '@tensorflow/tfjs-backend-cpu'
import { expect, it } from 'vitest'
import { wholeTestWeights } from '../training/testing'
import { proceduralSquare, studyExactness } from './exactness-study'

it('the synthesis in whole numbers restores as well, and the same bytes on two backends', async () => {
  const { qualities, asExpected } = await studyExactness({
    weights: await wholeTestWeights(),
    pictures: new Map([['procedural', [proceduralSquare(5, 128)]]]),
    qualities: [34],
    backends: ['wasm', 'cpu'],
    timedRounds: 1,
    print: () => undefined,
  })
  const [{ losses, agreement }] = qualities as [(typeof qualities)[0]]
  expect(losses[0]!.meanDb).toBeLessThan(0.05)
  expect(agreement).toMatchObject({ whole: 0, machines: 0 })
  expect(asExpected).toBe(true)
}, 120_000)
