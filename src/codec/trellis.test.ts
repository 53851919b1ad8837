import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import { readModel } from '../training/node-model'
import { contextModelAt, SYMBOL_UNIT } from './context-model'
import { nextState, quantizerOf, reconstruct, type Quantizer, type State } from './dependent-quantization'
import { buildTableBank } from './entropy-tables'
import { QUALITY_MAX } from './quality'
import { worthsAt } from './symbol-choice'
import { withDependentQuantization } from './testing-dependent'
import { residuals, walk, withIntra } from './testing-intra'
import { withCalibration, withStages } from './testing-stages'
import { decodeTile, encodeTile, type TileEntropy } from './tile-coder'
import { TileContext } from './tile-context'
import { LATENTS, type CodecWeights } from './weights'

let trained: CodecWeights
/** No symbol bears on another's table or mean. */
let loose: CodecWeights
beforeAll(async () => {
  trained = withDependentQuantization((await readModel()).weights)
  const integers = new Map(trained.integers)
  for (const [name, values] of integers)
    if (!['thresholds', 'scale_bias', 'luma_of', 'first_of', 'drift_shift'].includes(name))
      integers.set(name, new Int32Array(values.length))
  loose = { ...trained, integers }
})

const entropyOf = (weights: CodecWeights, quality: number): TileEntropy => ({
  model: contextModelAt(weights, quality),
  bank: buildTableBank(weights.tables),
  kernel: null,
})

function latents(seed: number, positions: number, active: number, spread: number): Float32Array {
  const prng = makePrng(seed)
  return Float32Array.from({ length: positions * LATENTS }, (_, i) => {
    const c = i % LATENTS
    return c < active ? (prng.nextNormal() * spread) / (1 + c / 12) : 0
  })
}

/** Bits, and squared error times its worth. */
function costOf(
  entropy: TileEntropy,
  bytes: Uint8Array,
  y: Float32Array,
  side: number,
  worth: number,
): number {
  const { symbols, active } = decodeTile(entropy, bytes, side, side)
  let error = 0
  for (let i = 0; i < y.length; i++) {
    const c = i % LATENTS
    const restored = c < active ? symbols[Math.floor(i / LATENTS) * active + c]! / SYMBOL_UNIT : 0
    error += (y[i]! - restored) ** 2
  }
  return 8 * bytes.length + worth * error
}

/** The cheapest symbol of every state, without regard to what follows. */
function chooseAlone(
  entropy: TileEntropy,
  y: Float32Array,
  side: number,
  active: number,
  worth: number,
): Int16Array {
  const { model, bank } = entropy
  const context = new TileContext(model, side, side, active)
  const chosen = new Int16Array(y.length)
  for (let position = 0; position < side * side; position++) {
    context.start(position % side, Math.floor(position / side))
    for (let c = 0; c < active; c++) {
      const mean = context.mean(c)
      const table = context.table(c)
      const value = y[position * LATENTS + c]! - mean / SYMBOL_UNIT
      const quantizer = quantizerOf(context.state)
      const costs = pointsNear(Math.abs(value), quantizer).map((k) =>
        costOfMagnitude(bank, table, k, Math.abs(value), quantizer, worth),
      )
      const k = pointsNear(Math.abs(value), quantizer)[costs.indexOf(Math.min(...costs))]!
      chosen[position * LATENTS + c] = value < 0 ? -k : k
      context.put(c, value < 0 ? -k : k, mean)
    }
    context.finish()
  }
  return chosen
}

/** Zero and the magnitudes on both sides of a distance. */
function pointsNear(distance: number, quantizer: Quantizer): number[] {
  let low = 0
  while (reconstruct(quantizer, low + 1) / SYMBOL_UNIT <= distance) low++
  return [...new Set([0, low, low + 1])]
}

function costOfMagnitude(
  { bits, from, size }: TileEntropy['bank'],
  table: number,
  k: number,
  distance: number,
  quantizer: Quantizer,
  worth: number,
): number {
  const rate = bits[from[table]! + Math.min(k, size[table]! - 1)]!
  return rate + worth * (distance - reconstruct(quantizer, k) / SYMBOL_UNIT) ** 2
}

describe('the trellis', () => {
  it('finds the cheapest path where no symbol bears on the table of another', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 31),
        fc.constantFrom(0.3, 2, 20),
        fc.nat(QUALITY_MAX),
        (seed, spread, quality) => {
          const entropy = entropyOf(loose, quality)
          const { bank, model } = entropy
          const y = latents(seed, 1, 48, spread)
          y[47] = 1
          const worth = worthsAt(quality, 1)[0]!
          const context = new TileContext(model, 1, 1, 48)
          context.start(0, 0)
          // By channel and state, from the last channel on.
          let toGo = [0, 0, 0, 0]
          for (let c = 47; c >= 0; c--) {
            toGo = ([0, 1, 2, 3] as State[]).map((state) => {
              const quantizer = quantizerOf(state)
              const table = context.table(c, quantizer)
              const distance = Math.abs(y[c]!)
              const costs = pointsNear(distance, quantizer).map(
                (k) =>
                  costOfMagnitude(bank, table, k, distance, quantizer, worth) + toGo[nextState(state, k)]!,
              )
              return Math.min(...costs)
            })
          }
          const least = toGo[0]!
          let cost = 0
          let state: State = 0
          const observe = (table: number, magnitude: number, distance: number): void => {
            cost += costOfMagnitude(bank, table, magnitude, distance, quantizerOf(state), worth)
            state = nextState(state, magnitude)
          }
          encodeTile(entropy, y, 1, 1, { worth, observe })
          expect(cost).toBeCloseTo(least, 6)
        },
      ),
      { numRuns: 60 },
    )
  })

  it.each([
    [12, 0.5],
    [32, 4],
    [50, 20],
  ])('costs less with a plan than without on the mean, at quality %i', (quality, spread) => {
    const entropy = entropyOf(trained, quality)
    const worth = worthsAt(quality, 1)[0]!
    const sums = { planned: 0, ahead: 0, alone: 0 }
    const [side, active] = [3, 96]
    for (let seed = 0; seed < 12; seed++) {
      const y = latents(seed, side * side, active, spread)
      y[active - 1] = 1
      const cost = (choices: Parameters<typeof encodeTile>[4]): number =>
        costOf(entropy, encodeTile(entropy, y.slice(), side, side, choices), y, side, worth)
      sums.planned += cost({ worth })
      sums.ahead += cost({ worth, plan: false })
      sums.alone += cost({ chosen: chooseAlone(entropy, y, side, active, worth) })
    }
    expect(sums.planned).toBeLessThan(sums.ahead)
    expect(sums.ahead).toBeLessThan(sums.alone)
  })

  it.each([
    ['edges', (weights: CodecWeights) => withIntra(weights, 3, { width: 9, hidden: 7 }, 400)],
    ['scale stages', (weights: CodecWeights) => withStages(weights, 3, 6, 300)],
    ['calibration', withCalibration],
  ])('leaves no trace of its survey in what is coded with %s', (_, having) => {
    const entropy = entropyOf(having(trained), 30)
    const y = latents(4, 9, 240, 30)
    const coded: number[] = []
    const bytes = encodeTile(entropy, y.slice(), 3, 3, { observe: (_, magnitude) => coded.push(magnitude) })
    const { symbols, active } = decodeTile(entropy, bytes, 3, 3)
    // The same magnitudes with the signs that they were coded with, put without any survey.
    const context = new TileContext(entropy.model, 3, 3, active)
    const chosen = new Int16Array(9 * LATENTS)
    for (let i = 0; i < symbols.length; i++) {
      const [position, c] = [Math.floor(i / active), i % active]
      if (c === 0) context.start(position % 3, Math.floor(position / 3))
      const mean = context.mean(c)
      context.table(c)
      const isBelow = y[position * LATENTS + c]! - mean / SYMBOL_UNIT < 0
      const symbol = isBelow ? -coded[i]! : coded[i]!
      chosen[position * LATENTS + c] = symbol
      context.put(c, symbol, mean)
      if (c === active - 1) context.finish()
    }
    expect(context.symbols).toEqual(symbols)
    expect(encodeTile(entropy, y, 3, 3, { chosen })).toEqual(bytes)
  })
})

describe('a tile with dependent quantization', () => {
  it.each([0, 16, 32, 112, 192, 768])('round trips chosen symbols of %i channels', (active) => {
    for (const [width, height] of [
      [1, 1],
      [1, 3],
      [3, 2],
    ] as const) {
      const seed = 8 * active + 4 * height + width
      const weights = withIntra(trained, seed, { width: 9, hidden: 7 }, 400, true)
      const entropy = entropyOf(weights, seed % (QUALITY_MAX + 1))
      const next = residuals(seed, 3)
      const chosen = Int16Array.from({ length: width * height * LATENTS }, (_, i) => {
        const c = i % LATENTS
        return c >= active ? 0 : c === active - 1 ? 1 : next()
      })
      const coded = encodeTile(entropy, new Float32Array(chosen.length), width, height, { chosen })
      const put = chosen.filter((_, i) => i % LATENTS < active).values()
      const { symbols } = walk(entropy.model, { width, height, active }, () => put.next().value!)
      expect(decodeTile(entropy, coded, width, height)).toEqual({ symbols, active, width })
    }
  })

  it('restores what it is given within a step or the rate-distortion zone, large values too', () => {
    for (const plan of [true, false]) {
      const entropy = entropyOf(trained, 40)
      const y = latents(6, 9, 768, 20)
      y[5] = 1900
      y[LATENTS + 3] = -1900
      y[767] = 1
      const coded = encodeTile(entropy, y.slice(), 3, 3, { plan })
      const { symbols } = decodeTile(entropy, coded, 3, 3)
      const worst = symbols.reduce((most, s, i) => Math.max(most, Math.abs(s / SYMBOL_UNIT - y[i]!)), 0)
      expect(worst).toBeLessThan(2)
    }
  })
})
