/** What a leaf is filled with: a material's colour ramp driven by a texture and a shading slope. */
import type { Canvas } from './canvas'
import type { Material } from './palettes'
import type { Random } from './random'
import { TEXTURE_SIDE, texturePool } from './texture-pool'
import type { Texture } from './texture-pool'
import { cosineOfTurns, sineOfTurns } from './turn-table'

/** Colour at level 0 and its change per level, three values each. */
export interface Ramp {
  readonly base: readonly number[]
  readonly slope: readonly number[]
}

export interface Paint {
  readonly ramp: Ramp
  /** Mean level, 0 dark to 1 light. */
  readonly level: number
  readonly texture: Float32Array
  /** Standard deviation of the texture in levels; 0 for none. */
  readonly strength: number
  /** Texture coordinates: start, and step per canvas pixel right and down. */
  readonly u: readonly [number, number, number]
  readonly v: readonly [number, number, number]
}

/** How the paints of one scene or layer vary. */
export interface PaintRules {
  readonly materials: readonly Material[]
  /** Mean and spread of leaf levels. */
  readonly level: number
  readonly contrast: number
  /** Median texture strength in levels. */
  readonly texture: number
  /** Texture pixels per canvas pixel, a factor on the drawn scale. */
  readonly scale: number
}

const KIND_SHARES: readonly (readonly [Texture['kind'], number])[] = [
  ['noise', 0.56],
  ['stretched', 0.14],
  ['mix', 0.13],
  ['leaves', 0.12],
  ['waves', 0.05],
]

function drawTexture(random: Random): Texture {
  let rest = random.unit()
  let kind: Texture['kind'] = 'noise'
  for (const [name, share] of KIND_SHARES) {
    kind = name
    rest -= share
    if (rest < 0) break
  }
  return random.pick(texturePool().filter((t) => t.kind === kind))
}

export function drawPaint(random: Random, rules: PaintRules): Paint {
  const { dark, light } = random.pick(rules.materials)
  const slope = [0, 1, 2].map((c) => light[c]! - dark[c]! + random.normal() * 0.02)
  const base = [0, 1, 2].map((c) => dark[c]! + random.normal() * 0.012)
  const scale = rules.scale * random.logBetween(0.12, 0.9)
  const stretch = random.chance(0.3) ? random.logBetween(1, 3) : 1
  const turns = random.unit()
  const c = cosineOfTurns(turns) * scale
  const s = sineOfTurns(turns) * scale
  return {
    ramp: { base, slope },
    level: rules.level + rules.contrast * random.normal(),
    texture: drawTexture(random).values,
    strength: Math.min(0.3, rules.texture * random.spread(1.2)),
    u: [random.between(0, TEXTURE_SIDE), c, -s],
    v: [random.between(0, TEXTURE_SIDE), s * stretch, c * stretch],
  }
}

/** The same paint at another level, texture place and strength factor: sibling leaves cost little to draw. */
export function varyPaint(random: Random, paint: Paint, contrast: number): Paint {
  return {
    ...paint,
    level: paint.level + contrast * random.normal(),
    u: [random.between(0, TEXTURE_SIDE), paint.u[1], paint.u[2]],
    v: [random.between(0, TEXTURE_SIDE), paint.v[1], paint.v[2]],
  }
}

const MASK = TEXTURE_SIDE - 1
const SHIFT = 9 // 2^9 = TEXTURE_SIDE

/** Bilinear sample of a texture at real coordinates, which wrap. */
export function sampleTexture(values: Float32Array, u: number, v: number): number {
  const iu = Math.floor(u)
  const iv = Math.floor(v)
  const fu = u - iu
  const fv = v - iv
  const a = (iv & MASK) << SHIFT
  const b = ((iv + 1) & MASK) << SHIFT
  const l = iu & MASK
  const r = (iu + 1) & MASK
  const top = values[a + l]! * (1 - fu) + values[a + r]! * fu
  const low = values[b + l]! * (1 - fu) + values[b + r]! * fu
  return top * (1 - fv) + low * fv
}

/**
 * Paints the free pixels of one span and marks them as covered. The level rises by (tiltX, tiltY) per pixel away from
 * (cx, cy). Returns the number of pixels painted.
 */
export function paintSpan(
  canvas: Canvas,
  covered: Uint8Array,
  paint: Paint,
  tilt: { cx: number; cy: number; x: number; y: number },
  y: number,
  x0: number,
  x1: number,
): number {
  const [red, green, blue] = canvas.planes
  const { base, slope } = paint.ramp
  const [r0, g0, b0] = base as [number, number, number]
  const [rs, gs, bs] = slope as [number, number, number]
  const { texture, strength } = paint
  const row = y * canvas.width
  const plain = strength < 0.004
  const start = paint.level + (y - tilt.cy) * tilt.y - tilt.cx * tilt.x
  const uRow = paint.u[0] + y * paint.u[2]
  const vRow = paint.v[0] + y * paint.v[2]
  let painted = 0
  for (let x = x0; x < x1; x++) {
    const i = row + x
    if (covered[i] !== 0) continue
    covered[i] = 1
    painted++
    let level = start + x * tilt.x
    if (!plain) level += strength * sampleTexture(texture, uRow + x * paint.u[1], vRow + x * paint.v[1])
    red[i] = r0 + rs * level
    green[i] = g0 + gs * level
    blue[i] = b0 + bs * level
  }
  return painted
}
