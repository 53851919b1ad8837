import { beforeAll, describe, expect, it } from 'vitest'
import { readModel, readyWasm } from '../training/node-model'
import { analyzerAt } from './analyzer'
import { createLinearAnalysis } from './exact/kernel/linear-analysis'
import { QUALITY_MAX } from './quality'
import { drawNoise } from './testing-content'
import type { CodecWeights } from './weights'

let weights: CodecWeights
beforeAll(async () => {
  await readyWasm()
  weights = (await readModel()).weights
})

describe('the linear analysis', () => {
  it('is the same by the kernel as by tensors, to a hundredth of the finest step', async () => {
    const image = drawNoise(3, 100, 70, 128, 60)
    const region = { x: 1, y: 0, width: 6, height: 5 }
    const kernel = await createLinearAnalysis()
    expect(kernel).not.toBeNull()
    const [byTensors, byKernel] = [null, kernel].map((each) => analyzerAt(weights, QUALITY_MAX, each))
    const expected = await byTensors!.read(image, 0, region, 'fast')()
    const given = await byKernel!.read(image, 0, region, 'fast')()
    expect(given.linear.length).toBe(expected.linear.length)
    expect(given.correction.length).toBe(0)
    const worst = given.linear.reduce((most, y, i) => Math.max(most, Math.abs(y - expected.linear[i]!)), 0)
    expect(worst).toBeLessThan(0.01)
    byTensors!.dispose()
    byKernel!.dispose()
  })
})
