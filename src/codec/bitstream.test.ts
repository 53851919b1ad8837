import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import { readModel } from '../training/node-model'
import { assembleBitstream, parseBitstream } from './bitstream'
import { contextModelAt } from './context-model'
import { createEntropyKernel } from './kernel/entropy-kernel'
import { buildTableBank } from './entropy-tables'
import { CodecError } from './errors'
import { decodeTile, encodeTile, type TileEntropy } from './tile-coder'
import { LATENTS } from './weights'

let entropy: TileEntropy

beforeAll(async () => {
  const { weights } = await readModel()
  const model = contextModelAt(weights, 30)
  const bank = buildTableBank(weights.tables)
  entropy = { model, bank, kernel: await createEntropyKernel(weights.config, model, bank) }
})

/** Latents with falling variance, a few of them huge. */
function latents(width: number, height: number, seed: number): Float32Array {
  const random = makePrng(seed)
  const unit = () => random.nextU32() / 2 ** 32
  return Float32Array.from({ length: width * height * LATENTS }, (_, i) => {
    const c = i % LATENTS
    const spread = 12 / (1 + c / 6)
    const value = (unit() + unit() + unit() - 1.5) * spread
    return unit() < 1e-4 ? value * 1000 : value
  })
}

const header = { width: 700, height: 40, hasAlpha: false, colorSpace: 'srgb', quality: 30 } as const

describe('a tile', () => {
  it('restores every symbol within half a step or the rate-distortion zone', () => {
    const y = latents(5, 4, 1).map((v) => Math.max(-2000, Math.min(2000, v)))
    const { symbols, active } = decodeTile(entropy, encodeTile(entropy, y, 5, 4), 5, 4)
    let worst = 0
    for (let i = 0; i < y.length; i++) {
      const c = i % LATENTS
      const symbol = c < active ? symbols[((i - c) / LATENTS) * active + c]! / 16 : 0
      worst = Math.max(worst, Math.abs(symbol - y[i]!))
    }
    // A magnitude is lowered by at most one where that saves enough bits.
    expect(worst).toBeLessThan(2)
  })

  it('codes silence in a few bytes', () => {
    const y = new Float32Array(32 * 32 * LATENTS)
    expect(encodeTile(entropy, y, 32, 32).length).toBeLessThan(16)
  })

  it('gives a typed error or other symbols, never a hang, for 2,000 mutations', () => {
    const random = makePrng(99)
    const bytes = encodeTile(entropy, latents(3, 3, 2), 3, 3)
    let refused = 0
    for (let n = 0; n < 2000; n++) {
      const copy = bytes.slice(0, n % 5 === 0 ? random.nextU32() % bytes.length : bytes.length)
      if (copy.length > 0) copy[random.nextU32() % copy.length]! ^= 1 << (random.nextU32() & 7)
      try {
        decodeTile(entropy, copy, 3, 3)
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError)
        refused++
      }
    }
    // A flipped sign bit is another picture to this coder; the seal around the bitstream is what notices those.
    expect(refused).toBeGreaterThan(1200)
  })
})

describe('the bitstream', () => {
  const tiles = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]

  it('round trips', () => {
    const parsed = parseBitstream(
      assembleBitstream({ ...header, hasAlpha: true }, Uint8Array.of(9, 9), tiles),
    )
    expect(parsed.header).toEqual({ ...header, hasAlpha: true })
    expect(parsed.tiles.map((t) => [...t])).toEqual([[1, 2, 3], [4]])
    expect([...(parsed.alpha ?? [])]).toEqual([9, 9])
  })

  it('refuses every truncation and what is left over', () => {
    const bytes = assembleBitstream(header, null, tiles)
    for (let length = 0; length < bytes.length; length++)
      expect(() => parseBitstream(bytes.subarray(0, length))).toThrow(CodecError)
    expect(() => parseBitstream(Uint8Array.of(...bytes, 0))).toThrow(/left over/)
  })

  it.each([
    ['a width of 2^31', 4, 2 ** 31, 'too-large'],
    ['a height of zero', 8, 0, 'too-large'],
    ['400 megapixels', 8, 600_000, 'too-large'],
    ['many tiles and no directory', 8, 200_000, 'damaged'],
  ])('refuses %s before it allocates', (_, at, value, code) => {
    const bytes = assembleBitstream(header, null, tiles)
    new DataView(bytes.buffer).setUint32(at, value, true)
    expect(() => parseBitstream(bytes)).toThrow(expect.objectContaining({ code }) as Error)
  })

  it('refuses unknown flags, reserved bytes and qualities', () => {
    for (const [at, value] of [
      [13, 4],
      [14, 1],
      [12, 64],
      [0, 0],
    ] as const) {
      const bytes = assembleBitstream(header, null, tiles)
      bytes[at] = value
      expect(() => parseBitstream(bytes)).toThrow(CodecError)
    }
  })
})
