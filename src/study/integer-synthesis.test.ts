import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { loadBaseModel } from '../model/base-model'
import { proceduralSquare, studyExactness } from './exactness-study'

const MODEL = new URL('../../models/safelight-v1/', import.meta.url)

beforeAll(async () => {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')
  setWasmPaths(dirname(entry) + sep + 'dist' + sep)
  await tf.setBackend('wasm')
})

it('the synthesis in whole numbers restores almost as well, and the same bytes on two backends', async () => {
  const [description, weights, tables] = await Promise.all(
    ['model.json', 'weights.bin', 'cdf.bin'].map((file) => readFile(new URL(file, MODEL))),
  )
  const model = await loadBaseModel({ description: description!, weights: weights!, tables: tables! })
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
