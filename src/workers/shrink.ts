/** Shrinks a picture by area averaging while its rows stream by: for thumbnails, without holding the photo. */
import type { PhotoRows } from './photo-source'

export interface Shrinker {
  /** Rows in order from the top, without gaps. */
  add(rows: PhotoRows): void
  finish(): PhotoRows
}

/** The size whose longer side is at most `longest` px; never larger than the picture, never below 1. */
export function shrunkSize(
  width: number,
  height: number,
  longest: number,
): { readonly width: number; readonly height: number } {
  const scale = Math.min(1, longest / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** Every source pixel counts fully in the one output pixel that holds its centre; colour is weighted by alpha. */
export function startShrinking(width: number, height: number, longest: number): Shrinker {
  const size = shrunkSize(width, height, longest)
  const sums = new Float64Array(size.width * size.height * 5)
  const column = Uint32Array.from({ length: width }, (_, x) => Math.floor(((x + 0.5) * size.width) / width))
  let y = 0
  let hasAlpha = false
  let colorSpace: PhotoRows['colorSpace'] = 'srgb'
  return {
    add(rows) {
      hasAlpha = rows.hasAlpha
      colorSpace = rows.colorSpace
      for (let row = 0, i = 0; row < rows.height; row++, y++) {
        const line = Math.floor(((y + 0.5) * size.height) / height) * size.width
        for (let x = 0; x < width; x++, i += 4) {
          const at = 5 * (line + column[x]!)
          const alpha = rows.data[i + 3]!
          sums[at] = sums[at]! + rows.data[i]! * alpha
          sums[at + 1] = sums[at + 1]! + rows.data[i + 1]! * alpha
          sums[at + 2] = sums[at + 2]! + rows.data[i + 2]! * alpha
          sums[at + 3] = sums[at + 3]! + alpha
          sums[at + 4] = sums[at + 4]! + 1
        }
      }
    },
    finish() {
      const data = new Uint8ClampedArray(4 * size.width * size.height)
      for (let i = 0, at = 0; i < data.length; i += 4, at += 5) {
        const alpha = sums[at + 3]!
        const weight = alpha === 0 ? 1 : alpha
        for (let c = 0; c < 3; c++) data[i + c] = sums[at + c]! / weight
        data[i + 3] = alpha / Math.max(1, sums[at + 4]!)
      }
      return { ...size, hasAlpha, colorSpace, data }
    },
  }
}
