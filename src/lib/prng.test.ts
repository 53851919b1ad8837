import { describe, expect, it } from 'vitest'
import { makePrng, prngFromState } from './prng'

describe('prng', () => {
  it('gives the sequence of the reference implementation for the state 1, 2, 3, 4', () => {
    // The reference C code of xoshiro128** 1.1 (prng.di.unimi.it), as also tested in the rand_xoshiro crate.
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]
    const prng = prngFromState([1, 2, 3, 4])
    expect(expected.map(() => prng.nextU32())).toEqual(expected)
  })

  it('repeats for one seed and differs for another', () => {
    const draw = (seed: number) => {
      const bytes = new Uint8Array(37)
      makePrng(seed).fill(bytes)
      return bytes
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  it('stays in range and covers it', () => {
    const prng = makePrng(1)
    const seen = new Set<number>()
    for (let i = 0; i < 1000; i++) seen.add(prng.nextBelow(10))
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    let sum = 0
    let squares = 0
    for (let i = 0; i < 20000; i++) {
      const x = prng.nextNormal()
      sum += x
      squares += x * x
    }
    expect(Math.abs(sum / 20000)).toBeLessThan(0.03)
    expect(Math.abs(squares / 20000 - 1)).toBeLessThan(0.05)
  })
})
