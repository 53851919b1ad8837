/**
 * One procedural scene before the camera: a far layer out of focus or a sky, textured dead leaves in focus over part of
 * the frame, now and then something large and blurred in front, thin lines and writing.
 */
import { blurPlane, createCanvas, enlarge } from './canvas'
import type { Canvas } from './canvas'
import { paintLeaves } from './dead-leaves'
import type { LeafRules } from './dead-leaves'
import { sampleTexture } from './paint'
import { drawSetting } from './palettes'
import type { Material } from './palettes'
import type { Random } from './random'
import type { Recipe } from './recipe'
import { TEXTURE_SIDE, texturePool } from './texture-pool'
import { paintWriting } from './writing'

/** Layers out of focus are drawn this many times smaller. */
const SOFT = 4

function drawRules(random: Random, recipe: Recipe, materials: readonly Material[], level: number): LeafRules {
  const boxes = random.chance(0.25)
  return {
    materials,
    level,
    contrast: recipe.contrast * random.logBetween(0.05, 0.28),
    texture: recipe.texture * random.logBetween(0.008, 0.09),
    scale: random.logBetween(0.5, 1.5),
    smallest: random.logBetween(1.2, recipe.smallest),
    largest: random.logBetween(150, 700),
    blobs: boxes ? 0.1 : random.between(0.3, 0.7),
    rectangles: boxes ? 0.7 : random.between(0, 0.15),
    ribbons: random.chance(0.3) ? random.between(0.1, 0.5) : 0.03,
    direction: random.unit(),
    disorder: boxes ? 0.01 : random.logBetween(0.02, 0.5),
    shading: random.logBetween(0.02, 0.15),
    coverage: random.between(0.96, 0.998),
    limit: 60_000,
  }
}

/** width and height are in canvas pixels, multiples of 8. */
export function renderScene(random: Random, recipe: Recipe, width: number, height: number): Canvas {
  const canvas = createCanvas(width, height)
  const covered = new Uint8Array(width * height)
  const materials = drawSetting(random, recipe.saturation)
  const level = random.between(0.25, 0.75)
  const layout = random.unit()
  const partly = layout < recipe.full ? 0 : random.between(0.1, 0.85)
  const open = layout > 0.85 ? random.between(0.85, 1) : partly
  if (open > 0) reserve(random, covered, width, height, open)
  const rules = drawRules(random, recipe, materials, level)
  paintLeaves(random, canvas, covered, rules)
  const far = farLayer(random, recipe, materials, level + random.normal() * 0.15, width, height)
  for (let c = 0; c < 3; c++) {
    const plane = canvas.planes[c]!
    const behind = far[c]!
    for (let i = 0; i < plane.length; i++) if (covered[i] !== 1) plane[i] = behind[i]!
  }
  if (random.chance(0.15)) paintNear(random, recipe, canvas, materials, level)
  if (random.chance(0.07)) paintWriting(random, canvas, random.between(0.02, 0.4))
  return canvas
}

/** Marks a share of the frame, bounded by a level line of a rough field and a slope, as open to the far layer. */
function reserve(random: Random, covered: Uint8Array, width: number, height: number, share: number): void {
  const field = random.pick(
    texturePool()
      .filter((t) => t.kind === 'noise')
      .slice(6, 14),
  ).values
  const scale = (TEXTURE_SIDE / Math.max(width, height)) * random.logBetween(0.2, 1)
  const slope = random.between(0, 4)
  const across = random.normal() * 0.4
  const u0 = random.between(0, TEXTURE_SIDE)
  const v0 = random.between(0, TEXTURE_SIDE)
  const height2 = height / 2
  const values = new Float32Array((width >> 3) * (height >> 3))
  for (let y = 0, i = 0; y + 8 <= height; y += 8) {
    for (let x = 0; x + 8 <= width; x += 8, i++) values[i] = value(x, y)
  }
  const sorted = values.slice().sort()
  const limit = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) if (value(x, y) <= limit) covered[i] = 2
  }
  function value(x: number, y: number): number {
    const rise = (slope * (y - height2)) / height + (slope * across * (x - width / 2)) / width
    return sampleTexture(field, u0 + x * scale, v0 + y * scale) + rise
  }
}

/** Three planes of the canvas size: leaves out of focus, or a smooth gradient with clouds. */
function farLayer(
  random: Random,
  recipe: Recipe,
  materials: readonly Material[],
  level: number,
  width: number,
  height: number,
): Float32Array[] {
  const w = width / SOFT
  const h = height / SOFT
  const small = createCanvas(w, h)
  const covered = new Uint8Array(w * h)
  const smooth = random.chance(0.4)
  const rules = drawRules(random, recipe, smooth ? [random.pick(materials)] : materials, level)
  if (!smooth) {
    const limit = 3000
    paintLeaves(random, small, covered, { ...rules, smallest: random.logBetween(2, 12), largest: 200, limit })
  }
  // What is left free is a wide gradient with faint clouds.
  const clouds = random.chance(0.5) ? random.logBetween(0.005, 0.2) : 0
  const fall = random.normal() * 0.25
  paintLeaves(random, small, covered, {
    ...rules,
    contrast: smooth ? 0.02 : rules.contrast,
    texture: clouds,
    scale: 0.5,
    smallest: 4 * w,
    largest: 8 * w,
    blobs: 0,
    rectangles: 0,
    ribbons: 0,
    shading: Math.abs(fall) * 8,
    limit: 40,
    coverage: 1,
  })
  const radius = smooth ? 1 : Math.floor(random.logBetween(1, 16) * recipe.defocus)
  return small.planes.map((plane) => {
    blurPlane(plane, w, h, radius)
    return enlarge(plane, w, h, SOFT)
  })
}

/** A few large leaves far out of focus in front of everything. */
function paintNear(
  random: Random,
  recipe: Recipe,
  canvas: Canvas,
  materials: readonly Material[],
  level: number,
): void {
  const w = canvas.width / SOFT
  const h = canvas.height / SOFT
  const small = createCanvas(w, h)
  const covered = new Uint8Array(w * h)
  const rules = drawRules(random, recipe, materials, level)
  const limit = 1 + random.below(3)
  paintLeaves(random, small, covered, { ...rules, smallest: 20, largest: 120, limit, coverage: 1 })
  const radius = Math.floor(random.logBetween(3, 14))
  const alpha = Float32Array.from(covered)
  blurPlane(alpha, w, h, radius)
  const veil = enlarge(alpha, w, h, SOFT)
  for (const [c, plane] of small.planes.entries()) {
    blurPlane(plane, w, h, radius)
    const front = enlarge(plane, w, h, SOFT)
    const behind = canvas.planes[c]!
    for (let i = 0; i < behind.length; i++) behind[i] = behind[i]! * (1 - veil[i]!) + front[i]!
  }
}
