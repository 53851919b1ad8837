/** From the symbols of tiles to quarters of pixels, window by window: in float32, or in whole numbers (exact/). */
import * as tf from '@tensorflow/tfjs-core'
import { release } from '../lib/release'
import type { BlockRegion } from './blocks'
import { SYMBOL_UNIT } from './context-model'
import type { WholeMachine } from './exact/layers'
import { fitSymbols } from './exact/symbol-energy'
import type { WholeModel } from './exact/whole-synthesis'
import { TILE_BLOCKS } from './runs'
import type { TileSymbols } from './tile-coder'
import { synthesisAt, synthesizeLinear, synthesizeWindow } from './transform'
import type { Detail } from './types'
import { LATENTS, type CodecWeights } from './weights'

/** Input channels of a run are rounded up to this, so that few shapes occur. */
const CHANNEL_UNIT = 64

/** Restores windows at one quality. */
export interface Restorer {
  /** Makes the symbols of a tile, as they were decoded, ready for `gather`, in place. */
  admit(tile: TileSymbols): void
  /**
   * Gathers what a window needs from the tiles over a region that holds it. What comes back restores it: quarters
   * [4 * rows, 4 * columns, 48] less 128, of which the outermost are only right at the edge of the image.
   */
  gather(
    tiles: RegionTiles,
    region: BlockRegion,
    window: BlockRegion,
    detail: Detail,
  ): () => Promise<Float32Array | Int16Array>
  dispose(): void
}

/** A tile and its first block. */
export interface PlacedTile {
  readonly tile: TileSymbols
  readonly x: number
  readonly y: number
}

export interface RegionTiles {
  readonly tiles: readonly PlacedTile[]
  /** Channels that any of the tiles uses, rounded up. */
  readonly channels: number
}

export function regionTiles(tiles: readonly PlacedTile[]): RegionTiles {
  const active = tiles.reduce((most, { tile }) => Math.max(most, tile.active), 1)
  return { tiles, channels: Math.min(LATENTS, Math.ceil(active / CHANNEL_UNIT) * CHANNEL_UNIT) }
}

export function floatRestorer(weights: CodecWeights, quality: number): Restorer {
  const transform = synthesisAt(weights, quality)
  return {
    admit: () => undefined,
    gather(tiles, region, window, detail) {
      const seenChannels = detail === 'quick' ? 0 : Math.min(tiles.channels, weights.config.synthesisIn)
      const all = inSteps(collect(tiles, window, tiles.channels))
      const seen = inSteps(collect(tiles, region, seenChannels))
      return async () => {
        const quarters = tf.tidy(() => {
          const input = inputOf(all, window)
          if (detail === 'quick') return synthesizeLinear(transform, input)
          const at = { x: window.x - region.x, y: window.y - region.y }
          return synthesizeWindow(transform, inputOf(seen, region), input, at)
        })
        try {
          return (await quarters.data()) as Float32Array
        } finally {
          quarters.dispose()
          release(all)
          release(seen)
        }
      }
    },
    dispose: () => {
      transform.dispose()
    },
  }
}

/** `machine` stays the caller's. */
export function wholeRestorer({ synthesis, energy }: WholeModel, machine: WholeMachine): Restorer {
  return {
    admit: ({ symbols, active }) => {
      fitSymbols(symbols, active, energy)
    },
    gather(tiles, region, window, detail) {
      const symbols = collect(tiles, region, tiles.channels)
      return async () => {
        machine.use(synthesis)
        const inside = { ...window, x: window.x - region.x, y: window.y - region.y }
        const quarters = await machine.restore(symbols, region, inside, detail)
        release(symbols)
        return quarters
      }
    },
    dispose: () => undefined,
  }
}

/** The first channels of a region's symbols, [positions, channels]. */
function collect({ tiles }: RegionTiles, region: BlockRegion, channels: number): Int16Array {
  const values = new Int16Array(region.width * region.height * channels)
  for (const { tile, x, y } of tiles) {
    const { symbols, active, width } = tile
    const count = Math.min(active, channels)
    const bottom = Math.min(y + TILE_BLOCKS, region.y + region.height)
    const right = Math.min(x + TILE_BLOCKS, region.x + region.width)
    for (let by = Math.max(y, region.y); by < bottom; by++) {
      for (let bx = Math.max(x, region.x); bx < right; bx++) {
        const from = ((by - y) * width + (bx - x)) * active
        const to = ((by - region.y) * region.width + (bx - region.x)) * channels
        values.set(symbols.subarray(from, from + count), to)
      }
    }
  }
  return values
}

/** Dequantized. */
function inSteps(symbols: Int16Array): Float32Array {
  const steps = new Float32Array(symbols.length)
  for (let i = 0; i < steps.length; i++) steps[i] = symbols[i]! / SYMBOL_UNIT
  release(symbols)
  return steps
}

function inputOf(values: Float32Array, { width, height }: BlockRegion): tf.Tensor4D {
  return tf.tensor4d(values, [1, height, width, values.length / (width * height)])
}
