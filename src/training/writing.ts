/** Text-like marks and thin lines, and flat graphics made of them: screens, documents, drawings. */
import { createCanvas } from './canvas'
import type { Canvas } from './canvas'
import type { Random } from './random'
import { fillDisk, fillOutlines, rectangle, ribbon } from './shapes'
import type { Span } from './shapes'

type Colour = readonly [number, number, number]

function fillWith(canvas: Canvas, colour: Colour): Span {
  return (y, x0, x1) => {
    const row = y * canvas.width
    for (let c = 0; c < 3; c++) canvas.planes[c]!.fill(colour[c]!, row + x0, row + x1)
  }
}

function drawColour(random: Random): Colour {
  const grey = random.unit()
  if (random.chance(0.6)) return [grey, grey, grey]
  return [random.unit(), random.unit(), random.unit()]
}

/** Lines of invented letters, each of two to four strokes on a 3 x 5 grid. */
function writeLines(
  random: Random,
  canvas: Canvas,
  box: readonly [number, number, number, number],
  colour: Colour,
): void {
  const size = random.logBetween(10, 60)
  const pen = size * random.between(0.05, 0.11)
  const draw = fillWith(canvas, colour)
  const [left, top, right, bottom] = box
  const turns = random.chance(0.8) ? 0 : random.normal() * 0.02
  for (let y = top; y + size < bottom; y += size * 1.5) {
    const end = left + (right - left) * random.between(0.5, 1)
    for (let x = left; x + size * 0.6 < end; x += size * random.between(0.55, 0.75)) {
      if (random.chance(0.15)) continue
      const strokes = 2 + random.below(3)
      for (let k = 0; k < strokes; k++) {
        const upright = random.chance(0.5)
        const cx = x + (random.below(3) * size) / 5
        const cy = y + (random.below(5) * size) / 5
        const reach = (size / 5) * (1 + random.below(upright ? 3 : 2)) * 0.6
        const tilt = turns + (upright ? 0.25 : 0) + (random.chance(0.2) ? random.between(-0.1, 0.1) : 0)
        fillOutlines([rectangle(cx, cy, reach, pen, tilt)], canvas.width, canvas.height, draw)
      }
    }
  }
}

/** Some writing or thin lines over a scene; `share` is about how much of the frame it takes. */
export function paintWriting(random: Random, canvas: Canvas, share: number): void {
  const { width, height } = canvas
  const colour = drawColour(random)
  if (random.chance(0.5)) {
    const side = Math.sqrt(share)
    const left = random.unit() * width * (1 - side)
    const top = random.unit() * height * (1 - side)
    writeLines(random, canvas, [left, top, left + width * side, top + height * side], colour)
    return
  }
  const draw = fillWith(canvas, colour)
  const direction = random.unit()
  const count = 1 + random.below(12)
  for (let k = 0; k < count; k++) {
    const half = random.logBetween(0.6, 4)
    const length = random.between(0.3, 1.5) * width
    const outline = ribbon(
      random,
      random.unit() * width,
      random.unit() * height,
      length,
      half,
      direction,
      random.normal() * 0.05,
    )
    fillOutlines([outline], width, height, draw)
  }
}

/** A flat graphic: panels, gradients, writing, icons. Edges on whole output pixels (pairs of canvas pixels). */
export function renderGraphic(random: Random, width: number, height: number): Canvas {
  const canvas = createCanvas(width, height)
  const page = random.chance(0.6) ? random.between(0.9, 1) : random.between(0.05, 0.3)
  fillPage(canvas, [page, page, page])
  const panels = random.below(10)
  for (let k = 0; k < panels; k++) {
    const w = 2 * Math.floor((random.between(0.05, 0.9) * width) / 2)
    const h = 2 * Math.floor((random.between(0.02, 0.6) * height) / 2)
    const x = 2 * Math.floor((random.unit() * (width - w)) / 2)
    const y = 2 * Math.floor((random.unit() * (height - h)) / 2)
    const colour = drawColour(random)
    const end = random.chance(0.3) ? drawColour(random) : colour
    for (let row = 0; row < h; row++) {
      const t = row / h
      const mixed: Colour = [0, 1, 2].map((c) => colour[c]! * (1 - t) + end[c]! * t) as [
        number,
        number,
        number,
      ]
      fillWith(canvas, mixed)(y + row, x, x + w)
    }
    if (random.chance(0.5))
      writeLines(random, canvas, [x + 8, y + 8, x + w - 8, y + h - 8], drawColour(random))
  }
  const ink = page > 0.5 ? random.between(0, 0.4) : random.between(0.6, 1)
  const columns = 1 + random.below(3)
  for (let k = 0; k < columns; k++) {
    if (random.chance(0.3)) continue
    const left = ((k + 0.08) * width) / columns
    writeLines(random, canvas, [left, 20, left + (width / columns) * 0.85, height - 20], [ink, ink, ink])
  }
  const icons = random.below(6)
  for (let k = 0; k < icons; k++) {
    const r = random.logBetween(4, 60)
    fillDisk(
      random.unit() * width,
      random.unit() * height,
      r,
      width,
      height,
      fillWith(canvas, drawColour(random)),
    )
  }
  return canvas
}

function fillPage(canvas: Canvas, colour: Colour): void {
  for (let c = 0; c < 3; c++) canvas.planes[c]!.fill(colour[c]!)
}
