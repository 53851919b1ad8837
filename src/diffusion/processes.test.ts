import { describe, expect, it } from 'vitest'
import { equalBytes } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import { twoSampleChiSquare } from '../lib/statistics'
import { DiffusionError } from './errors'
import { alphaBars, erf, gaussianProcess } from './gaussian'
import { findSchedule, GAUSSIAN_CONSTANT_32, GAUSSIAN_LINEAR_1000, SCHEDULES, TORUS_32 } from './schedule'
import type { ForwardProcess, GaussianSchedule, TorusSchedule } from './schedule'
import { convolveLaws, noiseLaw, stepLaw, torusProcess } from './torus'

const torus = torusProcess(TORUS_32)
const linear = gaussianProcess(GAUSSIAN_LINEAR_1000)
const constant = gaussianProcess(GAUSSIAN_CONSTANT_32)

describe('schedules', () => {
  it('are found by name and cannot be changed', () => {
    for (const schedule of SCHEDULES) {
      expect(findSchedule(schedule.name)).toBe(schedule)
      const numbers = schedule.kind === 'torus' ? schedule.sigma : schedule.beta
      expect(numbers).toHaveLength(schedule.steps)
      expect(Object.isFrozen(schedule) && Object.isFrozen(numbers)).toBe(true)
    }
    expect(() => findSchedule('cosine')).toThrow(DiffusionError)
  })

  it('have the published numbers', () => {
    expect(TORUS_32.sigma.every((sigma) => sigma === 128)).toBe(true)
    expect(GAUSSIAN_LINEAR_1000.beta[0]).toBe(5e-4)
    expect(GAUSSIAN_LINEAR_1000.beta[999]).toBeCloseTo(0.1, 15)
    expect(linear.signalCoef(1000)).toBeGreaterThan(4.5e-12)
    expect(linear.signalCoef(1000)).toBeLessThan(5.5e-12)
    expect(constant.signalCoef(32)).toBeCloseTo(0.25, 14)
    expect(constant.signalCoef(8)).toBeCloseTo(Math.SQRT1_2, 14)
  })

  it('give coefficients whose squares sum to one, from all signal to almost none', () => {
    for (const process of [torus, linear, constant]) {
      expect(process.signalCoef(0)).toBe(1)
      expect(process.noiseCoef(0)).toBe(0)
      for (let t = 1; t <= process.schedule.steps; t++) {
        expect(process.signalCoef(t)).toBeLessThan(process.signalCoef(t - 1))
        expect(process.signalCoef(t) ** 2 + process.noiseCoef(t) ** 2).toBeCloseTo(1, 12)
      }
      for (const t of [-1, 0.5, process.schedule.steps + 1, NaN])
        expect(() => process.signalCoef(t)).toThrow(DiffusionError)
    }
  })
})

describe('distance from the limit law', () => {
  it('of torus-32 agrees with the exact law while float64 can show it, and ends below 2^-200', () => {
    for (let t = 1; t <= 5; t++) {
      const { closedFormLog2, computedLog2 } = torus.distanceFromLimit(t)
      expect(computedLog2).not.toBeNull()
      expect(Math.abs(closedFormLog2 - computedLog2!)).toBeLessThan(0.01)
    }
    const end = torus.distanceFromLimit(32)
    expect(end.computedLog2).toBeNull()
    expect(end.closedFormLog2).toBeLessThan(-200)
    expect(end.closedFormLog2).toBeGreaterThan(-260)
  })

  it('of a torus with little noise is not the closed form of another', () => {
    const narrow: TorusSchedule = { ...TORUS_32, sigma: Array<number>(32).fill(64) }
    const { computedLog2 } = torusProcess(narrow).distanceFromLimit(4)
    expect(Math.abs(torus.distanceFromLimit(1).closedFormLog2 - computedLog2!)).toBeLessThan(0.01) // 4 * 64^2 = 128^2
    expect(Math.abs(torus.distanceFromLimit(4).closedFormLog2 - computedLog2!)).toBeGreaterThan(5)
  })

  it('of the Gaussian schedules agrees with integration', () => {
    for (const [process, steps] of [
      [constant, [1, 4, 16, 32]],
      [linear, [1, 100, 300]],
    ] as const)
      for (const t of steps) {
        const { closedFormLog2, computedLog2 } = process.distanceFromLimit(t)
        expect(computedLog2).not.toBeNull()
        expect(Math.abs(closedFormLog2 - computedLog2!)).toBeLessThan(1e-3)
      }
    expect(linear.distanceFromLimit(1000).closedFormLog2).toBeCloseTo(
      Math.log2(Math.sqrt(alphaBars(GAUSSIAN_LINEAR_1000)[1000]! / (2 * Math.PI))),
      6,
    )
    // A tenth of the way to uniform: the second paper's endpoint is far from its limit.
    expect(2 ** constant.distanceFromLimit(32).closedFormLog2).toBeGreaterThan(0.09)
  })

  it('rests on laws that sum to one', () => {
    expect(erf(1)).toBeCloseTo(0.8427007929497149, 14)
    expect(erf(-0.5)).toBeCloseTo(-0.5204998778130465, 14)
    for (const law of [stepLaw(128), noiseLaw(TORUS_32, 3), convolveLaws(stepLaw(20), stepLaw(40))])
      expect(law.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12)
  })
})

describe('reverse', () => {
  it('is exact on the torus and close on the line, and changes no argument', () => {
    const prng = makePrng(11)
    const x0 = new Uint8Array(5000)
    prng.fill(x0)
    for (const t of [0, 1, 2, 31, 32]) {
      const noise = torus.sampleNoise(x0.length, t, prng)
      const kept = [x0.slice(), noise.slice()]
      expect(torus.reverse(torus.forward(x0, t, noise), t, noise)).toEqual(x0)
      expect([x0, noise]).toEqual(kept)
    }
    const photo = Float32Array.from(x0, (byte) => byte / 255)
    for (const t of [0, 1, 16, 32]) {
      const noise = constant.sampleNoise(photo.length, t, prng)
      const back = constant.reverse(constant.forward(photo, t, noise), t, noise)
      expect(Math.max(...back.map((value, i) => Math.abs(value - photo[i]!)))).toBeLessThan(1e-5)
    }
  })

  it('refuses noise of another length', () => {
    expect(() => torus.forward(new Uint8Array(4), 1, new Uint8Array(3))).toThrow(DiffusionError)
    expect(() => constant.forward(new Float32Array(4), 1, new Float32Array(3))).toThrow(DiffusionError)
  })
})

/** p-value of "walking t steps and sampling the noise of step t in one draw give one law", over cells of values. */
function sameLaw<X extends ArrayLike<number>, N>(
  walker: ForwardProcess<X, N>,
  sampler: ForwardProcess<X, N>,
  x0: X,
  t: number,
  cellOf: (value: number) => number,
): number {
  const walked = new Float64Array(256)
  const sampled = new Float64Array(256)
  const [walkPrng, samplePrng] = [makePrng(100 + t), makePrng(200 + t)]
  let x = x0
  for (let step = 1; step <= t; step++) x = walker.step(x, step, walkPrng)
  const end = sampler.forward(x0, t, sampler.sampleNoise(x0.length, t, samplePrng))
  for (let i = 0; i < x0.length; i++) {
    walked[cellOf(x[i]!)]! += 1
    sampled[cellOf(end[i]!)]! += 1
  }
  return twoSampleChiSquare(walked, sampled).pValue
}

describe('the path and the endpoint sampler', () => {
  const LENGTH = 60_000
  const bytes = new Uint8Array(LENGTH).fill(77)
  const pixels = new Float32Array(LENGTH).fill(0.8)
  const byteCell = (value: number) => value
  const realCell = (value: number) => Math.min(255, Math.max(0, Math.floor(128 + 28 * value)))
  const ACCEPT = 1e-3
  const REJECT = 1e-9

  // torus-32 is nearly uniform after one step, whatever its sigma: narrow steps show whether the walk is right.
  const narrowSchedule: TorusSchedule = { ...TORUS_32, sigma: Array<number>(32).fill(8) }
  const narrow = torusProcess(narrowSchedule)
  /** Steps of a sigma that is a tenth off, and of a beta a quarter off. */
  const wrongTorus: TorusSchedule = { ...narrowSchedule, sigma: Array<number>(32).fill(8 * 0.9) }
  const wrongGaussian: GaussianSchedule = {
    ...GAUSSIAN_CONSTANT_32,
    beta: GAUSSIAN_CONSTANT_32.beta.map((beta) => beta * 0.75),
  }

  it('have one law on the torus, at the first steps and at the end', () => {
    for (const t of [1, 2, 32]) expect(sameLaw(torus, torus, bytes, t, byteCell)).toBeGreaterThan(ACCEPT)
    for (const t of [1, 5, 12]) expect(sameLaw(narrow, narrow, bytes, t, byteCell)).toBeGreaterThan(ACCEPT)
  })

  it('have one law on the line', () => {
    for (const t of [1, 5, 32])
      expect(sameLaw(constant, constant, pixels, t, realCell)).toBeGreaterThan(ACCEPT)
  })

  it('are told apart when either is off', () => {
    const wrongT = torusProcess(wrongTorus)
    const wrongG = gaussianProcess(wrongGaussian)
    for (const t of [1, 5, 12]) {
      expect(sameLaw(wrongT, narrow, bytes, t, byteCell)).toBeLessThan(REJECT)
      expect(sameLaw(narrow, wrongT, bytes, t, byteCell)).toBeLessThan(REJECT)
    }
    expect(sameLaw(wrongG, constant, pixels, 5, realCell)).toBeLessThan(REJECT)
    expect(sameLaw(constant, wrongG, pixels, 5, realCell)).toBeLessThan(REJECT)
    // At the end the torus forgets sigma, but not a sampler whose bytes are not uniform.
    const lossy: typeof torus = {
      ...torus,
      sampleNoise: (length, t, prng) => torus.sampleNoise(length, t, prng).map((k) => (k === 255 ? 254 : k)),
    }
    expect(sameLaw(torus, lossy, bytes, 32, byteCell)).toBeLessThan(REJECT)
  })

  it('agree along an accumulated noise path too', () => {
    const prng = makePrng(9)
    let noise = constant.noNoise(LENGTH)
    for (let t = 1; t <= 5; t++) noise = constant.extendNoise(noise, t, prng)
    const squares = noise.reduce((sum, value) => sum + value * value, 0)
    expect(Math.abs(squares / LENGTH - 1)).toBeLessThan(5 * Math.sqrt(2 / LENGTH))
    // One path is one path: step by step with the same draws, and in one go with the accumulated noise.
    const [a, b] = [makePrng(3), makePrng(3)]
    let x = bytes as Uint8Array
    let k = torus.noNoise(LENGTH)
    for (let t = 1; t <= 3; t++) {
      x = torus.step(x, t, a)
      k = torus.extendNoise(k, t, b)
    }
    expect(equalBytes(torus.forward(bytes, 3, k), x)).toBe(true)
  })
})
