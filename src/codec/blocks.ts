/** Between rows of RGBA bytes and the block layout of the transforms (see transform.ts). */
import type { RasterImage } from './types'
import { BLOCK, LATENTS } from './weights'

/** A rectangle in blocks, within an image's grid of blocks. */
export interface BlockRegion {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/**
 * Block layout [height, width, 768] of a region, 8-bit values less 128. `rows` holds image rows from `firstRow`; beyond
 * the image's right and lower edge the last pixel repeats.
 */
export function readBlocks(rows: RasterImage, firstRow: number, region: BlockRegion): Float32Array {
  return readBlocksInto(new Float32Array(region.width * region.height * LATENTS), rows, firstRow, region)
}

/** The same into an array of that length, which comes back. */
export function readBlocksInto<T extends Float32Array | Int16Array>(
  out: T,
  rows: RasterImage,
  firstRow: number,
  region: BlockRegion,
): T {
  const { width, height, data } = rows
  let at = 0
  for (let by = 0; by < region.height; by++) {
    for (let bx = 0; bx < region.width; bx++) {
      const top = (region.y + by) * BLOCK - firstRow
      const left = (region.x + bx) * BLOCK
      for (let sub = 0; sub < 16; sub++) {
        const y0 = top + 4 * (sub >> 2)
        const x0 = left + 4 * (sub & 3)
        for (let dy = 0; dy < 4; dy++) {
          const line = Math.min(height - 1, y0 + dy) * width
          for (let dx = 0; dx < 4; dx++) {
            const from = 4 * (line + Math.min(width - 1, x0 + dx))
            out[at] = data[from]! - 128
            out[at + 1] = data[from + 1]! - 128
            out[at + 2] = data[from + 2]! - 128
            at += 3
          }
        }
      }
    }
  }
  return out
}

/**
 * Writes quarters [4 * blocks high, quarterWidth, 48] into image rows: the window of blocks at (skipX, skipY) of the
 * computed region goes to the target, clipped to its size. Alpha is set to 255.
 */
export function writeQuarters(
  quarters: Float32Array | Int16Array,
  quarterWidth: number,
  skipX: number,
  skipY: number,
  target: Uint8ClampedArray,
  targetWidth: number,
  window: { left: number; top: number; right: number; bottom: number },
): void {
  for (let y = window.top; y < window.bottom; y++) {
    const qy = (y - window.top) >> 2
    const dy = (y - window.top) & 3
    const line = (skipY * 4 + qy) * quarterWidth + skipX * 4
    let to = 4 * (y * targetWidth + window.left)
    for (let x = window.left; x < window.right; x++) {
      const from = (line + ((x - window.left) >> 2)) * 48 + (dy * 4 + ((x - window.left) & 3)) * 3
      target[to] = quarters[from]! + 128
      target[to + 1] = quarters[from + 1]! + 128
      target[to + 2] = quarters[from + 2]! + 128
      target[to + 3] = 255
      to += 4
    }
  }
}
