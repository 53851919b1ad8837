import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../../lib/prng'
import { readModel } from '../../training/node-model'
import { contextModelAt } from '../context-model'
import { inverseFrequencies } from './encode'
import { createEntropyKernel } from './entropy-kernel'
import { buildTableBank } from '../entropy-tables'
import { CodecError } from '../errors'
import { withIntra } from '../testing-intra'
import { withCalibration, withStages } from '../testing-stages'
import { decodeTile, encodeTile, type TileChoices, type TileEntropy } from '../tile-coder'
import { LATENTS, type CodecWeights } from '../weights'
import { latents, randomWeights, unitOf } from './testing-weights'

/** The newest model without splits, and the first one, which predicts no chroma. */
let shipped: CodecWeights
let plain: CodecWeights
beforeAll(async () => {
  shipped = (await readModel('safelight-v4')).weights
  plain = (await readModel('safelight-v1')).weights
})

/** The weights with some steps of drift at random, and ranks' tables in another order, some for several ranks. */
function withAnyDrift(weights: CodecWeights, from: number): CodecWeights {
  const unit = unitOf(from)
  const any = (name: string, draw: () => number): [string, Int32Array] => [
    name,
    weights.integers.get(name)!.map((value) => (unit() < 0.5 ? value : draw())),
  ]
  const ranks = weights.tables.length
  const integers = new Map([
    ...weights.integers,
    any('drift', () => (unit() - 0.5) * 2 ** (31 * unit())),
    any('drift_shift', () => unit() * 5),
    [
      'table_of_scale',
      Int32Array.from({ length: ranks }, (_, rank) => (unit() < 0.7 ? rank : unit() * ranks)),
    ],
  ])
  return { ...weights, integers }
}

const withAll = (weights: CodecWeights): CodecWeights => withStages(withCalibration(weights), 6, 64, 100)

interface Pair {
  readonly kernel: TileEntropy
  readonly reference: TileEntropy
}

async function entropies(weights: CodecWeights, quality: number): Promise<Pair> {
  const model = contextModelAt(weights, quality)
  const bank = buildTableBank(weights.tables)
  const kernel = await createEntropyKernel(weights.config, model, bank)
  expect(kernel).not.toBeNull()
  return { kernel: { model, bank, kernel }, reference: { model, bank, kernel: null } }
}

/** Adds so many times luma to what is predicted from it. */
function follow(y: Float32Array, lumaOf: Int32Array, slope: number): void {
  for (let at = 0; at < y.length; at += LATENTS)
    lumaOf.forEach((luma, c) => {
      if (luma >= 0) y[at + c] = Math.max(-2047, Math.min(2047, y[at + c]! + slope * y[at + luma]!))
    })
}

function expectSame(
  { kernel, reference }: Pair,
  y: Float32Array,
  width: number,
  height: number,
  choices: TileChoices = {},
): Uint8Array {
  const expected = encodeTile(reference, y, width, height, choices)
  const coded = encodeTile(kernel, y, width, height, choices)
  expect(Buffer.compare(coded, expected)).toBe(0)
  const symbols = decodeTile(reference, coded, width, height)
  const decoded = decodeTile(kernel, coded, width, height)
  expect(decoded.active).toBe(symbols.active)
  expect(Buffer.compare(Buffer.from(decoded.symbols.buffer), Buffer.from(symbols.symbols.buffer))).toBe(0)
  return coded
}

const side = fc.constantFrom(1, 2, 3, 5)
const seed = fc.nat(2 ** 31)

describe('the WebAssembly entropy coder', () => {
  it('codes and restores as the reference does, with the shipped weights', async () => {
    const spread = fc.constantFrom(0.3, 3, 30, 400)
    await fc.assert(
      fc.asyncProperty(seed, spread, side, side, fc.nat(63), async (from, wide, width, height, quality) => {
        const y = latents(unitOf(from), width * height, wide)
        expectSame(await entropies(shipped, quality), y, width, height)
      }),
      { numRuns: 25 },
    )
  })

  it('agrees on any weights, sums that wrap included', async () => {
    const reach = fc.constantFrom(50, 1000, 32767)
    await fc.assert(
      fc.asyncProperty(seed, reach, side, side, async (from, far, width, height) => {
        const unit = unitOf(from)
        const y = latents(unit, width * height, 20)
        expectSame(await entropies(randomWeights(plain, from, far), 31), y, width, height)
      }),
      { numRuns: 25 },
    )
  })

  it('agrees where luma predicts chroma, whatever the gains', async () => {
    const spread = fc.constantFrom(0.3, 3, 30, 400, 40_000)
    await fc.assert(
      fc.asyncProperty(seed, spread, side, side, async (from, wide, width, height) => {
        const weights = randomWeights(plain, from, 50, true)
        const y = latents(unitOf(from), width * height, wide)
        follow(y, weights.integers.get('luma_of')!, 20 * unitOf(from)() ** 3)
        expectSame(await entropies(weights, 31), y, width, height)
      }),
      { numRuns: 40 },
    )
  })

  it('agrees where edges predict, whatever the sizes and weights', async () => {
    const wide = fc.constantFrom(0.3, 3, 30, 400, 40_000)
    const reach = fc.constantFrom(60, 400, 4000, 32767)
    const units = fc.record({
      width: fc.integer({ min: 1, max: 100 }),
      hidden: fc.integer({ min: 1, max: 70 }),
    })
    const active = fc.constantFrom(0, 16, 32, 48, 96, 112, 192, 208, LATENTS)
    await fc.assert(
      fc.asyncProperty(
        ...[seed, wide, side, side, reach, units, active, fc.boolean()],
        async (from, spread, width, height, far, size, channels, withChroma) => {
          const weights = withIntra(randomWeights(plain, from, 50, withChroma), from, size, far, true)
          const pair = await entropies(weights, from % 64)
          expect(pair.reference.model.intra).not.toBeNull()
          // A tile with all channels first: nothing of it may count in the next.
          for (const known of [LATENTS, channels]) {
            const y = latents(unitOf(from), width * height, spread)
            expectSame(
              pair,
              y.map((value, i) => (i % LATENTS < known ? value : 0)),
              width,
              height,
            )
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('agrees on a full tile where edges predict', async () => {
    const weights = withIntra(shipped, 4, { width: 96, hidden: 64 }, 150)
    expectSame(await entropies(weights, 40), latents(unitOf(1), 32 * 32, 8), 32, 32)
  })

  it('agrees on a full tile, and again on the next one', async () => {
    const pair = await entropies(shipped, 40)
    for (const [from, spread] of [
      [1, 12],
      [2, 3],
    ] as const)
      expectSame(pair, latents(unitOf(from), 32 * 32, spread), 32, 32)
  })

  it('agrees on models with all there is or some of it, whatever the weights and worths', async () => {
    const wide = fc.constantFrom(0.3, 3, 30, 400, 40_000)
    const active = fc.constantFrom(0, 16, 32, 48, 112, 208, 336, LATENTS)
    const yes = fc.boolean()
    const parts = fc.record({
      ...{ chroma: yes, intra: yes, random: yes },
      ...{
        ...{ calibrated: yes, drifting: yes },
        stageHidden: fc.constantFrom(0, 1, 40, 64),
        stageReach: fc.constantFrom(200, 32767),
      },
    })
    const worths = fc.constantFrom(0.01, 3, 8, 60).map(Math.fround)
    await fc.assert(
      fc.asyncProperty(
        ...[seed, wide, side, side, active, parts, worths],
        async (from, spread, width, height, channels, has, worth) => {
          const drawn = has.random ? randomWeights(plain, from, 50, has.chroma) : shipped
          const edged = has.intra ? withIntra(drawn, from, { width: 20, hidden: 9 }, 60) : drawn
          const units = has.stageHidden
          const staged = units === 0 ? edged : withStages(edged, from, units, has.stageReach, true)
          const calibrated = has.calibrated ? withCalibration(staged) : staged
          const pair = await entropies(has.drifting ? withAnyDrift(calibrated, from) : calibrated, from % 64)
          // A tile with all channels first: nothing of it may count in the next.
          for (const known of [LATENTS, channels]) {
            const y = latents(unitOf(from), width * height, spread)
            const heard = y.map((value, i) => (i % LATENTS < known ? value : 0))
            expectSame(pair, heard, width, height, { worth })
          }
        },
      ),
      { numRuns: 100 },
    )
  })

  it('agrees on full tiles with all there is', async () => {
    const pair = await entropies(withAll(shipped), 40)
    expectSame(pair, latents(unitOf(9), 32 * 32, 10), 32, 32)
  })

  it('codes the residuals that it is told to', async () => {
    const pair = await entropies(plain, 20)
    const unit = unitOf(7)
    const chosen = Int16Array.from(latents(unit, 12, 30), (v) => Math.round(v))
    const y = new Float32Array(chosen.length)
    const expected = encodeTile(pair.reference, y, 4, 3, { chosen })
    expect(Buffer.compare(encodeTile(pair.kernel, y, 4, 3, { chosen }), expected)).toBe(0)
    const { symbols, active } = decodeTile(pair.kernel, expected, 4, 3)
    const first = Array.from(symbols.subarray(0, active), (symbol) => Math.round(symbol / 16))
    // The first position has no neighbours: its means are zero.
    expect(first).toEqual([...chosen.subarray(0, active)])
  })

  it.each([
    ['', (w: CodecWeights) => w],
    [' with all there is', withAll],
  ])('answers damaged tiles as the reference does%s', async (_, changed) => {
    const { kernel, reference } = await entropies(changed(shipped), 30)
    const random = makePrng(5)
    const sound = encodeTile(reference, latents(unitOf(3), 4, 60), 2, 2)
    const outcome = (entropy: TileEntropy, bytes: Uint8Array): string => {
      try {
        return decodeTile(entropy, bytes, 2, 2).symbols.join()
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError)
        return (error as CodecError).message
      }
    }
    const messages = new Set<string>()
    for (let n = 0; n < 600; n++) {
      const copy = sound.slice(0, n % 4 === 0 ? 8 + (random.nextU32() % sound.length) : sound.length)
      const at = n % 3 === 0 ? random.nextU32() % 8 : random.nextU32() % copy.length
      copy[at]! ^= 1 << (random.nextU32() & 7)
      const expected = outcome(reference, copy)
      expect(outcome(kernel, copy)).toBe(expected)
      if (/[a-z]/.test(expected)) messages.add(expected)
    }
    expect(messages.size).toBeGreaterThanOrEqual(4)
  })

  it('refuses a tile longer than any sound one without reading it', async () => {
    const { kernel } = await entropies(shipped, 30)
    const long = new Uint8Array(6_000_000)
    long.set([48, 0, 0, 0, 1])
    expect(() => decodeTile(kernel, long, 1, 1)).toThrow(/too long/)
  })

  it('leaves weights of more than 16 bits to the reference', async () => {
    const integers = new Map(shipped.integers)
    integers.set(
      'scale_dense',
      shipped.integers.get('scale_dense')!.map((w, i) => (i === 900 ? 40_000 : w)),
    )
    const model = contextModelAt({ ...shipped, integers }, 30)
    expect(await createEntropyKernel(shipped.config, model, buildTableBank(shipped.tables))).toBeNull()
  })

  it.each(['intra_in', 'intra_mid_2', 'intra_step', 'stage_in_1', 'stage_out_3'])(
    'leaves %s of more than 16 bits to it too',
    async (name) => {
      const weights = withStages(withIntra(shipped, 1, { width: 5, hidden: 3 }, 100), 1, 4, 100)
      const integers = new Map(weights.integers)
      integers.set(
        name,
        integers.get(name)!.map(() => 40_000),
      )
      const model = contextModelAt({ ...weights, integers }, 30)
      expect(await createEntropyKernel(weights.config, model, buildTableBank(weights.tables))).toBeNull()
    },
  )

  it('leaves steps of a calibrated model to it whose sums may wrap before they are limited', async () => {
    const weights = withCalibration(shipped)
    const tooFar = weights.integers.get('drift')!.map((step, i) => (i === 70 ? -(2 ** 30) - 1 : step))
    const integers = new Map(weights.integers).set('drift', tooFar)
    const model = contextModelAt({ ...weights, integers }, 30)
    expect(await createEntropyKernel(weights.config, model, buildTableBank(weights.tables))).toBeNull()
  })

  it('divides exactly by multiplying', () => {
    const inverses = inverseFrequencies()
    const exact = (state: number, f: number): void => {
      const shift = BigInt(63 - Math.clz32(f - 1))
      expect(Number((BigInt(state) * BigInt(inverses[f]!)) >> shift)).toBe(Math.floor(state / f))
    }
    const frequency = fc.integer({ min: 1, max: 65535 })
    fc.assert(fc.property(fc.nat(2 ** 31 - 1), frequency, exact), { numRuns: 2000 })
    fc.assert(
      fc.property(fc.nat(32767), frequency, (quotient, f) => {
        for (const state of [quotient * f, (quotient + 1) * f - 1]) exact(state, f)
      }),
      { numRuns: 2000 },
    )
  })
})
