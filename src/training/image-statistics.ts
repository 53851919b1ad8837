/**
 * Statistics of a set of pictures that decide how well a codec's priors fit them: sizes of block-transform coefficients
 * per frequency band and colour axis, smooth blocks, spectrum slope, gradient kurtosis, colour correlation.
 */
import { readBlocks } from '../codec/blocks'
import { BLOCK, LATENTS } from '../codec/weights'
import { transformBlock } from './block-transform'
import { opaque } from './opaque'

/** Bands of radial frequency, 2.2 to the octave. */
const BANDS = 10
const PER_OCTAVE = 2.2
const QUANTILES = [0.3, 0.5, 0.7, 0.85, 0.95, 0.99]
/** Limits of the luma deviation of a 16 x 16 block, in grey levels. */
export const BLOCK_LIMITS = [1, 2, 4, 8, 16, 32]

export interface ImageStatistics {
  /** Root mean square coefficient per axis (luma, red - blue, green - magenta) and band, in grey levels. */
  readonly bands: readonly (readonly number[])[]
  /** Quantiles of coefficient magnitudes per axis and band. */
  readonly quantiles: readonly (readonly (readonly number[])[])[]
  /** Shares of blocks whose luma deviation is below each of BLOCK_LIMITS. */
  readonly smooth: readonly number[]
  /** Power falls as 1 / f^slope. */
  readonly slope: number
  /** Of horizontal luma differences; 3 for a Gaussian. */
  readonly gradientKurtosis: number
  /** Red with green, red with blue, green with blue. */
  readonly correlation: readonly [number, number, number]
}

const bandOf = Int8Array.from({ length: BLOCK * BLOCK }, (_, i) => {
  const f = Math.hypot(i % BLOCK, Math.floor(i / BLOCK))
  return f === 0 ? -1 : Math.min(BANDS - 1, Math.floor(Math.log2(f) * PER_OCTAVE))
})

/** Pictures are RGB bytes [side, side, 3]; every third block in each direction is looked at. */
export function imageStatistics(pictures: Iterable<Uint8Array>, side: number): ImageStatistics {
  const sizes = Array.from({ length: 3 * BANDS }, (): number[] => [])
  const deviations: number[] = []
  const colours: number[][] = [[], [], []]
  let [squares, fourths, differences] = [0, 0, 0]
  for (const rgb of pictures) {
    const image = opaque(rgb, side)
    for (let y = 0; y + BLOCK <= side; y += 3 * BLOCK) {
      for (let x = 0; x + BLOCK <= side; x += 3 * BLOCK) {
        const region = { x: x / BLOCK, y: y / BLOCK, width: 1, height: 1 }
        const latents = transformBlock(readBlocks(image, 0, region), 0)
        let energy = 0
        for (let i = 0; i < LATENTS; i++) {
          const band = bandOf[i % (BLOCK * BLOCK)]!
          if (band < 0) continue
          if (i < BLOCK * BLOCK) energy += latents[i]! ** 2
          sizes[Math.floor(i / (BLOCK * BLOCK)) * BANDS + band]!.push(Math.abs(latents[i]!))
        }
        deviations.push(Math.sqrt(energy / (3 * BLOCK * BLOCK)))
      }
    }
    for (let i = 0; i + 6 < rgb.length; i += 3 * 37) {
      for (let c = 0; c < 3; c++) colours[c]!.push(rgb[i + c]!)
      const d = (rgb[i]! + rgb[i + 1]! + rgb[i + 2]! - rgb[i + 3]! - rgb[i + 4]! - rgb[i + 5]!) / 3
      squares += d ** 2
      fourths += d ** 4
      differences++
    }
  }
  const rms = sizes.map((s) => Math.sqrt(s.reduce((sum, v) => sum + v * v, 0) / s.length))
  const axes = [0, 1, 2].map((c) => [c * BANDS, (c + 1) * BANDS] as const)
  return {
    bands: axes.map(([from, to]) => rms.slice(from, to)),
    quantiles: axes.map(([from, to]) => sizes.slice(from, to).map(quantilesOf)),
    smooth: BLOCK_LIMITS.map((limit) => deviations.filter((d) => d < limit).length / deviations.length),
    slope: slopeOf(rms.slice(0, BANDS)),
    gradientKurtosis: (fourths * differences) / squares ** 2,
    correlation: [
      correlationOf(colours[0]!, colours[1]!),
      correlationOf(colours[0]!, colours[2]!),
      correlationOf(colours[1]!, colours[2]!),
    ],
  }
}

function quantilesOf(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort()
  return QUANTILES.map((q) => sorted[Math.floor(q * (sorted.length - 1))]!)
}

/** Least-squares slope of log power over log frequency, negated. */
function slopeOf(rms: readonly number[]): number {
  const x = rms.map((_, i) => i / PER_OCTAVE)
  const y = rms.map((v) => 2 * Math.log2(v))
  const [mx, my] = [mean(x), mean(y)]
  const up = x.reduce((sum, v, i) => sum + (v - mx) * (y[i]! - my), 0)
  return -up / x.reduce((sum, v) => sum + (v - mx) ** 2, 0)
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

function correlationOf(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - ma) * (b[i]! - mb)
    aa += (a[i]! - ma) ** 2
    bb += (b[i]! - mb) ** 2
  }
  return ab / Math.sqrt(aa * bb)
}

/**
 * Root mean square difference of two sets: natural logarithms of coefficient quantiles (0.15 added, half the spread of
 * rounding), and four times the shares of smooth blocks. 0.1 is about 10 % in every size.
 */
export function statisticalDistance(a: ImageStatistics, b: ImageStatistics): number {
  const features = (s: ImageStatistics): number[] => [
    ...s.quantiles.flat(2).map((v) => Math.log(v + 0.15)),
    ...s.smooth.map((v) => 4 * v),
  ]
  const [x, y] = [features(a), features(b)]
  return Math.sqrt(mean(x.map((v, i) => (v - y[i]!) ** 2)))
}
