import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../../lib/prng'
import { readModel } from '../../training/node-model'
import { contextModelAt, SYMBOL_LIMIT, SYMBOL_UNIT } from '../context-model'
import { buildTableBank } from '../entropy-tables'
import { CodecError } from '../errors'
import { createEntropyKernel } from '../kernel/entropy-kernel'
import { QUALITY_MAX } from '../quality'
import { Splitter } from './split-choice'
import { SPLITS, turnBack } from './split-model'
import { residuals } from '../testing-intra'
import { withSplits } from './testing-splits'
import { ACTIVE_UNIT, decodeTile, encodeTile, type TileEntropy } from '../tile-coder'
import { LATENTS, type CodecWeights } from '../weights'

/** Of the head of a tile; the length of the splits comes next. */
const HEAD = 4
const SPLITS_AT = HEAD + 2

let weights: CodecWeights
beforeAll(async () => {
  weights = (await readModel()).weights
})

async function entropyOf(of: CodecWeights, quality: number): Promise<TileEntropy> {
  const [model, bank] = [contextModelAt(of, quality), buildTableBank(of.tables)]
  const kernel = await createEntropyKernel(of.config, model, bank)
  expect(kernel).not.toBeNull()
  return { model, bank, kernel }
}

/** By the kernel, and by TypeScript. */
const bothOf = (entropy: TileEntropy): TileEntropy[] => [entropy, { ...entropy, kernel: null }]

/** Latents with falling variance in the channels before `active`. */
function latents(seed: number, positions: number, active: number, spread: number): Float32Array {
  const prng = makePrng(seed)
  return Float32Array.from({ length: positions * LATENTS }, (_, i) => {
    const c = i % LATENTS
    return c < active ? (prng.nextNormal() * spread) / (1 + c / 12) : 0
  })
}

const draw = (seed: number, positions: number): Uint8Array => {
  const prng = makePrng(seed)
  return Uint8Array.from({ length: positions }, () => prng.nextBelow(SPLITS))
}

/** [positions, 768], with the channels that a tile leaves out. */
function padded({ symbols, active }: { symbols: Int16Array; active: number }, positions: number): number[] {
  return Array.from({ length: positions * LATENTS }, (_, i) => {
    const c = i % LATENTS
    return c < active ? symbols[((i - c) / LATENTS) * active + c]! : 0
  })
}

const messageOf = (entropy: TileEntropy, bytes: Uint8Array, width: number, height: number): string => {
  try {
    decodeTile(entropy, bytes, width, height)
    return 'read'
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError)
    expect((error as CodecError).code).toBe('damaged')
    return (error as CodecError).message
  }
}

describe('a tile with splits', () => {
  it.each([0, 16, 32, 96, 208, 768])(
    'gives symbols of the whole transform, coded with %i channels',
    async (active) => {
      for (const [width, height] of [
        [1, 1],
        [1, 3],
        [3, 2],
      ] as const) {
        const seed = 8 * active + 4 * height + width
        const entropy = await entropyOf(withSplits(weights, seed), seed % (QUALITY_MAX + 1))
        const positions = width * height
        const next = residuals(seed, 3)
        const chosen = Int16Array.from({ length: positions * LATENTS }, (_, i) => {
          const c = i % LATENTS
          return c >= active ? 0 : c === active - 1 ? 1 : next()
        })
        const splits = draw(seed, positions)
        splits[0] = 1 + (seed % 3)
        const coded = encodeTile(entropy, new Float32Array(chosen.length), width, height, { chosen, splits })
        expect(coded[0]).toBe(active / ACTIVE_UNIT)
        const [mine, plain] = bothOf(entropy).map((one) => {
          const decoded = decodeTile(one, coded, width, height)
          expect(decoded.width).toBe(width)
          expect(decoded.symbols).toHaveLength(positions * decoded.active)
          return { ...decoded, symbols: Int16Array.from(decoded.symbols) }
        })
        expect([mine!.active, String(mine!.symbols)]).toEqual([plain!.active, String(plain!.symbols)])
        // What is turned back is heard in channels that were not coded, and no group of silent ones is left.
        expect(plain!.active).toBeGreaterThanOrEqual(active)
        if (active > 0 && active < 96) expect(plain!.active).toBeGreaterThan(active)
        if (plain!.active > 0) {
          const last = plain!.symbols.filter((_, i) => i % plain!.active >= plain!.active - ACTIVE_UNIT)
          expect(last.some((symbol) => symbol !== 0)).toBe(true)
        }
      }
    },
  )

  it('falls silent where its symbols do', async () => {
    const entropy = await entropyOf(withSplits(weights, 2), 30)
    const splits = Uint8Array.of(2, 1)
    const bytes = encodeTile(entropy, new Float32Array(2 * LATENTS), 2, 1, { splits })
    for (const one of bothOf(entropy))
      expect(decodeTile(one, bytes, 2, 1)).toEqual({ symbols: new Int16Array(0), active: 0, width: 2 })
  })

  it('restores latents within the rate-distortion zone of the steps of their split', async () => {
    const entropy = await entropyOf(withSplits(weights, 4), 40)
    const { splits: model } = entropy.model
    const splits = draw(5, 9)
    const y = latents(6, 9, LATENTS, 20)
    const decoded = decodeTile(entropy, encodeTile(entropy, y.slice(), 3, 3, { splits }), 3, 3)
    const symbols = Int16Array.from(padded(decoded, 9))
    const turned = y.slice()
    const splitter = new Splitter(model!)
    splits.forEach((split, p) => {
      const own = turned.subarray(p * LATENTS, (p + 1) * LATENTS)
      if (split > 0) splitter.split(split, own, own)
    })
    const expected = Int16Array.from(turned, (value) => Math.round(value * SYMBOL_UNIT))
    let [whole, error] = [0, 0]
    for (const [p, split] of splits.entries()) {
      const own = expected.subarray(p * LATENTS, (p + 1) * LATENTS)
      if (split > 0) turnBack(model!, split, own, SYMBOL_LIMIT)
      own.forEach((value, c) => {
        const step = model!.step[c]! / 2 ** 14
        error += ((step * (value - symbols[p * LATENTS + c]!)) / SYMBOL_UNIT) ** 2
        whole += step ** 2
      })
    }
    // A step of rounding is 1/12 of its square; some magnitudes are lowered by one where that saves enough bits.
    expect(error / whole).toBeLessThan(0.35)
    expect(error / whole).toBeGreaterThan(1 / 24)
  })

  it('is another one with other splits', async () => {
    const entropy = await entropyOf(withSplits(weights, 7), 40)
    const y = latents(8, 4, LATENTS, 30)
    const coded = [null, [0, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0], [3, 3, 3, 3]].map((splits) =>
      encodeTile(entropy, y.slice(), 2, 2, { splits: splits === null ? null : Uint8Array.from(splits) }),
    )
    expect(coded[1]).toEqual(coded[0])
    expect([...coded[0]!.subarray(HEAD, SPLITS_AT)]).toEqual([0, 0])
    expect(new Set(coded.map(String)).size).toBe(4)
  })

  it('takes no splits from who names some for a model without them', async () => {
    const entropy = await entropyOf((await readModel('safelight-v4')).weights, 30)
    const y = latents(9, 2, 96, 30)
    const plain = encodeTile(entropy, y.slice(), 2, 1)
    expect(encodeTile(entropy, y.slice(), 2, 1, { splits: Uint8Array.of(1, 2) })).toEqual(plain)
  })

  it('uses room that is large enough, whatever is left in it', async () => {
    const entropy = await entropyOf(withSplits(weights, 10), 30)
    const bytes = encodeTile(entropy, latents(11, 6, 96, 8), 3, 2, {
      splits: Uint8Array.of(0, 2, 0, 1, 0, 0),
    })
    for (const one of bothOf(entropy)) {
      const alone = decodeTile(one, bytes, 3, 2)
      expect(alone.active).toBeGreaterThan(96)
      const expected = Int16Array.from(alone.symbols)
      const whole = 6 * LATENTS
      for (const [length, isUsed] of [
        [0, false],
        [expected.length, expected.length === whole],
        [whole - 1, false],
        [whole, true],
        [whole + 777, true],
      ] as const) {
        const room = new Int16Array(length).fill(-321)
        const { symbols, active } = decodeTile(one, bytes, 3, 2, room)
        expect([active, symbols.buffer === room.buffer]).toEqual([alone.active, isUsed])
        expect(String(symbols)).toBe(String(expected))
        // No more is written than the tile's.
        if (isUsed) expect(room.subarray(whole).every((value) => value === -321)).toBe(true)
        else expect(room.every((value) => value === -321)).toBe(true)
      }
      // Nor does a tile take from one before it what it has not.
      const quiet = encodeTile(one, latents(12, 6, 16, 8), 3, 2)
      const room = new Int16Array(whole).fill(-321)
      const cleared = String(decodeTile(one, quiet, 3, 2, room).symbols)
      expect(cleared).toBe(String(decodeTile(one, quiet, 3, 2).symbols))
    }
  })
})

describe('a hostile tile with splits', () => {
  let entropy: TileEntropy
  let bytes: Uint8Array
  beforeAll(async () => {
    entropy = await entropyOf(withSplits(weights, 13), 30)
    bytes = encodeTile(entropy, latents(14, 6, 208, 40), 3, 2, { splits: Uint8Array.of(3, 0, 2, 1, 1, 0) })
  })
  const lengthOf = (of: Uint8Array): number => of[HEAD]! + 256 * of[HEAD + 1]!
  const withLength = (length: number): Uint8Array => {
    const copy = bytes.slice()
    copy.set([length & 255, length >> 8], HEAD)
    return copy
  }

  it('is refused with splits longer than it, by any more', () => {
    const most = bytes.length - SPLITS_AT
    for (const one of bothOf(entropy)) {
      for (const length of [most + 1, most + 2, most + 1000, 65_535])
        expect(messageOf(one, withLength(length), 3, 2)).toContain('the splits run past the tile')
      // All of it, or so much that no symbols are left.
      for (const length of [most, most - 1, most - 3])
        expect(messageOf(one, withLength(length), 3, 2)).not.toBe('read')
    }
  })

  it('is refused with splits of another length', () => {
    const own = lengthOf(bytes)
    expect(own).toBeGreaterThanOrEqual(4)
    for (const one of bothOf(entropy))
      for (let length = 0; length < own + 20; length++)
        expect(messageOf(one, withLength(length), 3, 2) === 'read', String(length)).toBe(length === own)
  })

  it('is refused wherever it is cut', () => {
    for (const one of bothOf(entropy)) {
      for (let length = 0; length < bytes.length; length += length < 80 ? 1 : 17)
        expect(messageOf(one, bytes.subarray(0, length), 3, 2), String(length)).not.toBe('read')
      expect(messageOf(one, bytes, 3, 2)).toBe('read')
      for (const length of [8, 9]) {
        // Room for the state of a tile without splits, not for that of one with.
        const short = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128, 0, 0).subarray(0, length)
        expect(messageOf(one, short, 1, 1)).not.toBe('read')
      }
    }
  })

  it('is refused with splits of another tile, or none', () => {
    const of = (splits: number[]): Uint8Array => {
      const other = encodeTile(entropy, new Float32Array(6 * LATENTS), 3, 2, {
        splits: Uint8Array.from(splits),
      })
      return Uint8Array.of(
        ...bytes.subarray(0, HEAD),
        ...other.subarray(HEAD, SPLITS_AT + lengthOf(other)),
        ...bytes.subarray(SPLITS_AT + lengthOf(bytes)),
      )
    }
    for (const one of bothOf(entropy)) {
      expect(messageOf(one, of([3, 0, 2, 1, 1, 0]), 3, 2)).toBe('read')
      for (const splits of [
        [0, 0, 0, 0, 0, 0],
        [3, 0, 2, 1, 2, 0],
        [1, 1, 1, 1, 1, 1],
      ])
        expect(messageOf(one, of(splits), 3, 2)).not.toBe('read')
    }
  })

  it('is refused with a typed error, or read alike by both, but never hangs', () => {
    const prng = makePrng(99)
    const messages = new Map<string, number>()
    for (let n = 0; n < 300; n++) {
      const copy = bytes.slice(0, n % 5 === 0 ? prng.nextBelow(bytes.length) : bytes.length)
      // Every second time in the splits or before them.
      const within = n % 2 === 0 ? copy.length : Math.min(copy.length, SPLITS_AT + lengthOf(bytes))
      if (within > 0) copy[prng.nextBelow(within)]! ^= 1 << prng.nextBelow(8)
      const [mine, plain] = bothOf(entropy).map((one) => messageOf(one, copy, 3, 2))
      expect(mine).toBe(plain)
      messages.set(plain!, (messages.get(plain!) ?? 0) + 1)
    }
    expect(messages.size).toBeGreaterThan(4)
    expect(messages.get('read') ?? 0).toBeLessThan(150)
  })
})
