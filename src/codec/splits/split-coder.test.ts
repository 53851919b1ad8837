import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makePrng } from '../../lib/prng'
import { CodecError } from '../errors'
import { ransEncode } from '../rans'
import { decodeSplits, encodeSplits, SplitCounts } from './split-coder'
import { SPLITS } from './split-model'

const TOTAL = 2 ** 16
const EVEN = new Int32Array(SPLITS ** 3).fill(20)
/** Splits are seldom where there are none. */
const SELDOM = Int32Array.from({ length: SPLITS ** 3 }, (_, i) => (i === 0 ? 1000 : 4))
const EXTREME = [0, -1, -(2 ** 31), 2 ** 31 - 1, 1, 4096, 4097]

const seeds = fc.nat(2 ** 31)
const side = fc.integer({ min: 1, max: 32 })

type Kind = 'random' | 'seldom' | 'all alike' | 'columns' | 'rows' | 'checks' | 'last'
const kinds = fc.constantFrom<Kind>('random', 'seldom', 'all alike', 'columns', 'rows', 'checks', 'last')

/** Some split for sure, so that there are bytes. */
function draw(kind: Kind, seed: number, width: number, height: number): Uint8Array {
  const prng = makePrng(seed)
  const one = 1 + prng.nextBelow(SPLITS - 1)
  const last = width * height - 1
  const of = (x: number, y: number): number =>
    ({
      random: prng.nextBelow(SPLITS),
      seldom: prng.nextBelow(30) === 0 ? one : 0,
      'all alike': one,
      columns: (x + one) % SPLITS,
      rows: (y + one) % SPLITS,
      checks: (x + y) % 2 === 0 ? one : 0,
      last: 0,
    })[kind]
  const splits = Uint8Array.from({ length: last + 1 }, (_, p) => of(p % width, Math.floor(p / width)))
  if (splits.every((split) => split === 0)) splits[last] = one
  return splits
}

const drawPrior = (seed: number): Int32Array => {
  const prng = makePrng(seed)
  return EVEN.map(() =>
    prng.nextBelow(3) === 0 ? EXTREME[prng.nextBelow(EXTREME.length)]! : prng.nextBelow(200),
  )
}

/** null where the bytes were refused. */
function read(bytes: Uint8Array, width: number, height: number, prior: Int32Array): Uint8Array | null {
  try {
    return decodeSplits(bytes, width, height, prior)
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError)
    expect((error as CodecError).code).toBe('damaged')
    return null
  }
}

describe('splits as bytes', () => {
  it('round trip, whatever they are and whatever was expected', () => {
    const lengths = new Set<number>()
    fc.assert(
      fc.property(kinds, seeds, side, side, fc.boolean(), (kind, seed, width, height, isEven) => {
        const prior = isEven ? EVEN : drawPrior(seed)
        const splits = draw(kind, seed, width, height)
        const [asked, expected] = [splits.slice(), prior.slice()]
        const bytes = encodeSplits(splits, width, prior)
        expect(bytes.length).toBeGreaterThanOrEqual(4)
        expect(decodeSplits(bytes, width, height, prior)).toEqual(asked)
        // What is the caller's stays as it is.
        expect([splits, prior]).toEqual([asked, expected])
        lengths.add(bytes.length)
      }),
      { numRuns: 200 },
    )
    expect(lengths.size).toBeGreaterThan(20)
  })

  it.each([
    [1, 1],
    [1, 32],
    [32, 1],
    [32, 32],
  ])('round trip on tiles of %i x %i', (width, height) => {
    for (const kind of ['random', 'all alike', 'last'] as const) {
      const splits = draw(kind, 7, width, height)
      expect(decodeSplits(encodeSplits(splits, width, SELDOM), width, height, SELDOM)).toEqual(splits)
    }
  })

  it('are none where nothing is split', () => {
    for (const [width, height] of [
      [1, 1],
      [7, 5],
      [32, 32],
    ] as const) {
      expect(encodeSplits(new Uint8Array(width * height), width, EVEN)).toEqual(new Uint8Array(0))
      expect(decodeSplits(new Uint8Array(0), width, height, EVEN)).toBeNull()
    }
  })

  it('are few where counts foretell them, and no more than two bits a position and the state', () => {
    const bytesOf = (kind: Kind, prior: Int32Array): number =>
      encodeSplits(draw(kind, 3, 32, 32), 32, prior).length
    expect(bytesOf('random', EVEN)).toBeLessThan(256 + 16)
    expect(bytesOf('random', EVEN)).toBeGreaterThan(240)
    // Learnt from a row or column to the next.
    for (const kind of ['all alike', 'columns', 'rows', 'checks'] as const)
      expect(bytesOf(kind, EVEN)).toBeLessThan(60)
    expect(bytesOf('last', SELDOM)).toBeLessThan(16)
    expect(bytesOf('seldom', SELDOM)).toBeLessThan(bytesOf('seldom', EVEN))
  })

  it('depend on the counts and the width that they were coded with', () => {
    const splits = draw('random', 5, 12, 8)
    const bytes = encodeSplits(splits, 12, EVEN)
    for (const [width, prior] of [
      [12, SELDOM],
      [8, EVEN],
    ] as const)
      expect(read(bytes, width, 96 / width, prior)).not.toEqual(splits)
  })
})

describe('hostile bytes', () => {
  it('are refused, or are what those splits are coded as', () => {
    const outcomes = { refused: 0, read: 0 }
    fc.assert(
      fc.property(seeds, kinds, fc.constantFrom(1, 2, 3, 5, 32), fc.nat(5), (seed, kind, size, change) => {
        const prng = makePrng(seed)
        const prior = seed % 2 === 0 ? EVEN : drawPrior(seed)
        const sound = encodeSplits(draw(kind, seed, size, size), size, prior)
        const any = (length: number): Uint8Array => Uint8Array.from({ length }, () => prng.nextBelow(256))
        const at = prng.nextBelow(sound.length)
        const flipped = sound.slice()
        flipped[at]! ^= 1 << prng.nextBelow(8)
        const state = any(4)
        state[0]! &= 127
        const hostile = [
          sound.slice(0, at),
          Uint8Array.of(...sound, ...any(1 + prng.nextBelow(5))),
          flipped,
          any(1 + prng.nextBelow(40)),
          // One state, in range or not.
          state,
          Uint8Array.of(...flipped.subarray(0, at), ...any(3)),
        ][change]!
        const splits = read(hostile, size, size, prior)
        if (splits === null) {
          if (hostile.length > 0) outcomes.refused++
          return
        }
        outcomes.read++
        expect(splits).toHaveLength(size * size)
        expect(splits.every((split) => split < SPLITS)).toBe(true)
        expect(encodeSplits(splits, size, prior)).toEqual(hostile)
      }),
      { numRuns: 600 },
    )
    expect(outcomes.refused).toBeGreaterThan(300)
  })

  it('are refused where they are too few for a state, end early or late', () => {
    const splits = draw('random', 11, 6, 4)
    const bytes = encodeSplits(splits, 6, EVEN)
    for (let length = 1; length < bytes.length; length++)
      expect(() => decodeSplits(bytes.subarray(0, length), 6, 4, EVEN), String(length)).toThrow(CodecError)
    expect(() => decodeSplits(Uint8Array.of(...bytes, 0), 6, 4, EVEN)).toThrow(CodecError)
    expect(() => decodeSplits(bytes, 6, 5, EVEN)).toThrow(CodecError)
    expect(() => decodeSplits(bytes, 6, 3, EVEN)).toThrow(CodecError)
  })

  it('are refused where they name no split at all', () => {
    const counts = new SplitCounts(EVEN)
    const none = new Uint8Array(12)
    const frequencies = Uint16Array.from(none, (split, position) => {
      counts.look(none, 4, position)
      const frequency = counts.frequency(split)
      counts.learn(split)
      return frequency
    })
    const bytes = ransEncode(new Uint16Array(12), frequencies, 12)
    expect(() => decodeSplits(bytes, 4, 3, EVEN)).toThrow('has none')
  })
})

describe('counts of splits', () => {
  it('leave every split a frequency, and 2^16 in all, whatever they start from and learn', () => {
    const priors = fc.array(fc.constantFrom(...EXTREME, 3, 50, 700), {
      minLength: SPLITS ** 3,
      maxLength: SPLITS ** 3,
    })
    fc.assert(
      fc.property(priors, seeds, fc.constantFrom(1, 3, 32), (prior, seed, width) => {
        const counts = new SplitCounts(Int32Array.from(prior))
        const prng = makePrng(seed)
        const always = prng.nextBelow(2 * SPLITS)
        const splits = new Uint8Array(32 * width)
        splits.forEach((_, position) => {
          counts.look(splits, width, position)
          let [least, sum] = [TOTAL, 0]
          for (let split = 0; split < SPLITS; split++) {
            const frequency = counts.frequency(split)
            least = Math.min(least, frequency)
            sum += frequency
          }
          expect([counts.cdf[0], sum, least >= 1].join()).toBe(`0,${TOTAL},true`)
          splits[position] = always < SPLITS ? always : prng.nextBelow(SPLITS)
          counts.learn(splits[position])
        })
      }),
      { numRuns: 60 },
    )
  })

  it('are those of the splits at west and north, whole outside', () => {
    // Context 4 * west + north expects its own split: 0, or 1 + (west + north) % 3.
    const prior = Int32Array.from({ length: SPLITS ** 3 }, (_, i) => {
      const [west, north] = [i >> 4, (i >> 2) & 3]
      const own = west + north === 0 ? 0 : 1 + ((west + 2 * north) % 3)
      return (i & 3) === own ? 1000 : 1
    })
    const splits = Uint8Array.of(2, 1, 3, 0, 3, 1)
    const likeliest = (position: number): number => {
      const counts = new SplitCounts(prior)
      counts.look(splits, 3, position)
      return [0, 1, 2, 3].reduce((a, b) => (counts.frequency(b) > counts.frequency(a) ? b : a))
    }
    // (west, north) = (0, 0), (2, 0), (1, 0), (0, 2), (0, 1), (3, 3)
    expect([0, 1, 2, 3, 4, 5].map(likeliest)).toEqual([0, 3, 2, 2, 3, 1])
  })

  it('are these of 2^16, before and after one is learnt', () => {
    const counts = new SplitCounts(Int32Array.from(EVEN, (_, i) => (i % SPLITS === 0 ? 108 : 7)))
    const splits = new Uint8Array(4)
    counts.look(splits, 2, 0)
    expect([...counts.cdf]).toEqual([0, 54_865, 58_422, 61_979, 65_536])
    counts.learn(2)
    counts.look(splits, 2, 1)
    expect([...counts.cdf]).toEqual([0, 51_662, 55_011, 62_187, 65_536])
  })

  it('learn what comes, slower the more they have seen', () => {
    const counts = new SplitCounts(EVEN)
    const whole = new Uint8Array(2000)
    let before = 0
    const gains: number[] = []
    for (let n = 0; n < 2000; n++) {
      counts.look(whole, 1, 0)
      gains.push(counts.frequency(0) - before)
      before = counts.frequency(0)
      counts.learn(0)
    }
    expect(gains[1]).toBeGreaterThan(gains[20]!)
    expect(before).toBeGreaterThan(0.98 * TOTAL)
    // Counts are halved now and then, so what is new is still learnt.
    for (let n = 0; n < 300; n++) counts.learn(3)
    counts.look(whole, 1, 0)
    expect(counts.frequency(3)).toBeGreaterThan(0.35 * TOTAL)
  })
})
