/**
 * How tiles are grouped into runs of the networks, in blocks of 16 pixels. A run is computed with a halo, which its
 * neighbours compute too: square runs waste least. The result does not depend on the grouping.
 */
import type { BlockRegion } from './blocks'
import { ENTROPY_TILE } from './types'
import { BLOCK } from './weights'

export const TILE_BLOCKS = ENTROPY_TILE / BLOCK
/** Entropy tiles in a run: 2 x 2, or a row of 4. */
const TILES_PER_RUN = 4

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
  const runs: Run[] = []
  for (let row = from; row < to; row += 2) {
    const rows = Math.min(2, to - row)
    const wide = TILES_PER_RUN / rows
    for (let column = 0; column < columns; column += wide)
      runs.push({ column, row, columns: Math.min(wide, columns - column), rows })
  }
  return runs
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
