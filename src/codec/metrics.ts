/** Rate and distortion as the field measures them, on 8-bit RGB; see STYLE's terms. */
import type { RasterImage } from './types'

/** Squared error summed over R, G and B of two images of one size; alpha is not counted. */
export function squaredError(a: RasterImage, b: RasterImage): number {
  if (a.width !== b.width || a.height !== b.height) throw new RangeError('The images differ in size.')
  let sum = 0
  for (let i = 0; i < a.data.length; i += 4) {
    const r = a.data[i]! - b.data[i]!
    const g = a.data[i + 1]! - b.data[i + 1]!
    const u = a.data[i + 2]! - b.data[i + 2]!
    sum += r * r + g * g + u * u
  }
  return sum
}

/** PSNR in dB for a squared error over `samples` 8-bit values; Infinity if equal. */
export function psnrOf(error: number, samples: number): number {
  return 10 * Math.log10((255 * 255 * samples) / error)
}

export function psnrDb(a: RasterImage, b: RasterImage): number {
  return psnrOf(squaredError(a, b), 3 * a.width * a.height)
}

const SCALE_WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
const WINDOW = 11
const SIGMA = 1.5

/**
 * MS-SSIM (Wang, Simoncelli, Bovik 2003), five scales, mean of R, G and B, 0..1. Images below 176 pixels a side use the
 * scales that fit, their weights renormalised.
 */
export function msSsim(a: RasterImage, b: RasterImage): number {
  const scales = Math.min(
    SCALE_WEIGHTS.length,
    Math.floor(Math.log2(Math.min(a.width, a.height) / WINDOW)) + 1,
  )
  if (scales < 1) return a.data.every((v, i) => v === b.data[i]) ? 1 : NaN
  const total = SCALE_WEIGHTS.slice(0, scales).reduce((x, y) => x + y, 0)
  let mean = 0
  for (let channel = 0; channel < 3; channel++) {
    let x = plane(a, channel)
    let y = plane(b, channel)
    let product = 1
    for (let s = 0; s < scales; s++) {
      const { contrast, similarity } = ssim(x, y)
      const value = s === scales - 1 ? similarity : contrast
      product *= Math.max(0, value) ** (SCALE_WEIGHTS[s]! / total)
      if (s < scales - 1) [x, y] = [halve(x), halve(y)]
    }
    mean += product / 3
  }
  return mean
}

interface Plane {
  readonly width: number
  readonly height: number
  readonly values: Float32Array
}

function plane(image: RasterImage, channel: number): Plane {
  const values = new Float32Array(image.width * image.height)
  for (let i = 0; i < values.length; i++) values[i] = image.data[4 * i + channel]!
  return { width: image.width, height: image.height, values }
}

function halve(p: Plane): Plane {
  const width = p.width >> 1
  const height = p.height >> 1
  const values = new Float32Array(width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = 2 * y * p.width + 2 * x
      const v = p.values
      values[y * width + x] = (v[i]! + v[i + 1]! + v[i + p.width]! + v[i + p.width + 1]!) / 4
    }
  return { width, height, values }
}

const gaussian = (() => {
  const w = Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * SIGMA ** 2)))
  const sum = w.reduce((x, y) => x + y, 0)
  return w.map((v) => v / sum)
})()

/** Gaussian window over values [height, width], valid positions only. */
function blur(width: number, height: number, values: Float32Array): Float32Array {
  const across = width - WINDOW + 1
  const rows = new Float32Array(across * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < across; x++) {
      let sum = 0
      for (let k = 0; k < WINDOW; k++) sum += gaussian[k]! * values[y * width + x + k]!
      rows[y * across + x] = sum
    }
  const down = height - WINDOW + 1
  const out = new Float32Array(across * down)
  for (let k = 0; k < WINDOW; k++) {
    const weight = gaussian[k]!
    for (let i = 0; i < out.length; i++) out[i] = out[i]! + weight * rows[k * across + i]!
  }
  return out
}

function ssim(x: Plane, y: Plane): { contrast: number; similarity: number } {
  const c1 = (0.01 * 255) ** 2
  const c2 = (0.03 * 255) ** 2
  const { width, height } = x
  const [a, b] = [x.values, y.values]
  const meanX = blur(width, height, a)
  const meanY = blur(width, height, b)
  const xx = blur(
    width,
    height,
    a.map((v) => v * v),
  )
  const yy = blur(
    width,
    height,
    b.map((v) => v * v),
  )
  const xy = blur(
    width,
    height,
    a.map((v, i) => v * b[i]!),
  )
  let contrast = 0
  let similarity = 0
  for (let i = 0; i < meanX.length; i++) {
    const [m, n] = [meanX[i]!, meanY[i]!]
    const cs = (2 * (xy[i]! - m * n) + c2) / (xx[i]! - m * m + yy[i]! - n * n + c2)
    contrast += cs
    similarity += (cs * (2 * m * n + c1)) / (m * m + n * n + c1)
  }
  return { contrast: contrast / meanX.length, similarity: similarity / meanX.length }
}

/** One point of a rate-distortion curve: bits per pixel, quality in dB. */
export interface RatePoint {
  readonly bpp: number
  readonly quality: number
}

/**
 * BD-rate (Bjontegaard): mean rate change in percent of `test` against `anchor` at equal quality, over the overlap of
 * both ranges, log rate interpolated with monotone cubics (PCHIP, Fritsch and Carlson 1980). Negative is smaller.
 */
export function bdRate(
  anchor: readonly RatePoint[],
  test: readonly RatePoint[],
): { percent: number; from: number; to: number } {
  const a = curve(anchor)
  const t = curve(test)
  const from = Math.max(a.low, t.low)
  const to = Math.min(a.high, t.high)
  if (!(to > from)) return { percent: NaN, from, to }
  const steps = 1000
  let sum = 0
  for (let i = 0; i <= steps; i++) {
    const q = from + ((to - from) * i) / steps
    sum += (t.at(q) - a.at(q)) * (i === 0 || i === steps ? 0.5 : 1)
  }
  return { percent: (Math.exp(sum / steps) - 1) * 100, from, to }
}

function curve(points: readonly RatePoint[]): { low: number; high: number; at: (q: number) => number } {
  const sorted = [...points]
    .sort((p, q) => p.quality - q.quality)
    .filter((p, i, all) => p.quality > (all[i - 1]?.quality ?? -Infinity))
  const x = sorted.map((p) => p.quality)
  const y = sorted.map((p) => Math.log(p.bpp))
  const n = x.length
  const h = x.slice(1).map((v, i) => v - x[i]!)
  const slope = h.map((v, i) => (y[i + 1]! - y[i]!) / v)
  const d = x.map((_, i) => {
    if (i === 0) return slope[0] ?? 0
    if (i === n - 1) return slope[n - 2]!
    const [s, t] = [slope[i - 1]!, slope[i]!]
    if (s * t <= 0) return 0
    const [w1, w2] = [2 * h[i]! + h[i - 1]!, h[i]! + 2 * h[i - 1]!]
    return (w1 + w2) / (w1 / s + w2 / t)
  })
  const at = (q: number): number => {
    let i = 0
    while (i < n - 2 && q > x[i + 1]!) i++
    const u = (q - x[i]!) / h[i]!
    const [a, b] = [y[i]!, y[i + 1]!]
    return (
      a * (1 + 2 * u) * (1 - u) ** 2 +
      b * u * u * (3 - 2 * u) +
      h[i]! * (d[i]! * u * (1 - u) ** 2 - d[i + 1]! * u * u * (1 - u))
    )
  }
  return { low: x[0]!, high: x[n - 1]!, at }
}
