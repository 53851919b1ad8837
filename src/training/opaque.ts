import type { RasterImage } from '../codec/types'

/** RGB bytes [height, width, 3] as an opaque picture; a square one unless its height is told. */
export function opaque(rgb: Uint8Array, width: number, height = width): RasterImage {
  const data = new Uint8ClampedArray(4 * width * height).fill(255)
  for (let i = 0; i < width * height; i++) {
    data[4 * i] = rgb[3 * i]!
    data[4 * i + 1] = rgb[3 * i + 1]!
    data[4 * i + 2] = rgb[3 * i + 2]!
  }
  return { width, height, hasAlpha: false, colorSpace: 'srgb', data }
}
