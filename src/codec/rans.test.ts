import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  buildTableBank,
  laplaceMagnitudes,
  quantizeFrequencies,
  tableLength,
  tableScale,
  TABLES,
} from './entropy-tables'
import { BitReader, BitWriter, RansDecoder, ransEncode } from './rans'

const tables = Array.from({ length: TABLES }, (_, i) =>
  quantizeFrequencies(laplaceMagnitudes(tableScale(i), tableLength(i))),
)
const { cdf, from, size } = buildTableBank(tables)

function encode(symbols: readonly { table: number; symbol: number }[]): Uint8Array {
  const starts = Uint16Array.from(symbols, ({ table, symbol }) => cdf[from[table]! + symbol]!)
  const frequencies = Uint16Array.from(
    symbols,
    ({ table, symbol }, i) => cdf[from[table]! + symbol + 1]! - starts[i]!,
  )
  return ransEncode(starts, frequencies, symbols.length)
}

const anySymbols = fc.array(
  fc
    .record({ table: fc.nat(TABLES - 1), share: fc.double({ min: 0, max: 0.999, noNaN: true }) })
    .map(({ table, share }) => ({ table, symbol: Math.floor(share * size[table]!) })),
  { maxLength: 400 },
)

describe('rANS', () => {
  it('gives back every symbol and ends exactly', () => {
    fc.assert(
      fc.property(anySymbols, (symbols) => {
        const decoder = new RansDecoder(encode(symbols))
        for (const { table, symbol } of symbols)
          expect(decoder.symbol(cdf, from[table]!, size[table]!)).toBe(symbol)
        decoder.end()
      }),
      { numRuns: 200 },
    )
  })

  it('comes within one percent and five bytes of the ideal length', () => {
    const symbols = Array.from({ length: 20_000 }, (_, i) => ({ table: 20, symbol: i % 29 === 0 ? 1 : 0 }))
    const ideal = symbols.reduce(
      (bits, { table, symbol }) =>
        bits + 16 - Math.log2(cdf[from[table]! + symbol + 1]! - cdf[from[table]! + symbol]!),
      0,
    )
    expect(encode(symbols).length).toBeLessThan((ideal / 8) * 1.01 + 5)
  })

  it('names missing and extra bytes', () => {
    const symbols = Array.from({ length: 500 }, (_, i) => ({ table: 30, symbol: i % 3 }))
    const bytes = encode(symbols)
    const run = (coded: Uint8Array) => () => {
      const decoder = new RansDecoder(coded)
      for (const { table } of symbols) decoder.symbol(cdf, from[table]!, size[table]!)
      decoder.end()
    }
    expect(run(bytes)).not.toThrow()
    expect(run(bytes.subarray(0, -1))).toThrow(/do not end/)
    expect(run(Uint8Array.of(...bytes, 0))).toThrow(/do not end/)
    expect(run(bytes.subarray(0, 3))).toThrow(/cut short/)
  })

  it('keeps raw bits and exponential Golomb codes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(65_000), { maxLength: 100 }), (numbers) => {
        const writer = new BitWriter()
        for (const n of numbers) writer.pushGolomb(n)
        const reader = new BitReader(writer.finish())
        for (const n of numbers) expect(reader.golomb()).toBe(n)
        reader.end()
      }),
    )
  })

  it('refuses a Golomb prefix that never ends', () => {
    expect(() => new BitReader(new Uint8Array(50)).golomb()).toThrow(/out of range/)
  })
})

describe('the bank of tables', () => {
  it('sums to 2^16 with no impossible entry, for any weights', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 400 }),
        (raw) => {
          const weights = Float64Array.from(raw)
          weights[0] = weights[0]! + 1
          const frequencies = quantizeFrequencies(weights)
          expect(frequencies.reduce((a, b) => a + b, 0)).toBe(65536)
          expect(Math.min(...frequencies)).toBeGreaterThanOrEqual(1)
        },
      ),
    )
  })
})
