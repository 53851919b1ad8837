import { describe, expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import { parseDieharder } from './dieharder'
import { entropyBits, measureLeaks } from './leak-measures'
import { pText, table } from './markdown'
import { gameResult, playPair } from './pair-game'
import { sizeLeaks } from './size-leak'
import { barPlot, linePlot } from './svg-plot'
import { proceduralPhoto } from './study-photos'

function noise(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  makePrng(seed).fill(bytes)
  return bytes
}

describe('the pair game', () => {
  it('guesses where there is nothing to see', async () => {
    const correct = await playPair(
      (photo, number) => Promise.resolve(noise(2 * number + photo, 3000)),
      100,
      200,
    )
    expect(gameResult(correct, 400).pValue).toBeGreaterThan(1e-3)
  })

  it('wins on a faint mean, and on one value that is too rare', async () => {
    const faint = await playPair(
      (photo, number) =>
        Promise.resolve(
          noise(2 * number + photo, 3000).map((byte, i) =>
            photo === 1 && i % 10 === 0 ? Math.min(255, byte + 90) : byte,
          ),
        ),
      100,
      100,
    )
    expect(gameResult(faint, 200).advantage).toBeGreaterThan(0.8)
    const rare = await playPair(
      (photo, number) =>
        Promise.resolve(
          noise(2 * number + photo, 20_000).map((byte) => (photo === 1 && byte === 7 ? 8 : byte)),
        ),
      100,
      100,
    )
    expect(gameResult(rare, 200).advantage).toBeGreaterThan(0.8)
  })

  it('does not see lengths, which are measured apart', async () => {
    const correct = await playPair(
      (photo, number) => Promise.resolve(noise(2 * number + photo, photo === 0 ? 3000 : 4000)),
      100,
      200,
    )
    expect(gameResult(correct, 400).pValue).toBeGreaterThan(1e-3)
  })

  it('reports advantage with its interval', () => {
    expect(gameResult(50, 100)).toMatchObject({ advantage: 0, pValue: 1 })
    const sure = gameResult(100, 100)
    expect(sure.advantage).toBe(1)
    expect(sure.interval.low).toBeGreaterThan(0.9)
    expect(sure.pValue).toBeLessThan(1e-10)
  })
})

describe('measures', () => {
  it('find nothing in noise', () => {
    const measures = measureLeaks(Array.from({ length: 40 }, (_, i) => noise(i, 8000)))
    expect(measures.histogramP).toBeGreaterThan(1e-4)
    expect(measures.unevenShare.low).toBeLessThan(0.01)
    expect(measures.entropyBitsPerByte).toBeGreaterThan(7.999)
    expect(Math.abs(measures.correlation.z)).toBeLessThan(4.5)
    for (const ratio of Object.values(measures.compressed)) expect(ratio).toBeGreaterThanOrEqual(1)
  })

  it('find what is there', () => {
    const ramps = Array.from({ length: 10 }, (_, i) =>
      noise(i, 8000).map((byte, at) => (byte >> 3) + (at >> 7)),
    )
    const measures = measureLeaks(ramps)
    expect(measures.histogramP).toBeLessThan(1e-10)
    expect(measures.unevenShare.share).toBe(1)
    expect(measures.correlation.z).toBeGreaterThan(10)
    for (const ratio of Object.values(measures.compressed)) expect(ratio).toBeLessThan(0.95)
  })

  it('count entropy in bits', () => {
    const counts = new Float64Array(256)
    counts.fill(3, 0, 4)
    expect(entropyBits(counts)).toBeCloseTo(2, 12)
    expect(entropyBits(new Float64Array(256).fill(5))).toBeCloseTo(8, 12)
  })

  it('say what sizes tell', () => {
    const [none, eighths, halves] = sizeLeaks([1000, 1000, 1001, 1900])
    expect(none!.advantage).toBeCloseTo(5 / 6, 12)
    expect(eighths!.advantage).toBeCloseTo(3 / 6, 12)
    expect(eighths!.distinctLengths).toBe(2)
    expect(halves!.overhead).toBeGreaterThan(0)
  })
})

describe('reports', () => {
  it('read what dieharder prints', () => {
    const output = [
      '#=============================================================================#',
      '        test_name   |ntup| tsamples |psamples|  p-value |Assessment',
      '   diehard_birthdays|   0|       100|     100|0.41234567|  PASSED  ',
      '      diehard_operm5|   0|   1000000|     100|0.00000000|  FAILED  ',
      'rgb_bitdist|  half a line',
    ].join('\n')
    expect(parseDieharder(output)).toEqual([
      { test: 'diehard_birthdays 0', pValue: 0.41234567, assessment: 'PASSED' },
      { test: 'diehard_operm5 0', pValue: 0, assessment: 'FAILED' },
    ])
  })

  it('write tables and plots', () => {
    expect(table(['a', 'b'], [['x|y', 2]])).toBe('| a | b |\n| --- | --- |\n| x\\|y | 2 |')
    expect([pText(0.25), pText(1e-9), pText(0)]).toEqual(['0.250', '1.0e-9', '< 1e-300'])
    const bars = barPlot('A < B', [{ label: 'one', value: 0.5, low: 0.4, high: 0.6 }], 0, 1)
    expect(bars).toContain('A &lt; B')
    expect(bars).not.toContain('NaN')
    expect(linePlot('lines', [{ label: 'x', values: [0, 1, 2] }], 0, 2)).not.toContain('NaN')
  })

  it('draw photos with an outline', () => {
    const photo = proceduralPhoto(3)
    const alpha = photo.data.filter((_, i) => i % 4 === 3)
    expect(new Set(alpha)).toEqual(new Set([0, 255]))
    expect(proceduralPhoto(3).data).toEqual(photo.data)
  })
})
