/** Whole numbers as SIMD has them: sums and products that wrap at 32 bits, and what is kept of them at 16. */

export const saturate = (x: number): number => Math.max(-32768, Math.min(32767, x))

/** Sum of weights from `at` on times all values, wrapping at 32 bits. */
export function dot(weights: Int32Array, at: number, values: Int16Array | Int32Array): number {
  let sum = 0
  for (let k = 0; k < values.length; k++) sum = (sum + Math.imul(weights[at + k]!, values[k]!)) | 0
  return sum
}
