/** What a restored picture shows that its original does not, for tests: all in 8-bit levels of R, G and B, alpha aside. */
import type { RasterImage } from './types'

const CHANNELS = [0, 1, 2] as const

/** Largest error of any channel among the pixels that `counts` names, by their number; 0 where it names none. */
export function worstError(a: RasterImage, b: RasterImage, counts: (pixel: number) => boolean): number {
  let worst = 0
  for (let pixel = 0; pixel < a.width * a.height; pixel++)
    if (counts(pixel))
      for (const c of CHANNELS)
        worst = Math.max(worst, Math.abs(b.data[4 * pixel + c]! - a.data[4 * pixel + c]!))
  return worst
}

/** How far the mean of a channel moved, the most of the three. */
export function meanShift(a: RasterImage, b: RasterImage): number {
  const shifts = CHANNELS.map((c) => {
    let sum = 0
    for (let i = c; i < a.data.length; i += 4) sum += b.data[i]! - a.data[i]!
    return Math.abs(sum) / (a.width * a.height)
  })
  return Math.max(...shifts)
}

/** Largest difference between two channels of one pixel: 0 in a grey picture. */
export function colourIn({ data }: RasterImage): number {
  let most = 0
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b] = [data[i]!, data[i + 1]!, data[i + 2]!]
    most = Math.max(most, Math.abs(r - g), Math.abs(g - b), Math.abs(b - r))
  }
  return most
}

/** Mean step of the error from one pixel to the next, across the borders that `isBorder` names and elsewhere. */
export function errorSteps(
  a: RasterImage,
  b: RasterImage,
  isBorder: (at: number) => boolean,
): { readonly across: number; readonly inside: number } {
  const { width, height } = a
  const sums = { across: 0, inside: 0 }
  const counts = { across: 0, inside: 0 }
  const errorAt = (i: number): number => b.data[i]! - a.data[i]!
  const add = (at: number, i: number, before: number): void => {
    const kind = isBorder(at) ? 'across' : 'inside'
    for (const c of CHANNELS) sums[kind] += Math.abs(errorAt(i + c) - errorAt(before + c))
    counts[kind] += CHANNELS.length
  }
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = 4 * (y * width + x)
      if (x > 0) add(x, i, i - 4)
      if (y > 0) add(y, i, i - 4 * width)
    }
  return { across: sums.across / counts.across, inside: sums.inside / counts.inside }
}

/** Means over the short side along the long one, of each channel: [channel][at]. */
export function profilesOf({ width, height, data }: RasterImage): readonly Float64Array[] {
  const length = Math.max(width, height)
  const depth = Math.min(width, height)
  return CHANNELS.map((c) => {
    const profile = new Float64Array(length)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        profile[width >= height ? x : y]! += data[4 * (y * width + x) + c]! / depth
    return profile
  })
}

/** Pixels to the nearest edge, diagonals as one: 0 beside a pixel of another colour, Infinity in one flat colour. */
export function distanceToEdges({ width, height, data }: RasterImage): Float64Array {
  const colourAt = (pixel: number): number =>
    (data[4 * pixel]! << 16) | (data[4 * pixel + 1]! << 8) | data[4 * pixel + 2]!
  const distance = new Float64Array(width * height).fill(Infinity)
  const near = (x: number, y: number, visit: (neighbour: number) => void): void => {
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) visit(v * width + u)
  }
  for (let pixel = 0; pixel < distance.length; pixel++)
    near(pixel % width, Math.floor(pixel / width), (neighbour) => {
      if (colourAt(neighbour) !== colourAt(pixel)) distance[pixel] = 0
    })
  // Once down and once up is enough: a neighbour's distance plus one, from every side.
  const pass = (pixel: number): void =>
    near(pixel % width, Math.floor(pixel / width), (neighbour) => {
      distance[pixel] = Math.min(distance[pixel]!, distance[neighbour]! + 1)
    })
  for (let pixel = 0; pixel < distance.length; pixel++) pass(pixel)
  for (let pixel = distance.length - 1; pixel >= 0; pixel--) pass(pixel)
  return distance
}
