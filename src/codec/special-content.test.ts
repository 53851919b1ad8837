/**
 * What is no photograph through the shipped model, at the three qualities that the app offers and one far below them: no
 * banding, no grid of blocks, no ringing far from edges, no colour where there was none. Limits are 8-bit levels.
 */
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import { readModel, readyWasm } from '../training/node-model'
import { createCodec } from './codec'
import { psnrDb } from './metrics'
import { DEFAULT_QUALITY, stepOf } from './quality'
import {
  cutOut,
  drawFlat,
  drawGradient,
  drawLineArt,
  drawNoise,
  drawPixels,
  drawScreen,
  inGrey,
  type Colour,
} from './testing-content'
import { colourIn, distanceToEdges, errorSteps, meanShift, profilesOf, worstError } from './testing-measures'
import { ENTROPY_TILE, type Codec, type RasterImage } from './types'
import { BLOCK } from './weights'

const QUALITIES = [5, 24, DEFAULT_QUALITY, 48] as const

/**
 * Limits at those qualities: what was measured with safelight-v5, and little more. The aims are 2 for flat colour, 0.5 for
 * means, and steps no more than 1 beyond the source. Where a limit is above its aim, the model misses it: at the default
 * quality by a level of steps on strong colour, in fringes of one pixel beside sharp letters, and in the last pixels before the edge
 * of a saturated picture, which the networks see beside padding.
 */
const LIMITS = {
  /** Worst error of one flat colour, four pixels and more from the edge of the picture. */
  flat: [11, 4, 2, 2],
  /** The same up to the edge, and of slopes one pixel wide. */
  rim: [24, 14, 9, 4],
  /** Shift of the mean of a channel. */
  shift: [3.5, 1.2, 0.55, 0.25],
  /** How far a slope falls back, and how much its steps exceed those of the source. */
  back: [6.5, 2, 1.5, 1],
  step: [6, 3.5, 2.5, 1.25],
  /** Mean step of the error of a slope across the borders of blocks. */
  grid: [1.8, 1.2, 0.8, 0.5],
  /** The same across the borders of tiles, for that of blocks: a ratio. */
  seam: [1.9, 1.3, 1.3, 1.3],
  /** Worst error more than one block from every edge, and more than two. */
  ringing: [16, 7, 5, 3],
  paper: [7, 3, 2, 1],
  /** Most colour in what was grey. */
  colour: [35, 18, 13, 5],
  /** Least PSNR of what was cut out, over a page, dB. */
  composedDb: [28, 38, 43, 50],
} as const

const CORNERS: readonly Colour[] = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => [
  255 * (bits & 1),
  255 * ((bits >> 1) & 1),
  255 * (bits >> 2),
])

/** Smooth slopes from less than a level in ten pixels to nearly one a pixel, along one side. */
const GRADIENTS = [
  drawGradient(600, 40, [0, 0, 0], [255, 255, 255], 'x'),
  drawGradient(600, 40, [90, 140, 210], [200, 220, 240], 'x'),
  drawGradient(600, 40, [0, 0, 0], [30, 20, 40], 'x'),
  drawGradient(300, 40, [255, 230, 200], [255, 80, 0], 'x'),
  drawGradient(40, 600, [20, 10, 40], [250, 190, 120], 'y'),
  drawGradient(40, 300, [0, 20, 60], [160, 190, 230], 'y'),
]

let codec: Codec

beforeAll(async () => {
  await readyWasm()
  codec = createCodec((await readModel()).weights)
})
afterAll(() => codec.dispose())

/** Restored from its bytes, never below the PSNR that the app takes as a sign of damage. */
async function restore(image: RasterImage, quality: number): Promise<RasterImage> {
  const restored = await codec.decode(await codec.encode(image, { quality, effort: 'fast' }))
  const damagedBelowDb = 10 * Math.log10(255 ** 2 / ((1.5 * stepOf(quality)) ** 2 + 4))
  expect(psnrDb(image, restored)).toBeGreaterThan(damagedBelowDb)
  return restored
}

const everywhere = (): boolean => true
const isBlockBorder = (at: number): boolean => at % BLOCK === 0
const isSeam = (at: number): boolean => at % ENTROPY_TILE === 0

describe.each(QUALITIES)('special content at quality %i', (quality) => {
  const limitOf = (name: keyof typeof LIMITS): number => LIMITS[name][QUALITIES.indexOf(quality)]!

  it('keeps one colour one colour', async () => {
    const prng = makePrng(31)
    const drawn = Array.from({ length: 8 }, (): Colour => [
      prng.nextBelow(256),
      prng.nextBelow(256),
      prng.nextBelow(256),
    ])
    for (const colour of [...CORNERS, [250, 250, 252] as const, ...drawn]) {
      const image = drawFlat(100, 70, colour)
      const restored = await restore(image, quality)
      const isInside = (pixel: number): boolean => {
        const [x, y] = [pixel % image.width, Math.floor(pixel / image.width)]
        return Math.min(x, y, image.width - 1 - x, image.height - 1 - y) >= 4
      }
      expect(worstError(image, restored, isInside), colour.join()).toBeLessThanOrEqual(limitOf('flat'))
      expect(worstError(image, restored, everywhere), colour.join()).toBeLessThanOrEqual(limitOf('rim'))
      expect(meanShift(image, restored), colour.join()).toBeLessThanOrEqual(limitOf('shift'))
    }
  })

  it('keeps smooth slopes smooth', async () => {
    for (const image of GRADIENTS) {
      const restored = await restore(image, quality)
      const before = profilesOf(image)
      for (const [c, profile] of profilesOf(restored).entries()) {
        const source = before[c]!
        const direction = Math.sign(source.at(-1)! - source[0]!)
        let top = -Infinity
        for (const [i, value] of profile.entries()) {
          top = Math.max(top, direction * value)
          expect(top - direction * value).toBeLessThan(limitOf('back'))
          if (i === 0) continue
          const step = Math.abs(source[i]! - source[i - 1]!)
          expect(Math.abs(value - profile[i - 1]!)).toBeLessThan(step + limitOf('step'))
        }
      }
      const { across, inside } = errorSteps(image, restored, isBlockBorder)
      expect(across).toBeLessThan(limitOf('grid'))
      expect(inside).toBeLessThan(limitOf('grid'))
      expect(meanShift(image, restored)).toBeLessThan(limitOf('shift'))
    }
  })

  it('shows no seam between tiles', async () => {
    const slope = (x: number, y: number): Colour => [
      30 + 0.21 * x + 0.1 * y,
      60 + 0.1 * x + 0.2 * y,
      90 + 0.12 * x + 0.08 * y,
    ]
    const image = drawPixels(560, 540, slope)
    const restored = await restore(image, quality)
    const seam = errorSteps(image, restored, isSeam).across
    const other = errorSteps(image, restored, (at) => isBlockBorder(at) && !isSeam(at)).across
    expect(seam / other).toBeLessThan(limitOf('seam'))
  })

  it('rings beside edges only', async () => {
    for (const seed of [1, 2, 3])
      for (const image of [drawScreen(seed, 260, 200), drawLineArt(seed, 260, 200)]) {
        const restored = await restore(image, quality)
        const distance = distanceToEdges(image)
        const beyond = (pixels: number) => worstError(image, restored, (i) => distance[i]! > pixels)
        expect(beyond(BLOCK)).toBeLessThanOrEqual(limitOf('ringing'))
        expect(beyond(2 * BLOCK)).toBeLessThanOrEqual(limitOf('paper'))
        expect(meanShift(image, restored)).toBeLessThan(limitOf('shift'))
      }
  })

  it('keeps grey grey', async () => {
    for (const seed of [1, 2, 3])
      for (const image of [drawScreen(seed, 200, 150), drawNoise(seed, 96, 96, 128, 60)].map(inGrey)) {
        const restored = await restore(image, quality)
        expect(colourIn(restored)).toBeLessThanOrEqual(limitOf('colour'))
        expect(meanShift(image, restored)).toBeLessThan(limitOf('shift'))
      }
  })

  it('keeps noise even', async () => {
    for (const spread of [8, 30, 90]) {
      const image = drawNoise(spread, 150, 130, 128, spread)
      const restored = await restore(image, quality)
      const { across, inside } = errorSteps(image, restored, isBlockBorder)
      expect(across / inside).toBeLessThan(1.2)
      expect(across / inside).toBeGreaterThan(0.7)
      expect(meanShift(image, restored)).toBeLessThan(limitOf('shift'))
    }
  })

  it('keeps pictures one pixel wide or high', async () => {
    const wideDb = psnrDb(...(await withRestored(drawNoise(1, 96, 96, 128, 40), quality)))
    for (const length of [1, 2, 15, 16, 17, 33, 511, 513, 1025])
      for (const [width, height] of [
        [1, length],
        [length, 1],
      ] as const) {
        const end = Math.min(150, length / 2)
        const to: Colour = [40 + end, 60 + end, 80 - end / 2]
        const slope = drawGradient(width, height, [40, 60, 80], to, width > height ? 'x' : 'y')
        const [, restored] = await withRestored(slope, quality)
        expect([restored.width, restored.height]).toEqual([width, height])
        expect(worstError(slope, restored, everywhere), `${width} x ${height}`).toBeLessThanOrEqual(
          limitOf('rim'),
        )
        const noise = await withRestored(drawNoise(length, width, height, 128, 40), quality)
        // Of few pixels chance decides two decibels.
        expect(psnrDb(...noise), `${width} x ${height}`).toBeGreaterThan(wideDb - (length > 17 ? 0 : 2))
      }
  })

  it('keeps what is cut out clean up to its rim, on white and on black', async () => {
    const pictures = [drawScreen(4, 200, 150), drawGradient(200, 150, [200, 90, 30], [240, 200, 160], 'xy')]
    for (const image of pictures.map(cutOut)) {
      const restored = await restore(image, quality)
      for (let i = 3; i < image.data.length; i += 4)
        if (restored.data[i] !== image.data[i]) expect.fail('Alpha changed.')
      for (const page of [255, 0])
        expect(psnrDb(composed(image, page), composed(restored, page))).toBeGreaterThan(limitOf('composedDb'))
    }
  })
})

describe('screens and line art beside JPEG', () => {
  // Better by 2.6 and 3.6 dB here. The smaller the screen and the higher the quality, the less: six screens of 260 x 200
  // pixels gave -1.3 to 2.2 dB, and above quality 40 JPEG is mostly better at sharp dots of few colours.
  it('are no worse than mozjpeg 4:4:4 at equal bytes', async () => {
    for (const seed of [1, 2]) {
      const image = drawScreen(seed, 600, 400)
      const coded = await codec.encode(image, { quality: DEFAULT_QUALITY, effort: 'fast' })
      const restored = await codec.decode(coded)
      expect(psnrDb(image, restored)).toBeGreaterThan((await jpegPsnrDb(image, coded.length)) - 0.5)
    }
  })

  // JPEG 4:4:4 of as many bytes is better here, above 75 dB: two colours at the ends of the range come back exactly.
  it('are all but exact in black ink on white paper', async () => {
    for (const seed of [1, 2]) {
      const image = drawLineArt(seed, 360, 240)
      expect(psnrDb(image, await restore(image, DEFAULT_QUALITY))).toBeGreaterThan(46)
    }
  })
})

async function withRestored(image: RasterImage, quality: number): Promise<[RasterImage, RasterImage]> {
  return [image, await restore(image, quality)]
}

/** Over a page of one grey level. */
function composed(image: RasterImage, page: number): RasterImage {
  const data = image.data.map((value, i) => {
    const alpha = image.data[i | 3]! / 255
    return (i & 3) === 3 ? 255 : value * alpha + page * (1 - alpha)
  })
  return { ...image, hasAlpha: false, data }
}

/** Of mozjpeg 4:4:4 with so many bytes, between the two qualities that come next to them. */
async function jpegPsnrDb(image: RasterImage, bytes: number): Promise<number> {
  const { width, height, data } = image
  const pixels = Buffer.from(data.buffer, data.byteOffset, data.length)
  const encode = (quality: number): Promise<Buffer> =>
    sharp(pixels, { raw: { width, height, channels: 4 } })
      .removeAlpha()
      .jpeg({ quality, mozjpeg: true, chromaSubsampling: '4:4:4' })
      .toBuffer()
  let [low, high] = [1, 100]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((await encode(middle)).length < bytes) low = middle
    else high = middle
  }
  const [smaller, larger] = [await encode(low), await encode(high)]
  expect(smaller.length).toBeLessThan(bytes)
  expect(larger.length).toBeGreaterThanOrEqual(bytes)
  const [from, to] = [await decodedPsnrDb(smaller), await decodedPsnrDb(larger)]
  return from + ((to - from) * Math.log(bytes / smaller.length)) / Math.log(larger.length / smaller.length)

  async function decodedPsnrDb(jpeg: Buffer): Promise<number> {
    const raw = await sharp(jpeg).ensureAlpha().raw().toBuffer()
    return psnrDb(image, { ...image, data: new Uint8ClampedArray(raw.buffer, raw.byteOffset, raw.length) })
  }
}
