/** The linear start of the codec: cosine blocks in an opponent colour space, and their statistics on training crops. */
import { readBlocks } from '../codec/blocks'
import type { RasterImage } from '../codec/types'
import { BLOCK, LATENTS } from '../codec/weights'
import { proceduralImage } from './procedural-images'
import type { TrainConfig } from './train-config'

/** Orthonormal rows: luma, red minus blue, green against both. */
const COLOURS = [
  [1, 1, 1],
  [1, 0, -1],
  [1, -2, 1],
].map((row) => row.map((v) => v / Math.sqrt(row.reduce((s, w) => s + w * w, 0))))

/** [768 latents (colour, v, u), 768 pixels in block layout], orthonormal rows. */
export function blockTransform(): Float64Array {
  const cosine = (k: number, x: number): number =>
    Math.cos((Math.PI * k * (2 * x + 1)) / (2 * BLOCK)) * Math.sqrt((k === 0 ? 1 : 2) / BLOCK)
  const out = new Float64Array(LATENTS * LATENTS)
  for (let row = 0; row < LATENTS; row++) {
    const u = row % BLOCK
    const v = Math.floor(row / BLOCK) % BLOCK
    const colour = COLOURS[Math.floor(row / (BLOCK * BLOCK))]!
    for (let p = 0; p < LATENTS; p++) {
      const c = p % 3
      const place = Math.floor(p / 3)
      const x = (place & 3) + 4 * ((place >> 4) & 3)
      const y = ((place >> 2) & 3) + 4 * (place >> 6)
      out[row * LATENTS + p] = colour[c]! * cosine(v, y) * cosine(u, x)
    }
  }
  return out
}

/** RGB bytes [size, size, 3] as an opaque picture. */
export function opaque(rgb: Uint8Array, size: number): RasterImage {
  const data = new Uint8ClampedArray(4 * size * size).fill(255)
  for (let i = 0; i < size * size; i++) {
    data[4 * i] = rgb[3 * i]!
    data[4 * i + 1] = rgb[3 * i + 1]!
    data[4 * i + 2] = rgb[3 * i + 2]!
  }
  return { width: size, height: size, hasAlpha: false, colorSpace: 'srgb', data }
}

/** Latents by falling deviation, and those deviations in that order, over some procedural crops. */
export function latentStatistics(
  config: TrainConfig,
  crops = 24,
): { order: Int32Array; deviation: Float32Array } {
  const basis = blockTransform()
  const power = new Float64Array(LATENTS)
  const side = 128
  const across = side / BLOCK
  let positions = 0
  for (let k = 0; k < crops; k++) {
    const image = opaque(proceduralImage(-1 - config.seed * 1000 - k, side, side, config.data), side)
    const blocks = readBlocks(image, 0, { x: 0, y: 0, width: across, height: across })
    // Every third position: neighbours tell little more.
    for (let at = 0; at < blocks.length; at += 3 * LATENTS, positions++) {
      for (let row = 0; row < LATENTS; row++) {
        let sum = 0
        for (let p = 0; p < LATENTS; p++) sum += basis[row * LATENTS + p]! * blocks[at + p]!
        power[row]! += sum * sum
      }
    }
  }
  const order = Int32Array.from(power.keys()).sort((a, b) => power[b]! - power[a]! || a - b)
  return { order, deviation: Float32Array.from(order, (row) => Math.sqrt(power[row]! / positions)) }
}
