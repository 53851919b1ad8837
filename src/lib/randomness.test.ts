import { describe, expect, it } from 'vitest'
import { makePrng } from './prng'
import { autocorrelation, differenceChiSquare, runBattery, runs, worstVerdict } from './randomness'

const MEGABYTE = 2 ** 20

function fromWords(next: () => number): Uint8Array {
  const words = new Uint32Array(MEGABYTE / 2)
  for (let i = 0; i < words.length; i++) words[i] = next()
  return new Uint8Array(words.buffer)
}

describe('battery', () => {
  it('counts runs as SP 800-22 does', () => {
    // Bits from the lowest up: 0110 0101 has runs 0, 11, 00, 1, 0, 1 and so five changes in seven places.
    expect(runs(Uint8Array.of(0b10100110)).statistic).toBeCloseTo((2 * 5 - 7) / Math.sqrt(7), 12)
    expect(runs(Uint8Array.of(0x80, 0x01)).statistic).toBeCloseTo((2 * 2 - 15) / Math.sqrt(15), 12)
  })

  it('passes a good generator', () => {
    const bytes = new Uint8Array(2 * MEGABYTE)
    makePrng(1).fill(bytes)
    expect(worstVerdict(runBattery(bytes))).toBe('pass')
  })

  it('fails a linear congruential generator, a shift register and a counter', () => {
    let lcg = 1
    let register = 1
    let counter = 0
    const weak = [
      fromWords(() => (lcg = (Math.imul(lcg, 1103515245) + 12345) >>> 0)),
      fromWords(() => {
        register ^= register << 13
        register ^= register >>> 17
        register ^= register << 5
        return register >>> 0
      }),
      fromWords(() => counter++),
    ]
    for (const bytes of weak) expect(worstVerdict(runBattery(bytes))).toBe('fail')
  })

  it('finds a repeat at its lag and nowhere else', () => {
    const bytes = new Uint8Array(2 * MEGABYTE)
    makePrng(2).fill(bytes)
    for (let i = 64; i < bytes.length; i += 128)
      for (let j = 0; j < 8; j++) bytes[i + j] = bytes[i + j - 64]! + 1
    expect(autocorrelation(bytes, 63).pValue).toBeGreaterThan(1e-4)
    expect(differenceChiSquare(bytes, 64).pValue).toBeLessThan(1e-12)
  })
})
