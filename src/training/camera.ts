/** From a canvas of twice the size to 8-bit pixels: area downscale, lens, tone curve, sharpening, sensor noise. */
import type { Canvas } from './canvas'
import { sampleTexture } from './paint'
import type { Random } from './random'
import type { Recipe } from './recipe'
import { TEXTURE_SIDE, texturePool } from './texture-pool'

/** RGB interleaved, [height/2, width/2, 3]. */
export function develop(random: Random, recipe: Recipe, canvas: Canvas, plain: boolean): Uint8Array {
  const width = canvas.width / 2
  const height = canvas.height / 2
  const planes = canvas.planes.map((plane) => halve(plane, width, height))
  if (!plain) {
    const exposure = random.between(0.85, 1.1)
    const curve = random.between(-0.1, 0.45)
    const lens = random.chance(recipe.soft) ? random.between(0, recipe.lens) : 0
    const crisp = random.chance(recipe.crisp) ? random.between(0.1, 0.7) : 0
    for (const plane of planes) {
      toneCurve(plane, exposure, curve)
      if (lens > 0) soften(plane, width, height, lens)
      if (crisp > 0) sharpen(plane, width, height, crisp)
    }
    if (random.chance(0.8)) addMottle(random, recipe.mottle, planes, width, height)
    if (random.chance(0.7)) addNoise(random, recipe.noise, planes, width, height)
    const passes = recipe.chromaBlur * random.between(0.3, 1.5)
    blurChroma(planes, width, height, passes)
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
function addNoise(
  random: Random,
  most: number,
  planes: readonly Float32Array[],
  width: number,
  height: number,
): void {
  const strength = random.logBetween(0.12, most) / 255
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

/** Faint unevenness with a pink spectrum over the whole image: haze, paper, skin of walls and skies. */
function addMottle(
  random: Random,
  most: number,
  planes: readonly Float32Array[],
  width: number,
  height: number,
): void {
  const fields = texturePool().filter((t) => t.kind === 'noise')
  const field = fields[2 + random.below(6)]!.values
  const strength = random.logBetween(0.1, most) / 255
  const scale = random.logBetween(0.3, 1)
  const u = random.between(0, TEXTURE_SIDE)
  const v = random.between(0, TEXTURE_SIDE)
  const shares = [0, 1, 2].map(() => random.between(0.8, 1.2) * strength)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const rise = sampleTexture(field, u + x * scale, v + y * scale)
      for (let c = 0; c < 3; c++) planes[c]![i]! += shares[c]! * rise
    }
  }
}

/** Softens the colour differences and keeps luma, as chroma subsampling does. `passes` may be a fraction. */
function blurChroma(planes: readonly Float32Array[], width: number, height: number, passes: number): void {
  const [red, green, blue] = planes as [Float32Array, Float32Array, Float32Array]
  const luma = green.map((g, i) => 0.3 * red[i]! + 0.59 * g + 0.11 * blue[i]!)
  for (const plane of [red, blue]) for (let i = 0; i < plane.length; i++) plane[i]! -= luma[i]!
  for (let rest = passes; rest > 0; rest--) {
    for (const plane of [red, blue]) soften(plane, width, height, 0.25 * Math.min(1, rest))
  }
  for (let i = 0; i < luma.length; i++) {
    const y = luma[i]!
    green[i] = y - (0.3 * red[i]! + 0.11 * blue[i]!) / 0.59
    red[i]! += y
    blue[i]! += y
  }
}
