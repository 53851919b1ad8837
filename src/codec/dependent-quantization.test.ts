import { describe, expect, it } from 'vitest'
import { nextState, quantizerOf, reconstruct, type State } from './dependent-quantization'
import { driftShifts, driftTable, laplaceMagnitudes, lawsOf, TABLES } from './entropy-tables'

describe('dependent quantization', () => {
  it('restores whole half steps of nine sixteenths', () => {
    const restored = (quantizer: 0 | 1) => [-3, -2, -1, 0, 1, 2, 3].map((k) => reconstruct(quantizer, k))
    expect(restored(0)).toEqual([-54, -36, -18, 0, 18, 36, 54])
    expect(restored(1)).toEqual([-45, -27, -9, 0, 9, 27, 45])
  })

  it('goes from state to state by parity, whatever the sign', () => {
    const path = (start: State, symbols: readonly number[]): number[] => {
      let state = start
      return symbols.map((symbol) => (state = nextState(state, symbol)))
    }
    expect(path(0, [0, 0, 1, 0, 0, 0])).toEqual([0, 0, 2, 1, 2, 1])
    expect(path(0, [-1, -1, 1, -2, 3, 3])).toEqual([2, 3, 1, 2, 3, 1])
    expect(path(3, [4, -5])).toEqual([3, 1])
    expect([0, 1, 2, 3].map(quantizerOf)).toEqual([0, 0, 1, 1])
  })

  it('leads to every state from every other', () => {
    for (const from of [0, 1, 2, 3] as const) {
      const twice = [0, 1].flatMap((a) => [0, 1].map((b) => nextState(nextState(from, a), b)))
      expect(new Set(twice)).toEqual(new Set([0, 1, 2, 3]))
    }
  })
})

describe('the laws of both quantizers', () => {
  it('are the shares of a Laplace source that each magnitude stands for', () => {
    const above = (x: number) => Math.exp(-x / 0.7)
    const expected = {
      0: [1 - above(0.5625), above(0.5625) - above(1.6875), above(1.6875) - above(2.8125), above(2.8125)],
      1: [1 - above(0.28125), above(0.28125) - above(1.125), above(1.125) - above(2.25), above(2.25)],
    }
    for (const law of [0, 1] as const)
      laplaceMagnitudes(0.7, 4, law).forEach((p, m) => expect(p).toBeCloseTo(expected[law][m]!, 12))
  })

  it('bring scales back: a drift that the law itself expects is nearly none', () => {
    const laws = lawsOf(true)
    const [drift, shifts] = [driftTable(laws), driftShifts(laws)]
    expect([drift.length, shifts.length]).toEqual([2 * TABLES * 16, 2 * TABLES])
    laws.forEach((law, q) => {
      // Below, a rare symbol is steeper than a drift may be.
      for (let rank = 24; rank < TABLES; rank++) {
        const p = laplaceMagnitudes(0.02 * (256 / 0.02) ** (rank / 63), 4000, law)
        const record = q * TABLES + rank
        let mean = 0
        let size = 0
        p.forEach((share, m) => {
          const step = drift[16 * record + Math.min(15, m >> shifts[record]!)]!
          mean += share * step
          size += share * Math.abs(step)
        })
        expect(Math.abs(mean)).toBeLessThan(0.02 * size)
      }
    })
  })
})
