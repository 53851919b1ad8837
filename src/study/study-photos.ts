/** The photos that studies run on: procedural ones with a silhouette as alpha channel, and those of a folder. */
import type { RasterImage } from '../codec/types'
import { makePrng } from '../lib/prng'
import { cutMiddle } from '../training/middle'
import { proceduralImage } from '../training/procedural-images'

const PHOTO_WIDTH = 192
const PHOTO_HEIGHT = 144

/** 255 within a seeded superellipse, 0 outside: what a cut-out portrait has as its alpha. */
function silhouette(seed: number): (x: number, y: number) => number {
  const prng = makePrng(seed ^ 0x5bd1e995)
  const between = (low: number, high: number) => low + (high - low) * prng.nextFloat()
  const [cx, cy] = [between(0.35, 0.65) * PHOTO_WIDTH, between(0.35, 0.65) * PHOTO_HEIGHT]
  const [rx, ry] = [between(0.15, 0.5) * PHOTO_WIDTH, between(0.15, 0.5) * PHOTO_HEIGHT]
  const power = between(1.2, 4)
  return (x, y) => (Math.abs((x - cx) / rx) ** power + Math.abs((y - cy) / ry) ** power < 1 ? 255 : 0)
}

function withSilhouette(seed: number, pixel: (at: number) => readonly [number, number, number]): RasterImage {
  const alphaAt = silhouette(seed)
  const data = new Uint8ClampedArray(4 * PHOTO_WIDTH * PHOTO_HEIGHT)
  for (let at = 0; at < PHOTO_WIDTH * PHOTO_HEIGHT; at++) {
    data.set(pixel(at), 4 * at)
    data[4 * at + 3] = alphaAt(at % PHOTO_WIDTH, Math.floor(at / PHOTO_WIDTH))
  }
  return { width: PHOTO_WIDTH, height: PHOTO_HEIGHT, hasAlpha: true, colorSpace: 'srgb', data }
}

export function proceduralPhoto(seed: number): RasterImage {
  const rgb = proceduralImage(seed, PHOTO_WIDTH, PHOTO_HEIGHT)
  return withSilhouette(seed, (at) => [rgb[3 * at]!, rgb[3 * at + 1]!, rgb[3 * at + 2]!])
}

/** The middle of a larger picture; null where it is too small. Its own alpha gives way to a silhouette. */
export function photoFrom(picture: RasterImage, seed: number): RasterImage | null {
  if (picture.width < PHOTO_WIDTH || picture.height < PHOTO_HEIGHT) return null
  const { data } = cutMiddle(picture, PHOTO_WIDTH, PHOTO_HEIGHT)
  return withSilhouette(seed, (at) => [data[4 * at]!, data[4 * at + 1]!, data[4 * at + 2]!])
}
