/**
 * Padding hides the length of a coded picture, and its zeros would show nothing. The encoder codes each tile in several
 * versions, and the richest that the padded length has room for are kept: about 4.5 % of bytes (padding rule 1) that
 * are quality instead of zeros.
 */
import { overheadBytes, tileGrid } from './bitstream'
import type { TileVersions } from './types'

/** Tiles that photos of few tiles are filled as finely as. */
const FINE_TILES = 8
const MOST_VERSIONS = 5

/** How many versions of each tile fill a picture's padding well. */
export function versionsFor(width: number, height: number): number {
  const { columns, rows } = tileGrid(width, height)
  return Math.min(MOST_VERSIONS, 1 + Math.ceil(FINE_TILES / (columns * rows)))
}

/** One version of every tile, so that picture and alpha stay within the length that the leanest are padded to. */
export function fillPadding(
  tiles: readonly TileVersions[],
  alpha: Uint8Array | null,
  paddedLength: (bytes: number) => number,
): Uint8Array[] {
  const least = tiles.reduce((sum, [leanest]) => sum + leanest.length, overheadBytes(alpha, tiles.length))
  let room = paddedLength(least) - least
  return tiles.map((versions) => {
    const [leanest] = versions
    const best = versions.findLast((version) => version.length <= leanest.length + room) ?? leanest
    room -= best.length - leanest.length
    return best
  })
}
