/**
 * Seeded procedural photographs, the only images that the base model is trained on: textured dead leaves with depth of
 * field, skies, shading, natural colours, lens, tone curve and sensor noise, and a share of flat graphics.
 * Everything is computed with + - * / and Math.sqrt from seeded draws, so every engine gives the same bytes.
 */
import { develop } from './camera'
import { Random } from './random'
import { RECIPE } from './recipe'
import type { Recipe } from './recipe'
import { renderScene } from './scene'
import { renderGraphic } from './writing'

/** RGB interleaved, [height, width, 3]. Any positive size; the scene is drawn at twice the size. */
export function proceduralImage(
  seed: number,
  width: number,
  height: number,
  recipe: Recipe = RECIPE,
): Uint8Array {
  const random = new Random(seed)
  const graphic = random.chance(recipe.graphics)
  // Canvases are multiples of 8, so that the layers out of focus have whole sizes.
  const wide = 4 * Math.ceil(width / 4)
  const high = 4 * Math.ceil(height / 4)
  const canvas = graphic
    ? renderGraphic(random, 2 * wide, 2 * high)
    : renderScene(random, recipe, 2 * wide, 2 * high)
  const pixels = develop(random, recipe, canvas, graphic)
  return wide === width && high === height ? pixels : crop(pixels, wide, width, height)
}

function crop(pixels: Uint8Array, stride: number, width: number, height: number): Uint8Array {
  const out = new Uint8Array(3 * width * height)
  for (let y = 0; y < height; y++)
    out.set(pixels.subarray(3 * y * stride, 3 * (y * stride + width)), 3 * y * width)
  return out
}
