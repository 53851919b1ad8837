import { describe, expect, it } from 'vitest'
import {
  chiSquareSurvival,
  gammaQ,
  logGamma,
  meanInterval,
  normalTwoSided,
  proportionInterval,
  twoSampleChiSquare,
  median,
} from './statistics'

describe('statistics', () => {
  it('find the middle value and leave the others in their order', () => {
    const values = [10, 9, 2, 100]
    expect(median(values)).toBe(10)
    expect(median([3, 1, 2])).toBe(2)
    expect(values).toEqual([10, 9, 2, 100])
  })

  it('gives tabled values', () => {
    expect(logGamma(11)).toBeCloseTo(Math.log(3628800), 10)
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 10)
    // Upper 5 %, 1 % and 99 % points from the chi-square table of any textbook.
    expect(chiSquareSurvival(3.841458820694124, 1)).toBeCloseTo(0.05, 10)
    expect(chiSquareSurvival(23.209251158954356, 10)).toBeCloseTo(0.01, 10)
    expect(chiSquareSurvival(70.0648949253995, 100)).toBeCloseTo(0.99, 8)
    expect(normalTwoSided(1.959963984540054)).toBeCloseTo(0.05, 10)
    expect(normalTwoSided(-6)).toBeCloseTo(1.973175290075396e-9, 15)
  })

  it('agrees with the closed form of Q(n, x) for whole n', () => {
    for (const [n, x] of [
      [3, 0.5],
      [5, 5],
      [40, 55],
    ] as const) {
      let term = 1
      let sum = 1
      for (let k = 1; k < n; k++) {
        term *= x / k
        sum += term
      }
      expect(gammaQ(n, x)).toBeCloseTo(Math.exp(-x) * sum, 10)
    }
  })

  it('handles many degrees of freedom', () => {
    const df = 65535
    expect(chiSquareSurvival(df, df)).toBeCloseTo(0.5, 2)
    expect(chiSquareSurvival(df + 6 * Math.sqrt(2 * df), df)).toBeLessThan(1e-8)
    expect(chiSquareSurvival(df - 6 * Math.sqrt(2 * df), df)).toBeGreaterThan(1 - 1e-8)
  })

  it('gives intervals that hold what they should', () => {
    const { low, high } = proportionInterval(50, 100)
    expect(low).toBeCloseTo(0.4038, 3)
    expect(high).toBeCloseTo(0.5962, 3)
    expect(proportionInterval(0, 10).low).toBeCloseTo(0, 12)
    const { mean, low: l, high: h } = meanInterval([1, 2, 3, 4])
    expect(mean).toBe(2.5)
    expect(h - mean).toBeCloseTo(mean - l, 12)
  })

  it('tells two samples apart only where they differ', () => {
    expect(twoSampleChiSquare([100, 100, 0], [90, 110, 0]).degreesOfFreedom).toBe(1)
    expect(twoSampleChiSquare([100, 100], [95, 105]).pValue).toBeGreaterThan(0.1)
    expect(twoSampleChiSquare([100, 100], [10, 190]).pValue).toBeLessThan(1e-10)
  })
})
