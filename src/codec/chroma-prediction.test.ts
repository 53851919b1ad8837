import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import {
  checkChromaModel,
  ChromaPrediction,
  PAIR_GAIN_BITS,
  SLOPE_GROUP,
  type ChromaModel,
} from './chroma-prediction'
import { LATENTS } from './weights'

const THIRD = LATENTS / 3

/** A third luma, a third first chroma, a third second chroma; the lowest of each stand alone. */
function model(gain = 1 << PAIR_GAIN_BITS): ChromaModel {
  const [lumaOf, firstOf] = [new Int32Array(LATENTS).fill(-1), new Int32Array(LATENTS).fill(-1)]
  for (let luma = 1; luma < THIRD; luma++) {
    lumaOf[THIRD + luma] = lumaOf[2 * THIRD + luma] = luma
    firstOf[2 * THIRD + luma] = THIRD + luma
  }
  const gains = () => new Int32Array(LATENTS).fill(gain)
  return { lumaOf, firstOf, lumaGain: gains(), firstGain: gains() }
}

/** Predictions [positions, 768] of positions in a row, each with the one before as its west neighbour. */
function predictions(symbols: Int16Array, of = model()): Int32Array {
  const positions = symbols.length / LATENTS
  const chroma = new ChromaPrediction(of, positions + 1)
  const out = new Int32Array(symbols.length)
  for (let p = 0; p < positions; p++) {
    const at = p * LATENTS
    // Site 0 is outside; site p is the position before this one.
    chroma.start(Int32Array.of(p, 0, 0, 0))
    for (let from = 0; from < LATENTS; from += SLOPE_GROUP) {
      chroma.startGroup(from, symbols, at)
      for (let c = from; c < from + SLOPE_GROUP; c++) out[at + c] = chroma.of(c)
      chroma.finishGroup(from, symbols, at)
    }
    chroma.finish(p + 1)
  }
  return out
}

/** Luma at random, and chroma that is so many times luma. */
function coloured(seed: number, positions: number, slopes: readonly [number, number]): Int16Array {
  const prng = makePrng(seed)
  const symbols = new Int16Array(positions * LATENTS)
  for (let at = 0; at < symbols.length; at += LATENTS)
    for (let luma = 1; luma < THIRD; luma++) {
      const value = Math.round((prng.nextNormal() * 4000) / (8 + luma)) * 4
      symbols[at + luma] = value
      slopes.forEach((slope, k) => (symbols[at + (k + 1) * THIRD + luma] = Math.round(value * slope)))
    }
  return symbols
}

const energy = (values: ArrayLike<number>, from: number): number => {
  let sum = 0
  for (let i = from; i < from + LATENTS; i++) sum += values[i]! ** 2
  return sum
}

describe('chroma from luma', () => {
  it('finds the slopes of a position in the one before', () => {
    const symbols = coloured(5, 3, [-0.75, 0.5])
    const foretold = predictions(symbols)
    const left = symbols.map((value, i) => (i % LATENTS < THIRD ? 0 : value - foretold[i]!))
    for (const p of [1, 2]) {
      const chroma = symbols.map((value, i) => (i % LATENTS < THIRD ? 0 : value))
      expect(energy(left, p * LATENTS)).toBeLessThan(0.01 * energy(chroma, p * LATENTS))
    }
  })

  it('foretells nothing where nothing is known, of luma, and of what has no partner', () => {
    const foretold = predictions(coloured(6, 2, [0.5, 0.5]))
    expect(foretold.subarray(0, THIRD + SLOPE_GROUP).every((value) => value === 0)).toBe(true)
    for (const c of [0, THIRD, 2 * THIRD, 17]) expect(foretold[LATENTS + c]).toBe(0)
    expect(foretold.subarray(LATENTS).some((value) => value !== 0)).toBe(true)
    expect(predictions(coloured(6, 2, [0.5, 0.5]), model(0)).every((value) => value === 0)).toBe(true)
  })

  it('turns round with its symbols, which personal models rely on', () => {
    const slope = fc.double({ min: -3, max: 3, noNaN: true })
    fc.assert(
      fc.property(fc.nat(), slope, slope, (seed, first, second) => {
        const symbols = coloured(seed, 2, [first, second])
        const turned = predictions(symbols.map((value) => -value))
        expect([...turned].map((value) => 0 - value)).toEqual([...predictions(symbols)])
      }),
      { numRuns: 10 },
    )
  })

  it('refuses models that would need a channel too early or twice', () => {
    expect(() => checkChromaModel(model())).not.toThrow()
    const changes: ((m: ChromaModel) => void)[] = [
      ({ lumaOf }) => (lumaOf[5] = 3),
      ({ lumaOf }) => (lumaOf[300] = 700),
      ({ lumaOf }) => (lumaOf[300] = 300),
      ({ lumaOf }) => (lumaOf[300] = 301 - THIRD),
      ({ lumaOf }) => (lumaOf[700] = 300),
      ({ firstOf }) => (firstOf[300] = 20),
      ({ firstOf }) => (firstOf[600] = 601 - THIRD),
      ({ firstOf }) => (firstOf[2] = 1),
    ]
    for (const change of changes) {
      const broken = model()
      change(broken)
      expect(() => checkChromaModel(broken)).toThrow(RangeError)
    }
  })
})
