/**
 * The fixed pool of tileable textures that procedural images sample from: power-law noise of several slopes, stretched
 * noise (wood, water, hair), warped waves, two-texture mixes, and little dead leaves. All have mean 0 and variance 1.
 * The pool depends on POOL_SEED alone and is part of the data recipe.
 */
import { powerLawFields, standardize } from './noise-field'
import { Random } from './random'
import { sineOfTurns } from './turn-table'

/** Side of every texture; a power of two. */
export const TEXTURE_SIDE = 512

const POOL_SEED = 20261
const MASK = TEXTURE_SIDE - 1
const AREA = TEXTURE_SIDE * TEXTURE_SIDE

export interface Texture {
  readonly values: Float32Array
  readonly kind: 'noise' | 'stretched' | 'waves' | 'mix' | 'leaves'
}

let pool: readonly Texture[] | undefined

/** The pool, built at the first call (about a second). */
export function texturePool(): readonly Texture[] {
  pool ??= buildPool()
  return pool
}

function buildPool(): Texture[] {
  const random = new Random(POOL_SEED)
  const noises: Float32Array[] = []
  for (const quarters of [2, 4, 5, 6, 7, 8, 10])
    noises.push(...powerLawFields(random, TEXTURE_SIDE, quarters))
  const stretched = [
    [5, 6],
    [6, 12],
    [7, 4],
  ].flatMap(([quarters, stretch]) => powerLawFields(random, TEXTURE_SIDE, quarters!, stretch))
  const smooth = noises.slice(-4)
  const rough = noises.slice(2, 10)
  const waves = [3, 7, 13, 24].map((periods) => warpedWaves(random, periods, random.pick(smooth)))
  const leaves = [1.5, 3, 6].map((smallest) => leafTexture(random, smallest, smooth, rough))
  const mixes = Array.from({ length: 6 }, () =>
    blend(
      random,
      random.pick(smooth),
      random.pick([...rough, ...stretched]),
      random.pick([...rough, ...waves]),
    ),
  )
  const modulated = Array.from({ length: 4 }, () => modulate(random.pick(rough), random.pick(smooth)))
  return [
    ...[...noises, ...modulated].map((values): Texture => ({ values, kind: 'noise' })),
    ...stretched.map((values): Texture => ({ values, kind: 'stretched' })),
    ...waves.map((values): Texture => ({ values, kind: 'waves' })),
    ...mixes.map((values): Texture => ({ values, kind: 'mix' })),
    ...leaves.map((values): Texture => ({ values, kind: 'leaves' })),
  ]
}

/** A sine across the tile whose phase is bent by a smooth field. */
function warpedWaves(random: Random, periods: number, bend: Float32Array): Float32Array {
  const down = random.below(3)
  const depth = random.between(0.05, 0.5)
  const values = new Float32Array(AREA)
  for (let i = 0; i < AREA; i++) {
    const x = i & MASK
    const y = (i - x) / TEXTURE_SIDE
    values[i] = sineOfTurns((periods * x + down * y) / TEXTURE_SIDE + depth * bend[i]!)
  }
  return standardize(values)
}

/** Texture a where the mask is low, b where it is high, with a short ramp between. */
function blend(random: Random, mask: Float32Array, a: Float32Array, b: Float32Array): Float32Array {
  const level = random.between(-0.8, 0.8)
  const shift = random.between(-1.5, 1.5)
  const values = new Float32Array(AREA)
  for (let i = 0; i < AREA; i++) {
    const t = Math.min(1, Math.max(0, (mask[i]! - level) * 8 + 0.5))
    values[i] = a[i]! * (1 - t) * 0.6 + (b[i]! + shift) * t
  }
  return standardize(values)
}

/** Noise whose strength follows a smooth field: patches of detail between calm ones. */
function modulate(noise: Float32Array, strength: Float32Array): Float32Array {
  return standardize(noise.map((v, i) => v * Math.max(0.05, 0.5 + 0.7 * strength[i]!)))
}

/** Dead leaves on the torus, back to front, each disk with a faint texture: foliage, gravel, crowds. */
function leafTexture(
  random: Random,
  smallest: number,
  smooth: readonly Float32Array[],
  rough: readonly Float32Array[],
): Float32Array {
  const values = random.pick(smooth).map((v) => v * 0.3)
  const largest = 60
  const inverse = 1 / (largest * largest)
  const count = Math.floor((2.5 * AREA) / (smallest * smallest * 12))
  for (let k = 0; k < count; k++) {
    const r = 1 / Math.sqrt(inverse + random.unit() * (1 / (smallest * smallest) - inverse))
    const cx = random.below(TEXTURE_SIDE)
    const cy = random.below(TEXTURE_SIDE)
    const tone = random.normal()
    const shade = random.pick(rough)
    const tilt = (random.normal() * 0.5) / r
    const whole = Math.ceil(r)
    for (let dy = -whole; dy <= whole; dy++) {
      for (let dx = -whole; dx <= whole; dx++) {
        if (dx * dx + dy * dy > r * r) continue
        const i = ((cy + dy) & MASK) * TEXTURE_SIDE + ((cx + dx) & MASK)
        values[i] = tone + tilt * dx + 0.2 * shade[i]!
      }
    }
  }
  return standardize(values)
}
