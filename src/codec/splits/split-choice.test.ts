import { describe, expect, it } from 'vitest'
import { makePrng } from '../../lib/prng'
import { guessSplits, Splitter } from './split-choice'
import { splitsColumns, splitsRows } from './split-model'
import {
  drawSplitModel,
  FREQUENCIES,
  guessOf,
  latentsOfGrey,
  latentsOfPicture,
  type Grey,
} from './testing-splits'
import { LATENTS } from '../weights'

/** Places, signs and steps at random: the guess knows them. */
const model = drawSplitModel(21)
/** Grey levels of a step. */
const STEP = 4

const guessOfGrey = (grey: Grey): { likely: number; candidates: number } => {
  const { likely, candidates } = guessOf(model, latentsOfGrey(model, grey, STEP), 1)
  return { likely: likely[0]!, candidates: candidates[0]! }
}

describe('the guess of splits', () => {
  it.each([
    ['nothing', () => 0],
    ['one grey', () => 90],
    ['a slope', (x: number) => 3 * x],
    ['a wave', (x: number, y: number) => 50 * Math.cos((Math.PI * (2 * x + 1)) / 32) + y],
    ['stripes all over', (x: number) => 40 * Math.cos((Math.PI * 6 * (2 * x + 1)) / 32)],
    ['what is lost in rounding', (x: number) => (x < 8 ? 0.1 : 0)],
  ])('is whole for %s', (_, grey) => {
    expect(guessOfGrey(grey).likely).toBe(0)
  })

  it.each([
    // Slopes along the halves, which take more in quarters.
    ['left and right', 2, (x: number, y: number) => (x < 8 ? 6 * y : -20)],
    ['top and bottom', 3, (x: number, y: number) => (y < 8 ? 6 * x : -20)],
    ['a quarter', 1, (x: number, y: number) => (x < 8 && y < 8 ? 70 : -20)],
    ['a bar near the left', 2, (x: number, y: number) => (x === 2 ? 120 - 6 * y : 0)],
    ['a bar near the bottom', 3, (x: number, y: number) => (y === 14 ? 120 - 6 * x : 0)],
    ['a dot', 1, (x: number, y: number) => (x === 3 && y === 12 ? 250 : 0)],
  ] as const)('is the split that shows %s in fewest symbols', (_, split, grey) => {
    const { likely, candidates } = guessOfGrey(grey)
    expect(likely).toBe(split)
    // What is taken untried is worth a trial.
    expect((candidates >> split) & 1).toBe(1)
    expect(candidates & ~0b1110).toBe(0)
  })

  it('tries nothing where there is nothing', () => {
    expect(guessOfGrey(() => 0).candidates).toBe(0)
    expect(guessOfGrey((x) => (x < 8 ? 0.2 : 0)).candidates).toBe(0)
    expect(guessOfGrey((x) => (x < 8 ? 40 : 0)).candidates).not.toBe(0)
  })

  it('splits where edges of a picture are, and nowhere else', () => {
    // A dark box from (20, 36) on, in blocks of 16: its sides lie inside blocks.
    const box: Grey = (x, y) => (x >= 20 && y >= 36 ? -70 : 40)
    const { likely } = guessOf(model, latentsOfPicture(model, box, 4, 4, STEP), 16)
    expect([...likely].map((split) => (split === 0 ? 0 : 1))).toEqual([
      ...[0, 0, 0, 0],
      ...[0, 0, 0, 0],
      ...[0, 1, 1, 1],
      ...[0, 1, 0, 0],
    ])
    // Upright edges halve columns, level ones rows.
    expect(splitsColumns(likely[13]!)).toBe(true)
    for (const position of [10, 11]) expect(splitsRows(likely[position]!)).toBe(true)
  })

  it('leaves latents as they are, and looks at so many positions', () => {
    const y = latentsOfPicture(model, (x, v) => (x % 16 < 8 ? 6 * v : -20), 2, 1, STEP)
    const before = y.slice()
    expect(guessOf(model, y, 1).likely).toEqual(Uint8Array.of(2))
    expect(guessOf(model, y, 2).likely).toEqual(Uint8Array.of(2, 2))
    expect(y).toEqual(before)
  })
})

describe('costs of splits', () => {
  it('are sums of log2(1 + |symbol|) over luma but the lowest frequency, nearly', () => {
    const splitter = new Splitter(model)
    const prng = makePrng(17)
    const luma = model.place.subarray(1, FREQUENCIES)
    for (const spread of [0.1, 2, 50, 2000]) {
      const y = Float32Array.from({ length: LATENTS }, () => prng.nextNormal() * spread)
      const costs = [...splitter.guess(y)]
      const turned = new Float32Array(LATENTS)
      const exact = [0, 1, 2, 3].map((split) => {
        if (split === 0) turned.set(y)
        else splitter.split(split, y, turned)
        return luma.reduce((sum, c) => sum + Math.log2(1 + Math.abs(turned[c]!)), 0)
      })
      // The fraction of a float32 is its logarithm within 0.09; there are 32 products.
      for (const [split, cost] of costs.entries()) {
        expect(cost / 256).toBeLessThanOrEqual(exact[split]! + 0.01)
        expect(cost / 256).toBeGreaterThan(exact[split]! - 32 * 0.095)
      }
      // Chroma does not count.
      model.place.subarray(FREQUENCIES).forEach((c) => (y[c] = 99))
      expect([...splitter.guess(y)]).toEqual(costs)
    }
  })

  it('decide what is taken, what is tried and what stays whole', () => {
    const bits = (...costs: number[]): number[] => costs.map((cost) => 256 * cost)
    const of = [
      bits(2.9, 0, 0, 0),
      bits(3, 1.1, 1.1, 1.1),
      bits(9, 6.9, 6.8, 6.9),
      bits(9, 9.9, 10, 8),
      bits(40, 60, 20, 10),
    ]
    const { likely, candidates } = guessSplits(of.length, (position) => of[position]!)
    expect([...likely]).toEqual([0, 0, 2, 0, 3])
    expect([...candidates]).toEqual([0, 0b1110, 0b1110, 0b1010, 0b1100])
  })
})

describe('splitting latents', () => {
  it('may be in place, and leaves other latents as they are', () => {
    const prng = makePrng(3)
    const splitter = new Splitter(model)
    for (const split of [1, 2, 3]) {
      const y = Float32Array.from({ length: LATENTS }, () => prng.nextNormal() * 5)
      const [before, out] = [y.slice(), new Float32Array(LATENTS).fill(7)]
      splitter.split(split, y, out)
      expect(y).toEqual(before)
      // A colour stays one: places of others are not read.
      const alone = y.map((value, c) => (model.place.indexOf(c) >= 2 * FREQUENCIES ? value : 0))
      splitter.split(split, alone, alone)
      for (const [i, c] of model.place.entries()) expect(alone[c]! + 0).toBe(i < 2 * FREQUENCIES ? 0 : out[c])
      splitter.split(split, y, y)
      expect(y).toEqual(out)
    }
  })
})
