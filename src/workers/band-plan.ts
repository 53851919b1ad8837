/** How a photo is cut for several workers. The result does not depend on the cut; memory and time do. */
import { ENTROPY_TILE, HALO, type Band } from '../codec/types'

/** Pixels of a band beyond which it is not made taller: 36 MB of RGBA rows. */
const MAX_BAND_PIXELS = 9_000_000

/**
 * Bands of whole tile rows, top to bottom: as many as there are workers where memory allows, since each inner edge
 * costs some tiles decoded twice.
 */
export function planBands(width: number, height: number, workers: number): Band[] {
  const tileRows = Math.ceil(height / ENTROPY_TILE)
  const fitting = Math.max(1, Math.floor(MAX_BAND_PIXELS / (width * ENTROPY_TILE)))
  const rowsPerBand = Math.min(fitting, Math.ceil(tileRows / Math.max(1, workers)))
  const bands: Band[] = []
  for (let row = 0; row < tileRows; row += rowsPerBand)
    bands.push({ y0: row * ENTROPY_TILE, y1: Math.min(height, (row + rowsPerBand) * ENTROPY_TILE) })
  return bands
}

/** Rows [y0, y1) that encoding a band needs. */
export function rowsForBand(band: Band, height: number): Band {
  return { y0: Math.max(0, band.y0 - HALO), y1: Math.min(height, band.y1 + HALO) }
}

/** Gigabytes of a device's memory that one engine beside the page may count on. */
const GIGABYTES_PER_ENGINE = 2

/** Engines that a device with so many cores runs beside the page; `gigabytes` is its memory, where the browser tells. */
export function poolSize(
  cores: number,
  backend: 'webgpu' | 'wasm' | 'cpu',
  gigabytes: number = Infinity,
): number {
  if (backend === 'webgpu') return 1
  return Math.max(1, Math.min(4, cores - 1, Math.floor(gigabytes / GIGABYTES_PER_ENGINE)))
}
