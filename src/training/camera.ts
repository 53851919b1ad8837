/** From a canvas of twice the size to 8-bit pixels: area downscale, lens, tone curve, sharpening, sensor noise. */
import type { Canvas } from './canvas'
import type { Random } from './random'

/** RGB interleaved, [height/2, width/2, 3]. */
export function develop(random: Random, canvas: Canvas, plain: boolean): Uint8Array {
  const width = canvas.width / 2
  const height = canvas.height / 2
  const planes = canvas.planes.map((plane) => halve(plane, width, height))
  if (!plain) {
    const exposure = random.between(0.85, 1.1)
    const curve = random.between(-0.1, 0.45)
    const lens = random.chance(0.5) ? random.between(0, 0.22) : 0
    const crisp = random.chance(0.4) ? random.between(0.1, 0.7) : 0
    for (const plane of planes) {
      toneCurve(plane, exposure, curve)
      if (lens > 0) soften(plane, width, height, lens)
      if (crisp > 0) sharpen(plane, width, height, crisp)
    }
    if (random.chance(0.6)) addNoise(random, planes, width, height)
  }
  const out = new Uint8Array(3 * width * height)
  for (let c = 0; c < 3; c++) {
    const plane = planes[c]!
    for (let i = 0; i < plane.length; i++) {
      const v = plane[i]! * 255 + 0.5
      out[3 * i + c] = v < 0 ? 0 : v > 255 ? 255 : v
    }
  }
  return out
}

function halve(plane: Float32Array, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = 4 * y * width + 2 * x
      const j = i + 2 * width
      out[y * width + x] = 0.25 * (plane[i]! + plane[i + 1]! + plane[j]! + plane[j + 1]!)
    }
  }
  return out
}

/** An S-shaped curve of the given strength after an exposure factor; the ends roll off instead of clipping hard. */
function toneCurve(plane: Float32Array, exposure: number, strength: number): void {
  for (let i = 0; i < plane.length; i++) {
    let v = plane[i]! * exposure
    if (v < 0.02) v = 0.0004 / Math.max(0.04 - v, 0.02)
    else if (v > 0.95) v = 1 - 0.0025 / (v - 0.9)
    plane[i] = v + strength * v * (1 - v) * (2 * v - 1)
  }
}

/** Binomial blur (weight, 1 - 2 weight, weight) along both axes. */
function soften(plane: Float32Array, width: number, height: number, weight: number): void {
  const centre = 1 - 2 * weight
  for (let y = 0; y < height; y++) {
    let before = plane[y * width]!
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      const here = plane[i]!
      const after = x + 1 < width ? plane[i + 1]! : here
      plane[i] = centre * here + weight * (before + after)
      before = here
    }
  }
  const above = plane.slice(0, width)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      const here = plane[i]!
      const below = y + 1 < height ? plane[i + width]! : here
      plane[i] = centre * here + weight * (above[x]! + below)
      above[x] = here
    }
  }
}

function sharpen(plane: Float32Array, width: number, height: number, amount: number): void {
  const blurred = plane.slice()
  soften(blurred, width, height, 0.25)
  for (let i = 0; i < plane.length; i++) plane[i]! += amount * (plane[i]! - blurred[i]!)
}

/** Noise that grows with the square root of light, mostly common to the three channels; often smoothed or faint. */
function addNoise(random: Random, planes: readonly Float32Array[], width: number, height: number): void {
  const strength = random.logBetween(0.25, 4) / 255
  const coloured = random.between(0.1, 0.8)
  const smooth = random.chance(0.5) ? random.between(0.05, 0.25) : 0
  const size = width * height
  const draw = (): Float32Array => {
    const field = new Float32Array(size)
    for (let i = 0; i < size; i++) {
      const bits = random.uint32()
      const sum = (bits & 1023) + ((bits >>> 10) & 1023) + ((bits >>> 20) & 1023)
      field[i] = (sum - 1534.5) / 512
    }
    if (smooth > 0) soften(field, width, height, smooth)
    return field
  }
  const common = draw()
  for (const plane of planes) {
    const own = draw()
    for (let i = 0; i < size; i++) {
      const light = Math.sqrt(0.08 + Math.max(0, plane[i]!) * 0.9)
      plane[i]! += strength * light * (common[i]! + coloured * own[i]!)
    }
  }
}
