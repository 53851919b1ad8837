import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../../lib/prng'
import { readModel } from '../../training/node-model'
import { contextModelAt } from '../context-model'
import { buildTableBank } from '../entropy-tables'
import { CodecError } from '../errors'
import { SPLITS } from '../splits/split-model'
import { withSplits } from '../splits/testing-splits'
import { withIntra } from '../testing-intra'
import { withCalibration, withStages } from '../testing-stages'
import { decodeTile, encodeTile, type TileChoices, type TileEntropy } from '../tile-coder'
import { LATENTS, type CodecWeights } from '../weights'
import { createEntropyKernel } from './entropy-kernel'
import { latents, randomWeights, unitOf, type Unit } from './testing-weights'

/** The newest model without splits, and the first one. */
let shipped: CodecWeights
let plain: CodecWeights
beforeAll(async () => {
  shipped = (await readModel('safelight-v4')).weights
  plain = (await readModel('safelight-v1')).weights
})

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

/** The same bytes and symbols; gives the channels of the latter that are not silent. */
function expectSame(
  { kernel, reference }: Pair,
  y: Float32Array,
  width: number,
  height: number,
  choices: TileChoices,
): number {
  const expected = encodeTile(reference, y.slice(), width, height, choices)
  const coded = encodeTile(kernel, y.slice(), width, height, choices)
  expect(Buffer.compare(coded, expected)).toBe(0)
  const symbols = decodeTile(reference, coded, width, height)
  const decoded = decodeTile(kernel, coded, width, height)
  expect(decoded.active).toBe(symbols.active)
  expect(Int16Array.from(decoded.symbols)).toEqual(Int16Array.from(symbols.symbols))
  return symbols.active
}

const drawSplits = (unit: Unit, positions: number, share: number): Uint8Array =>
  Uint8Array.from({ length: positions }, () => (unit() < share ? 1 + unit() * (SPLITS - 1) : 0))

const side = fc.constantFrom(1, 2, 3, 5)
const seed = fc.nat(2 ** 31)
const share = fc.constantFrom(0, 0.3, 0.8, 1)
const active = fc.constantFrom(0, 16, 32, 48, 112, 208, 336, LATENTS)

describe('the WebAssembly entropy coder of models with splits', () => {
  it('codes and restores as the reference does, whatever is split and silent', async () => {
    const spread = fc.constantFrom(0.3, 3, 30, 400)
    await fc.assert(
      fc.asyncProperty(
        ...[seed, spread, side, side, share, active, fc.nat(63)],
        async (from, wide, width, height, often, channels, quality) => {
          const pair = await entropies(withSplits(shipped, from), quality)
          const unit = unitOf(from)
          const positions = width * height
          // A tile with all channels first: nothing of it may count in the next.
          for (const known of [LATENTS, channels]) {
            const y = latents(unit, positions, wide).map((value, i) => (i % LATENTS < known ? value : 0))
            expectSame(pair, y, width, height, { splits: drawSplits(unit, positions, often) })
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  it('agrees on models with all there is or some of it, whatever the weights', async () => {
    const wide = fc.constantFrom(0.3, 3, 30, 400, 40_000)
    const yes = fc.boolean()
    const parts = fc.record({ chroma: yes, intra: yes, stages: yes, calibrated: yes, wild: yes })
    await fc.assert(
      fc.asyncProperty(
        ...[seed, wide, side, side, share, active, parts],
        async (from, spread, width, height, often, channels, has) => {
          const drawn = randomWeights(plain, from, 50, has.chroma)
          const edged = has.intra ? withIntra(drawn, from, { width: 20, hidden: 9 }, 400, has.wild) : drawn
          const staged = has.stages ? withStages(edged, from, 40, 200, has.wild) : edged
          const calibrated = has.calibrated ? withCalibration(staged) : staged
          const pair = await entropies(withSplits(calibrated, from, has.wild), from % 64)
          const unit = unitOf(from)
          const positions = width * height
          for (const known of [LATENTS, channels]) {
            const y = latents(unit, positions, spread)
            const chosen = Int16Array.from(y, (value, i) => (i % LATENTS < known ? Math.round(value) : 0))
            expectSame(pair, y, width, height, { chosen, splits: drawSplits(unit, positions, often) })
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('agrees on full tiles: split, whole after it, and mixed', async () => {
    const pair = await entropies(withSplits(shipped, 3), 40)
    const unit = unitOf(4)
    for (const [often, wholes] of [
      [1, false],
      [0, true],
      [0.5, false],
    ] as const) {
      const heard = latents(unit, 32 * 32, 8).map((value, i) => (i % LATENTS < 400 ? value : 0))
      const splits = wholes ? null : drawSplits(unit, 32 * 32, often)
      const last = expectSame(pair, heard, 32, 32, { splits })
      // Turned back, channels that no split position codes are heard.
      expect(last > 400).toBe(!wholes)
    }
  })

  it('codes tiles without splits as a model without them does', async () => {
    const split = await entropies(withSplits(shipped, 5), 20)
    const whole = await entropies(shipped, 20)
    const y = latents(unitOf(6), 12, 30)
    const [named, bare] = [split, whole].map(({ kernel }) => encodeTile(kernel, y.slice(), 4, 3))
    // Beside the length of the splits, which is zero.
    expect([...named!.subarray(0, 4), ...named!.subarray(6)]).toEqual([...bare!])
  })

  it('answers damaged tiles as the reference does', async () => {
    const { kernel, reference } = await entropies(withSplits(shipped, 7), 30)
    const random = makePrng(8)
    const sound = encodeTile(reference, latents(unitOf(9), 4, 60), 2, 2, {
      splits: Uint8Array.of(1, 0, 2, 3),
    })
    const outcome = (entropy: TileEntropy, bytes: Uint8Array): string => {
      try {
        return decodeTile(entropy, bytes, 2, 2).symbols.join()
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError)
        return (error as CodecError).message
      }
    }
    const messages = new Set<string>()
    for (let n = 0; n < 200; n++) {
      const copy = sound.slice(0, n % 4 === 0 ? 8 + (random.nextU32() % sound.length) : sound.length)
      const at = n % 3 === 0 ? random.nextU32() % 12 : random.nextU32() % copy.length
      copy[at]! ^= 1 << (random.nextU32() & 7)
      const expected = outcome(reference, copy)
      expect(outcome(kernel, copy)).toBe(expected)
      if (/[a-z]/.test(expected)) messages.add(expected)
    }
    expect(messages.size).toBeGreaterThanOrEqual(4)
    expect(outcome(kernel, sound)).toBe(outcome(reference, sound))
  })

  it('takes steps of 16 bits without a sign, but leaves wider weights to the reference', async () => {
    const weights = withSplits(shipped, 1)
    const kernelWith = async (name: string, value: number): Promise<unknown> => {
      const integers = new Map(weights.integers)
      integers.set(
        name,
        integers.get(name)!.map(() => value),
      )
      const model = contextModelAt({ ...weights, integers }, 30)
      return createEntropyKernel(weights.config, model, buildTableBank(weights.tables))
    }
    for (const name of ['split_step', 'split_unstep', 'split_1_mean_out', 'split_3_stage_bias_0'])
      expect(await kernelWith(name, 65_535)).not.toBeNull()
    for (const name of ['split_halves', 'split_1_mean_weight', 'split_2_intra_mid_1', 'split_3_intra_out_0'])
      expect(await kernelWith(name, 32_768)).toBeNull()
  })
})
