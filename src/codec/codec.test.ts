import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readModel, readyWasm } from '../training/node-model'
import { makePrng } from '../lib/prng'
import { createCodec } from './codec'
import { CodecError } from './errors'
import { psnrDb } from './metrics'
import { ENTROPY_TILE, HALO, type Codec, type Effort, type RasterImage } from './types'

let codec: Codec

beforeAll(async () => {
  await readyWasm()
  codec = createCodec((await readModel()).weights)
})
afterAll(() => codec.dispose())

/** Soft shapes with an edge and some texture, in colour. */
function picture(width: number, height: number, hasAlpha = false): RasterImage {
  const random = makePrng(width * 7919 + height)
  const data = new Uint8ClampedArray(4 * width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = 4 * (y * width + x)
      const inside = (x - width / 2) ** 2 + (y - height / 3) ** 2 < (width * height) / 16
      const texture = random.nextU32() % 9
      data[i] = 90 + 60 * Math.sin(x / 23) + texture + (inside ? 50 : 0)
      data[i + 1] = 100 + 50 * Math.sin((x + y) / 31) + texture
      data[i + 2] = 120 + 40 * Math.sin(y / 17) + texture - (inside ? 60 : 0)
      data[i + 3] = hasAlpha ? (x * 5 + y) & 255 : 255
    }
  return { width, height, hasAlpha, colorSpace: 'srgb', data }
}

const options = (quality: number, effort: Effort = 'fast') => ({ quality, effort })

describe('the codec', () => {
  it('gets smaller and coarser as quality falls, and nearly exact at the top', async () => {
    const image = picture(200, 150)
    let bytes = Infinity
    let quality = Infinity
    for (const q of [63, 42, 21, 0]) {
      const coded = await codec.encode(image, options(q))
      const psnr = psnrDb(image, await codec.decode(coded))
      if (q === 63) expect(psnr).toBeGreaterThan(46)
      expect(coded.length).toBeLessThan(bytes)
      expect(psnr).toBeLessThan(quality)
      bytes = coded.length
      quality = psnr
    }
  })

  it.each([
    [1, 1],
    [1, 40],
    [17, 3],
    [33, 65],
    [2000, 5],
  ])('restores a picture of %i x %i', async (width, height) => {
    const image = picture(width, height)
    const restored = await codec.decode(await codec.encode(image, options(56)))
    expect([restored.width, restored.height]).toEqual([width, height])
    expect(psnrDb(image, restored)).toBeGreaterThan(38)
  })

  it('restores quickly what is nearly the same picture', async () => {
    const image = picture(300, 213)
    const coded = await codec.encode(image, options(36))
    const [full, quick] = [await codec.decode(coded), await codec.decode(coded, { detail: 'quick' })]
    expect(psnrDb(image, quick)).toBeGreaterThan(psnrDb(image, full) - 1)
    expect(Buffer.compare(Buffer.from(quick.data), Buffer.from(full.data))).not.toBe(0)
  })

  it('keeps alpha exactly', async () => {
    const image = picture(70, 40, true)
    const restored = await codec.decode(await codec.encode(image, options(42)))
    expect(restored.hasAlpha).toBe(true)
    for (let i = 3; i < image.data.length; i += 4) expect(restored.data[i]).toBe(image.data[i])
  })

  it.each(['fast', 'best'] as const)(
    'gives the same bytes and pixels however a picture is cut, at effort %s',
    async (effort) => {
      const image = picture(300, ENTROPY_TILE + 200)
      const whole = await codec.encode(image, options(30, effort))
      const pixels = await codec.decode(whole)
      const tiles: Uint8Array[] = []
      for (const band of [
        { y0: 0, y1: ENTROPY_TILE },
        { y0: ENTROPY_TILE, y1: image.height },
      ]) {
        const top = Math.max(0, band.y0 - HALO)
        const bottom = Math.min(image.height, band.y1 + HALO)
        const data = image.data.slice(4 * image.width * top, 4 * image.width * bottom)
        const rows = { ...image, height: bottom - top, data }
        const coded = await codec.encodeBand(rows, top, image.height, band, options(30, effort))
        tiles.push(...coded.map(([tile]) => tile))
        const restored = await codec.decodeBand(whole, band)
        const expected = pixels.data.subarray(4 * image.width * band.y0, 4 * image.width * band.y1)
        expect(Buffer.compare(Buffer.from(restored.data), Buffer.from(expected))).toBe(0)
      }
      const tail = whole.subarray(whole.length - tiles.reduce((n, tile) => n + tile.length, 0))
      expect(Buffer.compare(Buffer.concat(tiles), tail)).toBe(0)
    },
  )

  it('spends what padding would add on the picture', async () => {
    const image = picture(700, 300)
    const least = await codec.encode(image, { ...options(50), paddedLength: (bytes) => bytes })
    const room = Math.ceil(1.06 * least.length)
    const filled = await codec.encode(image, { ...options(50), paddedLength: () => room })
    expect(filled.length).toBeLessThanOrEqual(room)
    expect(filled.length).toBeGreaterThan(0.5 * (least.length + room))
    const [lean, rich] = [psnrDb(image, await codec.decode(least)), psnrDb(image, await codec.decode(filled))]
    expect(rich).toBeGreaterThan(lean + 0.05)
  })

  it('restores the same pixels on the cpu backend within 1 in 255', async () => {
    const image = picture(48, 48)
    const coded = await codec.encode(image, options(35))
    const wasm = await codec.decode(coded)
    const { weights } = await readModel()
    await tf.setBackend('cpu')
    try {
      const other = createCodec(weights)
      const cpu = await other.decode(coded)
      other.dispose()
      const worst = cpu.data.reduce((most, v, i) => Math.max(most, Math.abs(v - wasm.data[i]!)), 0)
      expect(worst).toBeLessThanOrEqual(1)
    } finally {
      await tf.setBackend('wasm')
    }
  })

  it('holds no tensors between pictures', async () => {
    const image = picture(64, 64)
    await codec.decode(await codec.encode(image, options(20)))
    const before = tf.memory().numTensors
    for (let i = 0; i < 3; i++) await codec.decode(await codec.encode(image, options(20)))
    expect(tf.memory().numTensors).toBe(before)
  })

  it('refuses sizes and qualities that are none', async () => {
    const image = picture(8, 8)
    await expect(codec.encode({ ...image, width: 0 }, options(20))).rejects.toThrow(CodecError)
    await expect(codec.encode({ ...image, width: 9 }, options(20))).rejects.toThrow(/do not fill/)
    await expect(codec.encode(image, options(64))).rejects.toThrow(/Quality/)
  })

  it('ends when it is cancelled', async () => {
    const signal = AbortSignal.abort()
    await expect(codec.encode(picture(64, 64), { ...options(20), signal })).rejects.toThrow(/abort/i)
  })
})
