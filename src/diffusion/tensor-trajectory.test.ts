import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import { DiffusionError } from './errors'
import { SCHEDULES, GAUSSIAN_CONSTANT_32, GAUSSIAN_LINEAR_1000, TORUS_32 } from './schedule'
import { pathSteps, tensorTrajectory } from './tensor-trajectory'
import { makeTrajectory } from './trajectory'

const photo = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) & 255)

beforeAll(() => tf.setBackend('cpu'))

describe('a trajectory on a backend', () => {
  it('is that of the reference to the bit on the torus, and returns exactly', async () => {
    const steps = pathSteps(TORUS_32)
    expect(steps).toEqual(Array.from({ length: 33 }, (_, t) => t))
    const states = await tensorTrajectory(TORUS_32, photo, makePrng(3), steps)
    const expected = makeTrajectory(TORUS_32, photo, makePrng(3), steps)
    expect(states.map(({ bytes }) => [...bytes])).toEqual(expected.map(({ bytes }) => [...bytes]))
    expect(states[0]!.bytes).toEqual(photo)
    expect(new Set(states.map(({ worstReturn }) => worstReturn))).toEqual(new Set([0]))
  })

  it('is that of the reference within one grey level on the line, and does not return exactly', async () => {
    const steps = pathSteps(GAUSSIAN_CONSTANT_32)
    const states = await tensorTrajectory(GAUSSIAN_CONSTANT_32, photo, makePrng(4), steps)
    const expected = makeTrajectory(GAUSSIAN_CONSTANT_32, photo, makePrng(4), steps)
    for (const [i, { bytes, signalCoef }] of states.entries()) {
      expect(signalCoef).toBe(expected[i]!.signalCoef)
      const worst = bytes.reduce(
        (most, value, at) => Math.max(most, Math.abs(value - expected[i]!.bytes[at]!)),
        0,
      )
      expect(worst).toBeLessThanOrEqual(1)
    }
    expect(states[0]!.bytes).toEqual(photo)
    expect(states.at(-1)!.worstReturn).toBeGreaterThan(100)
  })

  it('has the law of the step-by-step path where steps are drawn at once', async () => {
    const grey = new Uint8Array(40_000).fill(128)
    const [state] = await tensorTrajectory(GAUSSIAN_LINEAR_1000, grey, makePrng(5), [40])
    const [reference] = makeTrajectory(GAUSSIAN_LINEAR_1000, grey, makePrng(6), [40])
    const moments = (bytes: Uint8Array) => {
      const mean = bytes.reduce((sum, value) => sum + value, 0) / bytes.length
      return [
        mean,
        Math.sqrt(bytes.reduce((sum, value) => sum + (value - mean) ** 2, 0) / bytes.length),
      ] as const
    }
    const [a, b] = [moments(state!.bytes), moments(reference!.bytes)]
    expect(Math.abs(a[0] - b[0])).toBeLessThan(2.5) // 4.5 standard errors of a difference
    expect(Math.abs(a[1] - b[1])).toBeLessThan(1.5)
  })

  it('frees its tensors and refuses steps that do not ascend', async () => {
    const before = tf.memory().numTensors
    for (const schedule of SCHEDULES)
      await tensorTrajectory(schedule, photo, makePrng(1), pathSteps(schedule))
    for (const steps of [[1, 1], [2, 1], [33], [0.5]])
      await expect(tensorTrajectory(TORUS_32, photo, makePrng(1), steps)).rejects.toBeInstanceOf(
        DiffusionError,
      )
    expect(tf.memory().numTensors).toBe(before)
  })
})
