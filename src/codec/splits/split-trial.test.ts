import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../../lib/prng'
import { readModel } from '../../training/node-model'
import { contextModelAt, SYMBOL_UNIT } from '../context-model'
import { buildTableBank } from '../entropy-tables'
import { createEntropyKernel } from '../kernel/entropy-kernel'
import { trySplits } from './split-trial'
import { splitsColumns } from './split-model'
import { worthsAt } from '../symbol-choice'
import { guessOf, latentsOfPicture, withPlainSplits, withSplits, type Grey } from './testing-splits'
import { decodeTile, encodeTile, type TileEntropy } from '../tile-coder'
import { LATENTS, type CodecWeights } from '../weights'

const QUALITY = 34
const WORTH = worthsAt(QUALITY, 1)[0]!
/** Grey levels of a step. */
const STEP = 20
const SIDE = 6

let weights: CodecWeights
let entropy: TileEntropy
beforeAll(async () => {
  weights = (await readModel()).weights
  entropy = await entropyOf(withPlainSplits(weights))
})

async function entropyOf(of: CodecWeights): Promise<TileEntropy> {
  const [model, bank] = [contextModelAt(of, QUALITY), buildTableBank(of.tables)]
  return { model, bank, kernel: await createEntropyKernel(of.config, model, bank) }
}

const latentsOf = (grey: Grey): Float32Array =>
  latentsOfPicture(entropy.model.splits!, grey, SIDE, SIDE, STEP)

function tried(
  of: TileEntropy,
  y: Float32Array,
  worth = WORTH,
  width = SIDE,
  height = SIDE,
): Uint8Array | null {
  of.kernel!.y.set(y)
  return trySplits(of.model, of.kernel!, width, height, worth)
}

/** Bits, and squared error of the symbols at what it is worth. */
function costOf(of: TileEntropy, y: Float32Array, splits: Uint8Array | null): number {
  const bytes = encodeTile(of, y.slice(), SIDE, SIDE, { splits, worth: WORTH })
  const decoded = decodeTile(of, bytes, SIDE, SIDE)
  const reference = decodeTile({ ...of, kernel: null }, bytes, SIDE, SIDE)
  expect(String(decoded.symbols)).toBe(String(reference.symbols))
  let error = 0
  y.forEach((value, i) => {
    const c = i % LATENTS
    const symbol = c < decoded.active ? decoded.symbols[((i - c) / LATENTS) * decoded.active + c]! : 0
    const step = of.model.splits!.step[c]! / 2 ** 14
    error += ((value - symbol / SYMBOL_UNIT) * step) ** 2
  })
  return 8 * bytes.length + WORTH * error
}

const noise = (seed: number, spread: number): Grey => {
  const prng = makePrng(seed)
  const drawn = Float64Array.from({ length: (16 * SIDE) ** 2 }, () => prng.nextNormal() * spread)
  return (x, y) => drawn[16 * SIDE * y + x]!
}
const sum =
  (...greys: Grey[]): Grey =>
  (x, y) =>
    greys.reduce((total, grey) => total + grey(x, y), 0)

const box: Grey = (x, y) => (x >= 20 && x < 71 && y >= 36 && y < 80 ? -80 : 40)
const strokes: Grey = (x, y) => (x % 23 < 2 || (y % 29 < 2 && x > 40) ? -110 : 90)
const dots: Grey = (x, y) => ((x * 7 + y * 13) % 61 === 0 ? 120 : -20)

describe('trying splits', () => {
  it.each([
    ['one grey', () => 70],
    ['a slope', (x: number, y: number) => x + y / 2 - 70],
    ['a wave', (x: number, y: number) => 90 * Math.cos(x / 19 + y / 27)],
  ])('finds none for %s', (_, grey) => {
    expect(tried(entropy, latentsOf(grey))).toBeNull()
  })

  it.each([
    ['a box', box],
    ['strokes', strokes],
    ['dots', dots],
    ['a box in noise', sum(box, noise(3, 5))],
    ['strokes in noise', sum(strokes, noise(4, 12))],
  ])('takes splits that cost less than none for %s', (_, grey) => {
    const y = latentsOf(grey)
    const splits = tried(entropy, y)!
    expect(splits).toHaveLength(SIDE ** 2)
    expect(costOf(entropy, y, splits)).toBeLessThan(0.99 * costOf(entropy, y, null))
  })

  it.each([
    ['noise', noise(5, 25)],
    ['a wave in noise', sum((x, y) => 60 * Math.cos(x / 9 - y / 13), noise(6, 8))],
  ])('costs no more than without for %s, but for what it changes in later positions', (_, grey) => {
    const y = latentsOf(grey)
    expect(costOf(entropy, y, tried(entropy, y))).toBeLessThan(1.002 * costOf(entropy, y, null))
  })

  it('costs no more than what is guessed', () => {
    for (const grey of [box, strokes, sum(box, noise(7, 5)), sum(strokes, noise(8, 12))]) {
      const y = latentsOf(grey)
      const { likely, candidates } = guessOf(entropy.model.splits!, y, SIDE ** 2)
      const splits = tried(entropy, y)!
      expect(costOf(entropy, y, splits)).toBeLessThan(1.005 * costOf(entropy, y, likely))
      // Nothing is taken that was not worth a trial.
      splits.forEach((split, p) => {
        if (split > 0) expect((candidates[p]! >> split) & 1).toBe(1)
      })
    }
  })

  it('splits the positions that an edge runs through', () => {
    const splits = tried(
      entropy,
      latentsOf((x) => (x >= 37 ? 70 : -50)),
    )!
    splits.forEach((split, p) => {
      expect(splitsColumns(split), String(p)).toBe(p % SIDE === 2)
    })
  })

  it('is the same again, whatever was coded between, and leaves latents as they are', async () => {
    const own = await entropyOf(withSplits(weights, 12))
    for (const of of [entropy, own]) {
      const grey = sum(strokes, noise(9, 6))
      const y = latentsOfPicture(of.model.splits!, grey, SIDE, SIDE, STEP)
      const splits = tried(of, y)
      expect(splits).not.toBeNull()
      expect(String(of.kernel!.y.subarray(0, y.length))).toBe(String(y))
      const coded = encodeTile(of, y.slice(), SIDE, SIDE, { splits, worth: WORTH })
      encodeTile(of, latentsOf(noise(10, 60)), SIDE, SIDE, { splits: new Uint8Array(SIDE ** 2).fill(1) })
      expect(tried(of, y)).toEqual(splits)
      // In the kernel's own array, which trials have passed over.
      const again = encodeTile(of, of.kernel!.y, SIDE, SIDE, { splits, worth: WORTH })
      expect(Buffer.compare(again, coded)).toBe(0)
    }
  })

  it('goes over any size of tile', () => {
    for (const [width, height] of [
      [1, 1],
      [1, 4],
      [5, 1],
      [32, 2],
    ] as const) {
      const y = latentsOfPicture(
        entropy.model.splits!,
        (x, v) => (x % 16 < 5 ? 90 + v : 0),
        width,
        height,
        STEP,
      )
      const splits = tried(entropy, y, WORTH, width, height)!
      expect(splits).toHaveLength(width * height)
      const bytes = encodeTile(entropy, y, width, height, { splits })
      expect(decodeTile(entropy, bytes, width, height).symbols.some((symbol) => symbol !== 0)).toBe(true)
    }
  })
})
