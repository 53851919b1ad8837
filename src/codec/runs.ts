/**
 * How tiles are grouped into runs of the networks, in blocks of 16 pixels. A run is computed with a halo, which its
 * neighbours compute too. One tile a run keeps memory small and, by measurement, is the fastest: what the halo costs,
 * the processor's cache gives back. The result does not depend on the grouping.
 */
import type { BlockRegion } from './blocks'
import { ENTROPY_TILE } from './types'
import { BLOCK } from './weights'

export const TILE_BLOCKS = ENTROPY_TILE / BLOCK
export interface Size {
  readonly width: number
  readonly height: number
}

/** Tiles [column, column + columns) x [row, row + rows). */
export interface Run {
  readonly column: number
  readonly row: number
  readonly columns: number
  readonly rows: number
}

/** Runs over the tile rows [from, to), row after row. */
export function planRuns(columns: number, from: number, to: number): Run[] {
  return Array.from({ length: columns * (to - from) }, (_, i) => ({
    column: i % columns,
    row: from + Math.floor(i / columns),
    columns: 1,
    rows: 1,
  }))
}

const blocksOf = (pixels: number): number => Math.ceil(pixels / BLOCK)

export function runRegion(size: Size, { column, row, columns, rows }: Run): BlockRegion {
  const x = column * TILE_BLOCKS
  const y = row * TILE_BLOCKS
  return {
    x,
    y,
    width: Math.min(columns * TILE_BLOCKS, blocksOf(size.width) - x),
    height: Math.min(rows * TILE_BLOCKS, blocksOf(size.height) - y),
  }
}

export function tileRegion(size: Size, column: number, row: number): BlockRegion {
  return runRegion(size, { column, row, columns: 1, rows: 1 })
}

/** The region and so many blocks around it, where the image has them. */
export function withHalo(size: Size, core: BlockRegion, halo: number): BlockRegion {
  const x = Math.max(0, core.x - halo)
  const y = Math.max(0, core.y - halo)
  return {
    x,
    y,
    width: Math.min(blocksOf(size.width), core.x + core.width + halo) - x,
    height: Math.min(blocksOf(size.height), core.y + core.height + halo) - y,
  }
}
