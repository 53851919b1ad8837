/** One measurement: a picture through a codec at one setting, restored from the stored bytes alone. */
import sharp, { type Sharp } from 'sharp'
import { msSsimTo, psnrDb } from '../codec/metrics'
import type { Codec, Effort, RasterImage } from '../codec/types'
import type { Sealer } from './sealed'

export interface Measurement {
  readonly codec: string
  readonly picture: string
  readonly quality: number
  /** Everything stored: for Safelight the whole artifact, padding and tags counted. */
  readonly bytes: number
  /** For Safelight the coded picture before it is padded and sealed. */
  readonly codedBytes: number
  readonly pixels: number
  readonly psnrDb: number
  /** MS-SSIM in dB, -10 log10(1 - MS-SSIM). */
  readonly msSsimDb: number
  readonly encodeSeconds: number
  readonly decodeSeconds: number
}

export interface Anchor {
  readonly name: string
  /** What decides the bytes beside the quality. */
  readonly settings: string
  readonly qualities: readonly number[]
  readonly encode: (picture: Sharp, quality: number) => Sharp
}

const JPEG = [8, 15, 25, 40, 55, 68, 80, 88, 93, 96]

function jpeg(chromaSubsampling: '4:2:0' | '4:4:4'): Anchor {
  return {
    name: `jpeg-${chromaSubsampling.replaceAll(':', '')}`,
    settings: `mozjpeg ${chromaSubsampling}`,
    qualities: JPEG,
    encode: (p, quality) => p.jpeg({ quality, mozjpeg: true, chromaSubsampling }),
  }
}

/** By family. */
export const ANCHORS: Record<string, readonly Anchor[]> = {
  jpeg: [jpeg('4:2:0'), jpeg('4:4:4')],
  webp: [
    {
      name: 'webp',
      settings: 'effort 4',
      qualities: [5, 20, 40, 60, 75, 85, 92, 97, 100],
      encode: (p, quality) => p.webp({ quality, effort: 4 }),
    },
  ],
  avif: [
    {
      name: 'avif-444',
      settings: '4:4:4, effort 3, default tune',
      qualities: [12, 20, 30, 40, 50, 60, 70, 80, 90, 95],
      encode: (p, quality) => p.avif({ quality, effort: 3, chromaSubsampling: '4:4:4' }),
    },
  ],
}

/** A picture to be coded, with what its comparisons share. */
export interface Original {
  readonly name: string
  readonly image: RasterImage
  readonly compare: (restored: RasterImage) => { psnrDb: number; msSsimDb: number }
}

export function makeOriginal(name: string, image: RasterImage): Original {
  const msSsim = msSsimTo(image)
  const compare = (restored: RasterImage) => ({
    psnrDb: psnrDb(image, restored),
    msSsimDb: -10 * Math.log10(1 - msSsim(restored)),
  })
  return { name, image, compare }
}

/** Encoding ends with the sealed artifact; decoding begins with it. */
export async function measureCodec(
  { codec, sealer, effort }: { codec: Codec; sealer: Sealer; effort: Effort },
  { name, image, compare }: Original,
  quality: number,
): Promise<Measurement> {
  const start = performance.now()
  const coded = await codec.encode(image, { quality, effort, paddedLength: sealer.paddedLength })
  const sealed = await sealer.seal(image, coded, quality)
  const middle = performance.now()
  const restored = await codec.decode(await sealer.open(sealed.bytes, sealed.dataKey))
  const end = performance.now()
  return {
    codec: 'safelight',
    picture: name,
    quality,
    bytes: sealed.bytes.length,
    codedBytes: coded.length,
    pixels: image.width * image.height,
    ...compare(restored),
    encodeSeconds: (middle - start) / 1000,
    decodeSeconds: (end - middle) / 1000,
  }
}

export async function measureAnchor(
  anchor: Anchor,
  { name, image, compare }: Original,
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
    picture: name,
    quality,
    bytes: coded.length,
    codedBytes: coded.length,
    pixels: width * height,
    ...compare(restored),
    encodeSeconds: (middle - start) / 1000,
    decodeSeconds: (end - middle) / 1000,
  }
}
