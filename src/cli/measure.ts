/** One measurement: a picture through a codec at one setting, restored from the coded bytes alone. */
import sharp, { type Sharp } from 'sharp'
import { msSsim, psnrDb } from '../codec/metrics'
import type { Codec, RasterImage } from '../codec/types'

export interface Measurement {
  readonly codec: string
  readonly picture: string
  readonly quality: number
  readonly bytes: number
  readonly pixels: number
  readonly psnrDb: number
  /** MS-SSIM in dB, -10 log10(1 - MS-SSIM). */
  readonly msSsimDb: number
  readonly encodeSeconds: number
  readonly decodeSeconds: number
}

interface Anchor {
  readonly name: string
  readonly qualities: readonly number[]
  readonly encode: (picture: Sharp, quality: number) => Sharp
}

const JPEG = [8, 15, 25, 40, 55, 68, 80, 88, 93, 96]

/** By family; a family's variants compete, and the better at each quality counts. */
export const ANCHORS: Record<string, readonly Anchor[]> = {
  jpeg: [
    {
      name: 'jpeg-420',
      qualities: JPEG,
      encode: (p, quality) => p.jpeg({ quality, mozjpeg: true, chromaSubsampling: '4:2:0' }),
    },
    {
      name: 'jpeg-444',
      qualities: JPEG,
      encode: (p, quality) => p.jpeg({ quality, mozjpeg: true, chromaSubsampling: '4:4:4' }),
    },
  ],
  webp: [
    {
      name: 'webp',
      qualities: [5, 20, 40, 60, 75, 85, 92, 97, 100],
      encode: (p, quality) => p.webp({ quality, effort: 4 }),
    },
  ],
  avif: [
    {
      name: 'avif-444',
      qualities: [12, 20, 30, 40, 50, 60, 70, 80, 90, 95],
      encode: (p, quality) => p.avif({ quality, effort: 3, chromaSubsampling: '4:4:4' }),
    },
  ],
}

function compare(image: RasterImage, restored: RasterImage): { psnrDb: number; msSsimDb: number } {
  return { psnrDb: psnrDb(image, restored), msSsimDb: -10 * Math.log10(1 - msSsim(image, restored)) }
}

export async function measureCodec(
  codec: Codec,
  image: RasterImage,
  picture: string,
  quality: number,
): Promise<Measurement> {
  const start = performance.now()
  const coded = await codec.encode(image, { quality, effort: 'best' })
  const middle = performance.now()
  const restored = await codec.decode(coded)
  const end = performance.now()
  return {
    codec: 'safelight',
    picture,
    quality,
    bytes: coded.length,
    pixels: image.width * image.height,
    ...compare(image, restored),
    encodeSeconds: (middle - start) / 1000,
    decodeSeconds: (end - middle) / 1000,
  }
}

export async function measureAnchor(
  anchor: Anchor,
  image: RasterImage,
  picture: string,
  quality: number,
): Promise<Measurement> {
  const { width, height, data } = image
  const raw = sharp(Buffer.from(data.buffer, data.byteOffset, data.length), {
    raw: { width, height, channels: 4 },
  })
  const start = performance.now()
  const coded = await anchor.encode(raw.removeAlpha(), quality).toBuffer()
  const middle = performance.now()
  const pixels = await sharp(coded).toColourspace('srgb').ensureAlpha().raw().toBuffer()
  const end = performance.now()
  const restored = { ...image, data: new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length) }
  return {
    codec: anchor.name,
    picture,
    quality,
    bytes: coded.length,
    pixels: width * height,
    ...compare(image, restored),
    encodeSeconds: (middle - start) / 1000,
    decodeSeconds: (end - middle) / 1000,
  }
}
