import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makePrng, type Prng } from '../../lib/prng'
import { tinyModel } from '../../model/testing'
import { SYMBOL_LIMIT, SYMBOL_UNIT } from '../context-model'
import { Splitter } from './split-choice'
import {
  SPLIT_TENSORS,
  splitName,
  splitsColumns,
  SPLITS,
  splitShapes,
  splitsRows,
  turnBack,
  type SplitModel,
} from './split-model'
import { drawSplitModel, FREQUENCIES, halvesOfDct, latentsOfGrey, type Grey } from './testing-splits'
import { BLOCK, LATENTS } from '../weights'

const seeds = fc.nat(2 ** 31)
const split = fc.constantFrom(1, 2, 3)

/** What the definition says, and how often it saturates, wraps and limits. */
function turnedAgain(
  { halves, place, sign, step, unstep }: SplitModel,
  kind: number,
  symbols: Int16Array,
): { turned: number[]; saturated: number; wrapped: number; limited: number } {
  const seen = { saturated: 0, wrapped: 0, limited: 0 }
  const wrap = (x: bigint): bigint => {
    const wrapped = BigInt.asIntN(32, x)
    if (wrapped !== x) seen.wrapped++
    return wrapped
  }
  const rounded = (x: bigint): bigint => wrap(x + 8192n) >> 14n
  const saturate = (x: bigint): bigint => {
    const inside = x > 32767n ? 32767n : x < -32768n ? -32768n : x
    if (inside !== x) seen.saturated++
    return inside
  }
  const big = (values: Int32Array | Int16Array, i: number): bigint => BigInt(values[i]!)
  let t = Array.from({ length: LATENTS }, (_, i) => {
    const c = place[i]!
    return saturate(rounded(wrap(big(symbols, c) * big(sign, i) * big(step, c))))
  })
  const along = (at: (colour: number, v: number, u: number, a: number) => number, rows: boolean): bigint[] =>
    t.map((_, i) => {
      const [colour, v, u] = [Math.floor(i / 256), (i >> 4) & 15, i & 15]
      let sum = 0n
      for (let a = 0; a < 16; a++) sum += big(halves, 16 * a + (rows ? v : u)) * t[at(colour, v, u, a)]!
      return saturate(rounded(wrap(sum)))
    })
  if (kind !== 2) t = along((colour, _, u, a) => 256 * colour + 16 * a + u, true)
  if (kind !== 3) t = along((colour, v, _, a) => 256 * colour + 16 * v + a, false)
  const turned = new Array<number>(LATENTS)
  for (let i = 0; i < LATENTS; i++) {
    const symbol = big(sign, i) * rounded(wrap(t[i]! * big(unstep, place[i]!)))
    const limited = symbol > 32752n ? 32752n : symbol < -32752n ? -32752n : symbol
    if (limited !== symbol) seen.limited++
    turned[place[i]!] = Number(limited)
  }
  return { turned, ...seen }
}

/** Symbols in sixteenths of which some are as large as they may be, and some are zero. */
function drawSymbols(prng: Prng, spread: number): Int16Array {
  const extremes = [SYMBOL_LIMIT, -SYMBOL_LIMIT, 32767, -32768, 0]
  return Int16Array.from({ length: LATENTS }, () =>
    prng.nextBelow(20) === 0
      ? extremes[prng.nextBelow(extremes.length)]!
      : Math.max(-SYMBOL_LIMIT, Math.min(SYMBOL_LIMIT, Math.round(prng.nextNormal() * spread))),
  )
}

describe('turning back', () => {
  it('is what its definition says, whatever saturates, wraps and is limited', () => {
    const outcomes = { saturated: 0, wrapped: 0, limited: 0, within: 0 }
    const spread = fc.constantFrom(0, 3, 200, 5000, 30_000)
    fc.assert(
      fc.property(seeds, split, spread, fc.boolean(), (seed, kind, wide, wild) => {
        const model = drawSplitModel(seed, wild)
        const symbols = drawSymbols(makePrng(seed), wide)
        const { turned, ...seen } = turnedAgain(model, kind, symbols)
        turnBack(model, kind, symbols, SYMBOL_LIMIT)
        expect([...symbols]).toEqual(turned)
        outcomes.saturated += seen.saturated
        outcomes.wrapped += seen.wrapped
        outcomes.limited += seen.limited
        outcomes.within += turned.filter((symbol) => symbol !== 0 && Math.abs(symbol) < 1000).length
      }),
      { numRuns: 60 },
    )
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(100)
  })

  it('leaves nothing where there was nothing, and reaches channels that were silent', () => {
    const model = drawSplitModel(5)
    const symbols = new Int16Array(LATENTS)
    turnBack(model, 1, symbols, SYMBOL_LIMIT)
    expect(symbols.every((symbol) => symbol === 0)).toBe(true)
    symbols[model.place[0]!] = 800
    turnBack(model, 1, symbols, SYMBOL_LIMIT)
    // The sum of all quarters is the lowest of the whole; what they differ by is heard all over their colour.
    expect(symbols.filter((symbol) => symbol !== 0).length).toBe(1)
    symbols[model.place[16 + 1]!] = 800
    turnBack(model, 1, symbols, SYMBOL_LIMIT)
    const heard = [...symbols.keys()].filter((c) => symbols[c] !== 0)
    expect(heard.length).toBeGreaterThan(20)
    const ofLuma = new Set(model.place.subarray(0, FREQUENCIES))
    expect(heard.every((c) => ofLuma.has(c))).toBe(true)
  })

  it.each([
    ['even', true],
    ['any', false],
  ])('undoes turning forth but for rounding: %s steps', (_, hasEvenSteps) => {
    const outcomes = new Set<number>()
    fc.assert(
      fc.property(seeds, split, (seed, which) => {
        const drawn = drawSplitModel(seed)
        const one = new Int32Array(LATENTS).fill(1 << 14)
        const model = hasEvenSteps ? { ...drawn, step: one, unstep: one } : drawn
        const prng = makePrng(seed)
        const y = Float32Array.from({ length: LATENTS }, () => prng.nextNormal() * 10)
        const before = y.slice()
        const forth = new Float32Array(LATENTS)
        new Splitter(model).split(which, y, forth)
        expect(y).toEqual(before)
        const symbols = Int16Array.from(forth, (value) => Math.round(value * SYMBOL_UNIT))
        turnBack(model, which, symbols, SYMBOL_LIMIT)
        // In sixteenths of what a step of one is; a turn keeps the sum of squares.
        const errors = Array.from(
          symbols,
          (symbol, c) => (symbol - SYMBOL_UNIT * y[c]!) * (model.step[c]! / 2 ** 14),
        )
        const rms = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / LATENTS)
        expect(rms).toBeLessThan(hasEvenSteps ? 0.6 : 0.9)
        expect(Math.max(...errors.map(Math.abs))).toBeLessThan(5)
        // It turned.
        const apart = forth.reduce((sum, value, c) => sum + (value - y[c]!) ** 2, 0)
        expect(apart).toBeGreaterThan(1000)
        outcomes.add(which)
      }),
      { numRuns: 40 },
    )
    expect(outcomes.size).toBe(3)
  })
})

describe('a split', () => {
  const model = drawSplitModel(9)
  /** Symbols that are not zero, in steps of two grey levels. */
  const countOf = (which: number, grey: Grey): number => {
    const y = latentsOfGrey(model, grey, 2)
    if (which > 0) new Splitter(model).split(which, y, y)
    return y.filter((value) => Math.abs(value) >= 0.5).length
  }

  it.each([
    ['left half', 2, (x: number) => (x < 8 ? 60 : 0), 2],
    ['upper half', 3, (_: number, y: number) => (y < 8 ? 60 : 0), 2],
    ['right half with a slope down', 2, (x: number, y: number) => (x < 8 ? 0 : 8 * y), 30],
    ['lower left quarter', 1, (x: number, y: number) => (x < 8 && y >= 8 ? 60 : 0), 4],
  ] as const)('takes few symbols for what only its part shows: the %s', (_, best, grey, most) => {
    const counts = [0, 1, 2, 3].map((which) => countOf(which, grey))
    expect(counts[best]).toBeLessThanOrEqual(most)
    const others = counts.filter((__, which) => which !== best && which !== 1)
    for (const count of others) expect(count).toBeGreaterThan(1.5 * counts[best]!)
    // Quarters show a part of two quarters as well.
    expect(counts[1]).toBeLessThan(counts[0]!)
  })

  it('is no better for what is smooth', () => {
    const counts = [0, 1, 2, 3].map((which) =>
      countOf(which, (x, y) => 40 * Math.cos((Math.PI * (x + y + 1)) / 32)),
    )
    for (const which of [1, 2, 3]) expect(counts[which]).toBeGreaterThan(counts[0]!)
  })

  it('has halves along rows or columns', () => {
    expect([0, 1, 2, 3].map(splitsRows)).toEqual([false, true, false, true])
    expect([0, 1, 2, 3].map(splitsColumns)).toEqual([false, true, true, false])
    const halves = halvesOfDct()
    const product = (a: number, b: number): number => {
      let sum = 0
      for (let k = 0; k < BLOCK; k++) sum += halves[a * BLOCK + k]! * halves[b * BLOCK + k]!
      return sum / 2 ** 28
    }
    for (let a = 0; a < BLOCK; a++)
      for (let b = 0; b < BLOCK; b++) expect(product(a, b)).toBeCloseTo(a === b ? 1 : 0, 3)
  })

  it('has tensors of its own, and a model without has none', () => {
    const { config } = tinyModel(1)
    expect(splitShapes(config)).toEqual([])
    expect(splitShapes({ ...config, splits: 1 })).toEqual([
      ['split_halves', [16, 16]],
      ['split_place', [768]],
      ['split_sign', [768]],
      ['split_step', [7, 768]],
      ['split_unstep', [7, 768]],
      ['split_prior', [16, 4]],
    ])
    expect(SPLIT_TENSORS.map((name) => splitName(2, name))).toContain('split_2_stage_bias_3')
    expect(new Set(SPLIT_TENSORS).size).toBe(14)
    expect(SPLITS).toBe(4)
  })
})
