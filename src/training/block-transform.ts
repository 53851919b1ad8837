/** The linear start of the codec: cosine blocks in an opponent colour space, and their statistics on training crops. */
import { readBlocks } from '../codec/blocks'
import { EDGE, EDGE_DEPTH, EDGES } from '../codec/intra-prediction'
import { BLOCK, LATENTS } from '../codec/weights'
import { opaque } from './opaque'
import { proceduralImage } from './procedural-images'
import type { TrainConfig } from './train-config'

/** Orthonormal rows: luma, red minus blue, green against both. */
const COLOURS = [
  [1, 1, 1],
  [1, 0, -1],
  [1, -2, 1],
].map((row) => row.map((v) => v / Math.sqrt(row.reduce((s, w) => s + w * w, 0))))

/** Orthonormal cosines [frequency, place] of one axis of a block. */
const COSINES = Float64Array.from({ length: BLOCK * BLOCK }, (_, i) => {
  const k = Math.floor(i / BLOCK)
  const x = i % BLOCK
  return Math.cos((Math.PI * k * (2 * x + 1)) / (2 * BLOCK)) * Math.sqrt((k === 0 ? 1 : 2) / BLOCK)
})

/** Row-major place in the 16 x 16 block of every pixel of the block layout. */
const PLACES = Int32Array.from({ length: BLOCK * BLOCK }, (_, place) => {
  const x = (place & 3) + 4 * ((place >> 4) & 3)
  const y = ((place >> 2) & 3) + 4 * (place >> 6)
  return y * BLOCK + x
})

/** [768 latents (colour, v, u), 768 pixels in block layout], orthonormal rows. */
export function blockTransform(): Float64Array {
  const out = new Float64Array(LATENTS * LATENTS)
  for (let row = 0; row < LATENTS; row++) {
    const u = row % BLOCK
    const v = Math.floor(row / BLOCK) % BLOCK
    const colour = COLOURS[Math.floor(row / (BLOCK * BLOCK))]!
    for (let p = 0; p < LATENTS; p++) {
      const at = PLACES[Math.floor(p / 3)]!
      const wave = COSINES[v * BLOCK + Math.floor(at / BLOCK)]! * COSINES[u * BLOCK + (at % BLOCK)]!
      out[row * LATENTS + p] = colour[p % 3]! * wave
    }
  }
  return out
}

/** Luma of the right edge (16 rows x 2) and of the bottom edge (2 rows x 16) that latents [n] of this order draw: [n, 64]. */
export function lumaEdges(order: Int32Array): Float32Array {
  const edges = new Float32Array(order.length * EDGES)
  order.forEach((row, channel) => {
    if (row >= BLOCK * BLOCK) return // chroma
    const u = row % BLOCK
    const v = Math.floor(row / BLOCK)
    const wave = (y: number, x: number): number => COSINES[v * BLOCK + y]! * COSINES[u * BLOCK + x]!
    const inner = BLOCK - EDGE_DEPTH
    for (let along = 0; along < BLOCK; along++)
      for (let depth = 0; depth < EDGE_DEPTH; depth++) {
        edges[channel * EDGES + along * EDGE_DEPTH + depth] = wave(along, inner + depth)
        edges[channel * EDGES + EDGE + depth * BLOCK + along] = wave(inner + depth, along)
      }
  })
  return edges
}

/** The block transform of one position (768 values in block layout from an offset) by rows and columns. */
export function transformBlock(blocks: Float32Array, from: number): Float64Array {
  const out = new Float64Array(LATENTS)
  const plane = new Float64Array(BLOCK * BLOCK)
  const rows = new Float64Array(BLOCK * BLOCK)
  COLOURS.forEach((colour, c) => {
    for (let place = 0; place < BLOCK * BLOCK; place++) {
      const p = from + 3 * place
      plane[PLACES[place]!] =
        colour[0]! * blocks[p]! + colour[1]! * blocks[p + 1]! + colour[2]! * blocks[p + 2]!
    }
    for (let y = 0; y < BLOCK; y++) {
      for (let u = 0; u < BLOCK; u++) {
        let sum = 0
        for (let x = 0; x < BLOCK; x++) sum += COSINES[u * BLOCK + x]! * plane[y * BLOCK + x]!
        rows[y * BLOCK + u] = sum
      }
    }
    for (let v = 0; v < BLOCK; v++) {
      for (let u = 0; u < BLOCK; u++) {
        let sum = 0
        for (let y = 0; y < BLOCK; y++) sum += COSINES[v * BLOCK + y]! * rows[y * BLOCK + u]!
        out[c * BLOCK * BLOCK + v * BLOCK + u] = sum
      }
    }
  })
  return out
}

/** Latents by falling deviation, and those deviations in that order, over some procedural crops. */
export function latentStatistics(
  config: TrainConfig,
  crops = 48,
): { order: Int32Array; deviation: Float32Array } {
  const power = new Float64Array(LATENTS)
  const side = 128
  const across = side / BLOCK
  let positions = 0
  for (let k = 0; k < crops; k++) {
    const image = opaque(proceduralImage(-1 - config.seed * 1000 - k, side, side, config.data), side)
    const blocks = readBlocks(image, 0, { x: 0, y: 0, width: across, height: across })
    for (let at = 0; at < blocks.length; at += LATENTS, positions++) {
      const latents = transformBlock(blocks, at)
      for (let row = 0; row < LATENTS; row++) power[row]! += latents[row]! * latents[row]!
    }
  }
  const order = Int32Array.from(power.keys()).sort((a, b) => power[b]! - power[a]! || a - b)
  return { order, deviation: Float32Array.from(order, (row) => Math.sqrt(power[row]! / positions)) }
}
