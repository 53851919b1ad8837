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

/** A plane with the window's means and variances, which every comparison with it needs. */
interface PlaneStatistics {
  readonly plane: Plane
  readonly mean: Float32Array
  readonly variance: Float32Array
}

/**
 * MS-SSIM (Wang, Simoncelli, Bovik 2003), five scales, mean of R, G and B, 0..1. Images below 176 pixels a side use the
 * scales that fit, their weights renormalised.
 */
export function msSsim(a: RasterImage, b: RasterImage): number {
  return msSsimTo(a)(b)
}

/** The same against one image again and again: its own statistics are computed once. */
export function msSsimTo(a: RasterImage): (b: RasterImage) => number {
  const scales = Math.min(
    SCALE_WEIGHTS.length,
    Math.floor(Math.log2(Math.min(a.width, a.height) / WINDOW)) + 1,
  )
  if (scales < 1) return (b) => (a.data.every((v, i) => v === b.data[i]) ? 1 : NaN)
  const total = SCALE_WEIGHTS.slice(0, scales).reduce((x, y) => x + y, 0)
  const known = [0, 1, 2].map((channel) => pyramid(plane(a, channel), scales).map(statistics))
  return (b) => {
    let mean = 0
    for (const [channel, ofA] of known.entries()) {
      let product = 1
      for (const [s, y] of pyramid(plane(b, channel), scales).entries()) {
        const { contrast, similarity } = ssim(ofA[s]!, y)
        const value = s === scales - 1 ? similarity : contrast
        product *= Math.max(0, value) ** (SCALE_WEIGHTS[s]! / total)
      }
      mean += product / 3
    }
    return mean
  }
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

function pyramid(finest: Plane, scales: number): Plane[] {
  const planes = [finest]
  while (planes.length < scales) planes.push(halve(planes.at(-1)!))
  return planes
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

/** The window's weights from its centre outwards. */
const gaussian = (() => {
  const w = Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * SIGMA ** 2)))
  const sum = w.reduce((x, y) => x + y, 0)
  return w.map((v) => v / sum).slice(WINDOW >> 1)
})()

/** Gaussian window over the products x y of two planes of one size, valid positions only. */
function blurProduct({ width, height, values: x }: Plane, y: Float32Array | null): Float32Array {
  const [g0, g1, g2, g3, g4, g5] = gaussian as [number, number, number, number, number, number]
  const window = (v: Float32Array, i: number, step: number): number =>
    g5 * (v[i]! + v[i + 10 * step]!) +
    g4 * (v[i + step]! + v[i + 9 * step]!) +
    g3 * (v[i + 2 * step]! + v[i + 8 * step]!) +
    g2 * (v[i + 3 * step]! + v[i + 7 * step]!) +
    g1 * (v[i + 4 * step]! + v[i + 6 * step]!) +
    g0 * v[i + 5 * step]!
  const across = width - WINDOW + 1
  const rows = new Float32Array(across * height)
  const line = new Float32Array(width)
  for (let at = 0, to = 0; at < width * height; at += width) {
    if (y === null) line.set(x.subarray(at, at + width))
    else for (let i = 0; i < width; i++) line[i] = x[at + i]! * y[at + i]!
    for (let i = 0; i < across; i++) rows[to++] = window(line, i, 1)
  }
  const out = new Float32Array(across * (height - WINDOW + 1))
  for (let i = 0; i < out.length; i++) out[i] = window(rows, i, across)
  return out
}

function statistics(p: Plane): PlaneStatistics {
  const mean = blurProduct(p, null)
  const variance = blurProduct(p, p.values)
  for (let i = 0; i < mean.length; i++) variance[i] = variance[i]! - mean[i]! ** 2
  return { plane: p, mean, variance }
}

function ssim(x: PlaneStatistics, of: Plane): { contrast: number; similarity: number } {
  const c1 = (0.01 * 255) ** 2
  const c2 = (0.03 * 255) ** 2
  const y = statistics(of)
  const products = blurProduct(x.plane, of.values)
  let contrast = 0
  let similarity = 0
  for (let i = 0; i < products.length; i++) {
    const [m, n] = [x.mean[i]!, y.mean[i]!]
    const cs = (2 * (products[i]! - m * n) + c2) / (x.variance[i]! + y.variance[i]! + c2)
    contrast += cs
    similarity += (cs * (2 * m * n + c1)) / (m * m + n * n + c1)
  }
  return { contrast: contrast / products.length, similarity: similarity / products.length }
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
