import { describe, expect, it } from 'vitest'
import { powerLawFields } from './noise-field'
import { exp2, power, Random } from './random'
import { cosineOfTurns, sineOfTurns, TURN } from './turn-table'

describe('functions made of + - * / and square roots', () => {
  it('sine and cosine agree with Math', () => {
    for (let i = -5; i < 2 * TURN; i += 37) {
      const turns = i / TURN
      expect(sineOfTurns(turns)).toBeCloseTo(Math.sin(2 * Math.PI * turns), 12)
      expect(cosineOfTurns(turns)).toBeCloseTo(Math.cos(2 * Math.PI * turns), 12)
    }
  })

  it('exp2 and power agree with Math', () => {
    for (const x of [-12.3, -1, -0.5, 0, 0.1, 0.999, 1, 7.7]) expect(exp2(x) / 2 ** x).toBeCloseTo(1, 9)
    for (const base of [0.01, 1, 30])
      for (const share of [0, 0.3, 0.5, 0.99]) expect(power(base, share) / base ** share).toBeCloseTo(1, 7)
  })
})

describe('Random', () => {
  it('draws with the stated means and variances', () => {
    const random = new Random(11)
    let [sum, squares, spread] = [0, 0, 0]
    const n = 20_000
    for (let i = 0; i < n; i++) {
      const v = random.normal()
      sum += v
      squares += v * v
      spread += Math.log2(random.spread(2)) ** 2
      const l = random.logBetween(0.5, 8)
      if (l < 0.5 || l > 8) throw new Error('out of range')
    }
    expect(Math.abs(sum / n)).toBeLessThan(0.03)
    expect(squares / n).toBeCloseTo(1, 1)
    expect(Math.sqrt(spread / n)).toBeCloseTo(2, 1)
  })
})

describe('powerLawFields', () => {
  it('have unit variance and the power that the slope asks for', () => {
    const n = 64
    for (const quarters of [0, 4, 8]) {
      for (const field of powerLawFields(new Random(quarters), n, quarters)) {
        const amplitude = (f: number): number => {
          let sum = 0
          for (let k = 0; k < n; k++) {
            // Energy of one frequency along the rows, over all rows.
            let [re, im] = [0, 0]
            for (let x = 0; x < n; x++) {
              const turn = (2 * Math.PI * f * x) / n
              re += field[k * n + x]! * Math.cos(turn)
              im += field[k * n + x]! * Math.sin(turn)
            }
            sum += re * re + im * im
          }
          return sum
        }
        expect(field.reduce((s, v) => s + v * v, 0) / n / n).toBeCloseTo(1, 4)
        const drop = (amplitude(3) + amplitude(4)) / (amplitude(24) + amplitude(25))
        // Rows sum over the other axis: power of 1 / f^(2 s) falls as 1 / f^(2 s - 1) for s > 1/2.
        if (quarters === 0) expect(drop).toBeLessThan(2)
        if (quarters === 4) expect(drop).toBeGreaterThan(2.5)
        if (quarters === 8) expect(drop).toBeGreaterThan(80)
      }
    }
  })
})
