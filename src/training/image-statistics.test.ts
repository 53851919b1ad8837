import { describe, expect, it } from 'vitest'
import { imageStatistics, statisticalDistance } from './image-statistics'
import { Random } from './random'

const SIDE = 96

/** Grey white noise of a deviation, the same in all channels. */
function noise(seed: number, deviation: number): Uint8Array {
  const random = new Random(seed)
  const out = new Uint8Array(3 * SIDE * SIDE)
  for (let i = 0; i < SIDE * SIDE; i++)
    out.fill(Math.round(128 + deviation * random.normal()), 3 * i, 3 * i + 3)
  return out
}

describe('imageStatistics', () => {
  it('finds a flat spectrum, grey colours and no smooth blocks in grey white noise', () => {
    // Four blocks a picture are looked at: of so many, the lowest band's power is known to a tenth.
    const pictures = Array.from({ length: 24 }, (_, i) => noise(i + 1, 12))
    const s = imageStatistics(pictures, SIDE)
    expect(Math.abs(s.slope)).toBeLessThan(0.05)
    expect(s.correlation.every((c) => c > 0.999)).toBe(true)
    expect(s.smooth.slice(0, 4)).toEqual([0, 0, 0, 0])
    expect(s.smooth[5]).toBe(1)
    for (const rms of s.bands[0]!) expect(Math.abs(rms / (12 * Math.sqrt(3)) - 1)).toBeLessThan(0.12)
    for (const rms of s.bands[1]!) expect(rms).toBeLessThan(1e-6)
    expect(s.gradientKurtosis).toBeGreaterThan(2.8)
    expect(s.gradientKurtosis).toBeLessThan(3.2)
  })

  it('measures a small distance between draws of one kind and a larger one between two kinds', () => {
    const a = imageStatistics([noise(1, 12), noise(2, 12)], SIDE)
    const b = imageStatistics([noise(3, 12), noise(4, 12)], SIDE)
    const c = imageStatistics([noise(5, 24), noise(6, 24)], SIDE)
    expect(statisticalDistance(a, a)).toBe(0)
    expect(statisticalDistance(a, b)).toBeLessThan(0.2)
    expect(statisticalDistance(a, c)).toBeGreaterThan(0.35)
  })
})
