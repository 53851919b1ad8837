/**
 * Textured dead leaves, front to back: shapes with power-law sizes (density r^-3), each drawn under those before it,
 * until nearly everything free is covered. After Lee, Mumford and Huang (2001), with textures and shading.
 */
import type { Canvas } from './canvas'
import { drawPaint, paintSpan, varyPaint } from './paint'
import type { Paint, PaintRules } from './paint'
import type { Random } from './random'
import { blob, fillDisk, fillOutlines, rectangle, ribbon } from './shapes'
import type { Span } from './shapes'

export interface LeafRules extends PaintRules {
  readonly smallest: number
  readonly largest: number
  /** Shares of blobs, rectangles and ribbons; the rest are disks. */
  readonly blobs: number
  readonly rectangles: number
  readonly ribbons: number
  /** Common direction of rectangles and ribbons, and how far single ones turn from it, in turns. */
  readonly direction: number
  readonly disorder: number
  /** Spread of the shading across a leaf, in levels. */
  readonly shading: number
  /** Stop when this share of the free pixels is covered, or after so many leaves. */
  readonly coverage: number
  readonly limit: number
}

/** Pixels already marked in `covered` stay as they are. */
export function paintLeaves(random: Random, canvas: Canvas, covered: Uint8Array, rules: LeafRules): void {
  const { width, height } = canvas
  let free = 0
  for (const c of covered) free += c === 0 ? 1 : 0
  const paints = Array.from({ length: 24 }, () => drawPaint(random, rules))
  const goal = free * (1 - rules.coverage)
  const inverse = 1 / (rules.largest * rules.largest)
  const span = 1 / (rules.smallest * rules.smallest) - inverse
  for (let k = 0; k < rules.limit && free > goal; k++) {
    const r = 1 / Math.sqrt(inverse + random.unit() * span)
    const cx = random.between(-r * 0.5, width + r * 0.5)
    const cy = random.between(-r * 0.5, height + r * 0.5)
    const family = random.pick(paints)
    const paint: Paint =
      r > 30 && random.chance(0.5)
        ? drawPaint(random, rules)
        : varyPaint(random, family, rules.contrast * 0.6)
    const fall = rules.shading / r
    const tilt = { cx, cy, x: random.normal() * fall, y: random.normal() * fall }
    const draw: Span = (y, x0, x1) => {
      free -= paintSpan(canvas, covered, paint, tilt, y, x0, x1)
    }
    paintShape(random, rules, r, cx, cy, width, height, draw)
  }
}

function paintShape(
  random: Random,
  rules: LeafRules,
  r: number,
  cx: number,
  cy: number,
  width: number,
  height: number,
  draw: Span,
): void {
  const shaped = rules.blobs + rules.rectangles + rules.ribbons
  const isDisk = random.unit() > shaped
  if (r < 2.5 || isDisk) {
    fillDisk(cx, cy, r, width, height, draw)
    return
  }
  const turns = rules.direction + rules.disorder * random.normal()
  const kind = random.unit() * shaped
  if (kind < rules.blobs) {
    const outline = blob(random, cx, cy, r, random.logBetween(1, 2.2), turns)
    const holes = r > 16 && random.chance(0.25) ? 1 + random.below(3) : 0
    const inner = Array.from({ length: holes }, () =>
      blob(
        random,
        cx + random.normal() * r * 0.3,
        cy + random.normal() * r * 0.3,
        r * random.between(0.1, 0.3),
        1,
        0,
      ),
    )
    fillOutlines([outline, ...inner], width, height, draw)
  } else if (kind < rules.blobs + rules.rectangles) {
    const aspect = random.logBetween(1, 3)
    const quarter = random.chance(0.5) ? 0 : 0.25
    fillOutlines([rectangle(cx, cy, r * aspect, r / aspect, turns + quarter)], width, height, draw)
  } else {
    const aspect = random.logBetween(3, 9)
    const outline = ribbon(
      random,
      cx,
      cy,
      2 * r * Math.sqrt(aspect),
      Math.max(0.6, r / aspect),
      turns,
      random.normal() * 0.25,
    )
    fillOutlines([outline], width, height, draw)
  }
}
