import { deflateSync } from 'fflate'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAlpha, encodeAlpha } from './alpha'
import { CodecError } from './errors'

const anyPlane = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }))
  .chain(([width, height]) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      alpha: fc.uint8Array({ minLength: width * height, maxLength: width * height }),
    }),
  )

const rgba = (alpha: Uint8Array): Uint8ClampedArray => {
  const data = new Uint8ClampedArray(4 * alpha.length)
  alpha.forEach((a, i) => (data[4 * i + 3] = a))
  return data
}

describe('the alpha plane', () => {
  it('comes back without loss', () => {
    fc.assert(
      fc.property(anyPlane, ({ width, height, alpha }) => {
        expect(decodeAlpha(encodeAlpha(rgba(alpha), width, height), width, height)).toEqual(alpha)
      }),
    )
  })

  it('refuses planes that are longer or shorter than the picture, without unpacking them whole', () => {
    const bomb = deflateSync(new Uint8Array(5_000_000).fill(1))
    expect(() => decodeAlpha(bomb, 10, 10)).toThrow(CodecError)
    const short = encodeAlpha(rgba(new Uint8Array(100)), 10, 10)
    expect(() => decodeAlpha(short, 10, 11)).toThrow(/cut short/)
    expect(() => decodeAlpha(new Uint8Array(0), 10, 10)).toThrow(CodecError)
  })

  it('gives a typed error for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeAlpha(bytes, 7, 5)
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError)
        }
      }),
    )
  })
})
