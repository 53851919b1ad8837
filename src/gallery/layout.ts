/** Measures of the justified grid, in CSS pixels; library.css lays it out with the same numbers. */
import type { PhotoView } from '../state/vault-store'

const ROW_HEIGHT = 200
const GAP = 6
const HEADING = 64

/** About how tall a month is at a width, so that the scroll bar is honest before the month was ever drawn. */
export function estimateMonthHeight(photos: readonly PhotoView[], width: number): number {
  const run = photos.reduce((sum, { width: w, height: h }) => sum + (w / h) * ROW_HEIGHT + GAP, 0)
  const rows = Math.max(1, Math.ceil(run / Math.max(width, ROW_HEIGHT)))
  return HEADING + rows * (ROW_HEIGHT + GAP)
}
