/** One model, all rates: quality 0..63 chooses a quantization step, six octaves apart from end to end. */
import { exp2 } from '../lib/exact-exp'

/** Knots of the per-quality tables, one per octave. */
export const KNOTS = 7

export const QUALITY_MAX = 63

/** Photographs come back at about 41 dB, with 1.1 bits per pixel. */
export const DEFAULT_QUALITY = 34

/** Step at quality 63, in 8-bit grey levels of the orthonormal colour space. */
const STEP_MIN = 2

/** Position on the knots: 0 is the finest step, KNOTS - 1 the coarsest. */
export function knotPosition(quality: number): number {
  return ((QUALITY_MAX - quality) / QUALITY_MAX) * (KNOTS - 1)
}

/** Common quantization step, in grey levels. */
export function stepOf(quality: number): number {
  return STEP_MIN * exp2(knotPosition(quality))
}

/** Row of a [KNOTS, channels] table at a quality, linear between knots. */
export function atQuality(table: Float32Array, channels: number, quality: number): Float32Array {
  const position = knotPosition(quality)
  const low = Math.min(KNOTS - 2, Math.floor(position))
  const share = position - low
  const row = new Float32Array(channels)
  for (let c = 0; c < channels; c++)
    row[c] = table[low * channels + c]! * (1 - share) + table[(low + 1) * channels + c]! * share
  return row
}
