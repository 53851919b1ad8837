import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concatBytes,
  equalBytes,
  parseBase64url,
  parseHex,
  parseUtf8,
  readU16,
  readU32,
  readU64,
  toBase64url,
  toHex,
  u16,
  u32,
  u64,
  u8,
  utf8,
  xorBytes,
} from './bytes'

const bytes = fc.uint8Array({ maxLength: 200 })

describe('text encodings', () => {
  it('agree with Node and come back', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(toHex(data)).toBe(Buffer.from(data).toString('hex'))
        expect(toBase64url(data)).toBe(Buffer.from(data).toString('base64url'))
        expect(parseHex(toHex(data).toUpperCase())).toEqual(new Uint8Array(data))
        expect(parseBase64url(toBase64url(data))).toEqual(new Uint8Array(data))
      }),
    )
  })

  it('refuse what is not canonical', () => {
    for (const text of ['0', 'zz', '0x00', ' 00', '00 ']) expect(parseHex(text)).toBeNull()
    for (const text of ['A', 'AB', 'AAB', 'AA==', 'A+', 'A/', 'AA AA', 'é', 'AAAAA'])
      expect(parseBase64url(text)).toBeNull()
    expect(parseBase64url('AA')).toEqual(Uint8Array.of(0))
  })

  it('accept one text per byte string', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const parsed = parseBase64url(text)
        if (parsed !== null) expect(toBase64url(parsed)).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  it('refuse bytes that are not UTF-8', () => {
    expect(parseUtf8(utf8('Föhn 山'))).toBe('Föhn 山')
    expect(parseUtf8(Uint8Array.of(0xc0, 0x80))).toBeNull()
  })
})

describe('integers', () => {
  it('are little-endian and come back', () => {
    expect(u32(0x01020304)).toEqual(Uint8Array.of(4, 3, 2, 1))
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        expect(readU64(u64(n), 0)).toBe(n)
        expect(readU32(u32(n % 2 ** 32), 0)).toBe(n % 2 ** 32)
        expect(readU16(u16(n % 2 ** 16), 0)).toBe(n % 2 ** 16)
      }),
    )
  })

  it('throw where a number does not fit or the bytes end', () => {
    for (const write of [
      () => u8(256),
      () => u16(65536),
      () => u32(2 ** 32),
      () => u64(2 ** 53),
      () => u8(-1),
    ])
      expect(write).toThrow(RangeError)
    expect(() => u32(1.5)).toThrow(RangeError)
    expect(() => readU32(new Uint8Array(3), 0)).toThrow(RangeError)
    expect(() => readU64(new Uint8Array(8).fill(255), 0)).toThrow(RangeError)
    expect(() => readU16(new Uint8Array(8).subarray(0, 2), 1)).toThrow(RangeError)
  })
})

describe('byte strings', () => {
  it('join, compare and combine', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const joined = concatBytes(a, b)
        expect(joined.subarray(0, a.length)).toEqual(new Uint8Array(a))
        expect(joined.subarray(a.length)).toEqual(new Uint8Array(b))
        expect(equalBytes(a, b)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0)
        expect(xorBytes(xorBytes(a, joined.subarray(0, a.length)), new Uint8Array(a.length))).toEqual(
          new Uint8Array(a.length),
        )
      }),
    )
    expect(() => xorBytes(new Uint8Array(1), new Uint8Array(2))).toThrow(RangeError)
  })
})
