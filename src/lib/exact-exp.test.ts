import { describe, expect, it } from 'vitest'
import { exp, exp2, powerOfTwo } from './exact-exp'
import { makePrng } from './prng'

const random = makePrng(5)
const points = Array.from({ length: 20_000 }, () => (random.nextBelow(2 ** 31) / 2 ** 31 - 0.5) * 80)

describe('exp and exp2', () => {
  it.each([
    ['exp', exp, Math.exp],
    ['exp2', exp2, (x: number) => 2 ** x],
  ] as const)('%s is the built-in one to 1e-14', (_, ours, theirs) => {
    const worst = points.reduce((most, x) => Math.max(most, Math.abs(ours(x) / theirs(x) - 1)), 0)
    expect(worst).toBeLessThan(1e-14)
  })

  it('are exact where they can be', () => {
    for (let n = -1074; n <= 1023; n++) expect(powerOfTwo(n)).toBe(2 ** n)
    expect([0, 1, -3, 10].map(exp2)).toEqual([1, 2, 0.125, 1024])
    expect(exp(0)).toBe(1)
    expect([exp(1000), exp2(5000)]).toEqual([Infinity, Infinity])
    expect([exp(-1000), exp2(-5000)]).toEqual([0, 0])
  })

  it('give these bits', () => {
    const bits = (x: number): string => new BigUint64Array(Float64Array.of(x).buffer)[0]!.toString(16)
    expect([0.1, -2.7, 3.3, 17.25].map((x) => bits(exp(x)))).toMatchInlineSnapshot(`
      [
        "3ff1aec7b35a00d4",
        "3fb13461675400c2",
        "403b1cd5e7807b7b",
        "417d94295464477b",
      ]
    `)
    expect([0.1, -2.7, 3.3, 17.25].map((x) => bits(exp2(x)))).toMatchInlineSnapshot(`
      [
        "3ff125fbee250664",
        "3fc3b2c47bff8328",
        "4023b2c47bff8328",
        "410306fe0a31b715",
      ]
    `)
  })
})
