import { describe, expect, it } from 'vitest'
import { equalBytes } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import { gaussianProcess } from './gaussian'
import { correlation, paperArtifact, quantizeUnit, toUnit } from './paper-mode'
import { GAUSSIAN_CONSTANT_32, GAUSSIAN_LINEAR_1000, TORUS_32 } from './schedule'
import { makeTrajectory, TRAJECTORY_STEPS } from './trajectory'

const SIDE = 200
/** Smooth shapes with some grain: neighbours alike, every grey level present. */
const photo = (() => {
  const prng = makePrng(5)
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [(i % SIDE) / SIDE, Math.floor(i / SIDE) / SIDE]
    return 255 * Math.min(1, Math.max(0, x * y + 0.3 * Math.sin(9 * x) + 0.2 * y)) * 0.9 + prng.nextBelow(20)
  })
})()

describe('paper mode', () => {
  it('saturates and forgets with the first schedule as published', () => {
    const process = gaussianProcess(GAUSSIAN_LINEAR_1000)
    const noise = process.sampleNoise(photo.length, 1000, makePrng(1))
    const { counts } = paperArtifact(process, photo, noise)
    // P(N(0,1) < 1/510) + P(N(0,1) > 1 - 1/510): 50.08 + 15.91 %; the paper counts 65.7 %.
    expect(Math.abs(counts.saturated - 0.6599)).toBeLessThan(0.01)
    expect(Math.abs(counts.correlation)).toBeLessThan(4 / Math.sqrt(photo.length))
    expect(counts.meanPreimages).toBe(256)
    expect(counts.notInjective).toBe(1)
  })

  it('keeps a quarter of the signal with the second', () => {
    const process = gaussianProcess(GAUSSIAN_CONSTANT_32)
    const noise = process.sampleNoise(photo.length, 32, makePrng(2))
    const { counts } = paperArtifact(process, photo, noise)
    expect(counts.correlation).toBeGreaterThan(0.03)
    expect(counts.notInjective).toBeGreaterThan(0.999) // four levels share a byte where nothing is clipped
    expect(counts.meanPreimages).toBeGreaterThan(4)
    expect(counts.meanPreimages).toBeLessThan(256)
  })

  it('counts preimages as trying all levels does', () => {
    const process = gaussianProcess(GAUSSIAN_CONSTANT_32)
    const some = photo.subarray(0, 300)
    const noise = process.sampleNoise(some.length, 32, makePrng(3))
    const { stored, counts } = paperArtifact(process, some, noise)
    let total = 0
    for (let level = 0; level < 256; level++) {
      const other = quantizeUnit(process.forward(toUnit(new Uint8Array(300).fill(level)), 32, noise))
      for (let i = 0; i < 300; i++) if (other[i] === stored[i]) total += 1
    }
    expect(counts.meanPreimages).toBeCloseTo(total / 300, 1)
  })

  it('clips and rounds', () => {
    expect([...quantizeUnit(Float32Array.of(-1, 0, 0.5, 1, 2))]).toEqual([0, 0, 128, 255, 255])
    expect(correlation([1, 2, 3], [2, 4, 6])).toBeCloseTo(1, 12)
    expect(correlation([1, 2, 3], [5, 5, 5])).toBe(0)
  })
})

describe('trajectories', () => {
  it('start at the photo and lose it on the way', () => {
    for (const schedule of [TORUS_32, GAUSSIAN_CONSTANT_32]) {
      const states = makeTrajectory(schedule, photo, makePrng(7))
      expect(states.map((state) => state.t)).toEqual([...TRAJECTORY_STEPS])
      expect(equalBytes(states[0]!.bytes, photo)).toBe(true)
      const likeness = states.map((state) => correlation(photo, state.bytes))
      expect(likeness[0]).toBeCloseTo(1, 12)
      expect(Math.abs(likeness[5]!)).toBeLessThan(schedule === TORUS_32 ? 0.022 : 0.3)
      expect(likeness[1]!).toBeGreaterThan(likeness[4]!)
    }
  })

  it('are one path: other steps on the way leave the same states', () => {
    const few = makeTrajectory(TORUS_32, photo, makePrng(8), [5, 32])
    const all = makeTrajectory(TORUS_32, photo, makePrng(8), [0, 1, 2, 3, 4, 5, 32])
    expect(equalBytes(few[0]!.bytes, all[5]!.bytes)).toBe(true)
    expect(equalBytes(few[1]!.bytes, all[6]!.bytes)).toBe(true)
  })
})
