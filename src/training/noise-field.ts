/**
 * Noise with a power-law spectrum on a torus: white noise filtered in the frequency plane by 1/f^s, with a radix-2
 * Fourier transform whose twiddles come from turn-table.ts.
 */
import type { Random } from './random'
import { TURN, cosineOfTurns, sineOfTurns } from './turn-table'

/** In-place forward transform of length n = re.length (a power of two up to TURN), read with a stride from an offset. */
function transformLine(re: Float64Array, im: Float64Array): void {
  const n = re.length
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      const a = re[i]!
      re[i] = re[j]!
      re[j] = a
      const b = im[i]!
      im[i] = im[j]!
      im[j] = b
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2
    for (let k = 0; k < half; k++) {
      const c = cosines[(k * TURN) / size]!
      const s = sines[(k * TURN) / size]!
      for (let i = k; i < n; i += size) {
        const j = i + half
        const a = re[j]! * c - im[j]! * s
        const b = re[j]! * s + im[j]! * c
        re[j] = re[i]! - a
        im[j] = im[i]! - b
        re[i]! += a
        im[i]! += b
      }
    }
  }
}

const cosines = Float64Array.from({ length: TURN }, (_, i) => cosineOfTurns(i / TURN))
const sines = Float64Array.from({ length: TURN }, (_, i) => sineOfTurns(i / TURN))

function transformPlane(re: Float64Array, im: Float64Array, n: number): void {
  const a = new Float64Array(n)
  const b = new Float64Array(n)
  for (let y = 0; y < n; y++) {
    transformLine(re.subarray(y * n, y * n + n), im.subarray(y * n, y * n + n))
  }
  for (let x = 0; x < n; x++) {
    for (let y = 0; y < n; y++) {
      a[y] = re[y * n + x]!
      b[y] = im[y * n + x]!
    }
    transformLine(a, b)
    for (let y = 0; y < n; y++) {
      re[y * n + x] = a[y]!
      im[y * n + x] = b[y]!
    }
  }
}

/**
 * Two independent n x n fields of mean 0 and variance 1 whose amplitude spectrum falls as 1/f^(quarters/4), stretched
 * along x by `stretch` (1 for none).
 */
export function powerLawFields(
  random: Random,
  n: number,
  quarters: number,
  stretch = 1,
): [Float32Array, Float32Array] {
  const re = new Float64Array(n * n)
  const im = new Float64Array(n * n)
  for (let y = 0; y < n; y++) {
    const fy = y < n / 2 ? y : y - n
    for (let x = 0; x < n; x++) {
      const fx = (x < n / 2 ? x : x - n) * stretch
      const root = Math.sqrt(Math.sqrt(Math.sqrt(fx * fx + fy * fy))) // f^(1/4)
      let gain = root === 0 ? 0 : 1
      for (let k = 0; k < quarters; k++) gain /= root || 1
      re[y * n + x] = random.normal() * gain
      im[y * n + x] = random.normal() * gain
    }
  }
  transformPlane(re, im, n)
  return [standardize(re), standardize(im)]
}

/** Shifts and scales values to mean 0 and variance 1. */
export function standardize(values: Float64Array | Float32Array): Float32Array {
  let sum = 0
  let squares = 0
  for (const v of values) {
    sum += v
    squares += v * v
  }
  const mean = sum / values.length
  const scale = 1 / Math.sqrt(Math.max(squares / values.length - mean * mean, 1e-12))
  const out = new Float32Array(values.length)
  for (let i = 0; i < out.length; i++) out[i] = (values[i]! - mean) * scale
  return out
}
