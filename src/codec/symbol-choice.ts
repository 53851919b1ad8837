/** The fast encoder's choice of a symbol: its own rate against its own error. */
import { SYMBOL_MAX } from './context-model'

/** Bits that a unit of squared error (in squared steps) is worth; 1 / 0.13 in training, more by measurement. */
export const BITS_PER_SQUARED_STEP = 1 / 0.07

/** Magnitude whose rate and distortion are least: the lower or the upper neighbour of `value`; zero below 0.5. */
export function chooseMagnitude(value: number, bits: Float32Array, from: number, size: number): number {
  if (value < 0.5) return 0
  const low = Math.floor(value)
  const escape = size - 1
  if (low + 1 >= escape) return Math.min(SYMBOL_MAX, Math.floor(value + 0.5))
  const rate = bits[from + low + 1]! - bits[from + low]!
  const rest = value - low
  return (2 * rest - 1) * BITS_PER_SQUARED_STEP > rate ? low + 1 : low
}
