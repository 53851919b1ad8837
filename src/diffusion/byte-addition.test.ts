import fc from 'fast-check'
import { expect, it } from 'vitest'
import { equalBytes } from '../lib/bytes'
import { addBytes, subtractBytes } from './byte-addition'
import { DiffusionError } from './errors'

it('adds and subtracts byte by byte, at any length and alignment, and leaves its arguments alone', () => {
  const pair = fc
    .tuple(fc.nat({ max: 70 }), fc.nat({ max: 3 }), fc.nat({ max: 3 }))
    .chain(([length, offsetA, offsetB]) =>
      fc.tuple(
        fc
          .uint8Array({ minLength: length + offsetA, maxLength: length + offsetA })
          .map((b) => b.subarray(offsetA)),
        fc
          .uint8Array({ minLength: length + offsetB, maxLength: length + offsetB })
          .map((b) => b.subarray(offsetB)),
      ),
    )
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const [copyA, copyB] = [a.slice(), b.slice()]
      expect([...addBytes(a, b)]).toEqual([...a].map((x, i) => (x + b[i]!) & 255))
      expect([...subtractBytes(a, b)]).toEqual([...a].map((x, i) => (x - b[i]!) & 255))
      expect([a, b]).toEqual([copyA, copyB])
    }),
    { numRuns: 500 },
  )
})

it('covers every pair of bytes', () => {
  const a = Uint8Array.from({ length: 65536 }, (_, i) => i >> 8)
  const b = Uint8Array.from({ length: 65536 }, (_, i) => i)
  expect(
    equalBytes(
      addBytes(a, b),
      a.map((x, i) => x + b[i]!),
    ),
  ).toBe(true)
  expect(
    equalBytes(
      subtractBytes(a, b),
      a.map((x, i) => x - b[i]!),
    ),
  ).toBe(true)
})

it('refuses two lengths', () => {
  expect(() => addBytes(new Uint8Array(4), new Uint8Array(5))).toThrow(DiffusionError)
  expect(() => subtractBytes(new Uint8Array(4), new Uint8Array(5))).toThrow(DiffusionError)
})
