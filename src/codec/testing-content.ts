/**
 * Pictures that are no photographs, from a seed, for tests: flat colour, gradients, screens with writing, line art, noise,
 * grey and cut-out pictures. Edges lie on whole pixels, as those of screens and scans of ink do.
 */
import { makePrng, type Prng } from '../lib/prng'
import type { RasterImage } from './types'

/** 8-bit red, green and blue; fractions are rounded when they are drawn. */
export type Colour = readonly [number, number, number]

const BLACK: Colour = [0, 0, 0]
const WHITE: Colour = [255, 255, 255]

/** Every pixel from its place. */
export function drawPixels(
  width: number,
  height: number,
  colourAt: (x: number, y: number) => Colour,
): RasterImage {
  const data = new Uint8ClampedArray(4 * width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set([...colourAt(x, y), 255], 4 * (y * width + x))
  return { width, height, hasAlpha: false, colorSpace: 'srgb', data }
}

export const drawFlat = (width: number, height: number, colour: Colour): RasterImage =>
  drawPixels(width, height, () => colour)

/** From one side to the other, or from one corner to the opposite one. */
export function drawGradient(
  width: number,
  height: number,
  from: Colour,
  to: Colour,
  turn: 'x' | 'y' | 'xy',
): RasterImage {
  const along = (at: number, length: number): number => (length > 1 ? at / (length - 1) : 0)
  const shareAt = {
    x: (x: number) => along(x, width),
    y: (_: number, y: number) => along(y, height),
    xy: (x: number, y: number) => (along(x, width) + along(y, height)) / 2,
  }[turn]
  return drawPixels(width, height, (x, y) => {
    const mixed = (c: 0 | 1 | 2): number => from[c] + (to[c] - from[c]) * shareAt(x, y)
    return [mixed(0), mixed(1), mixed(2)]
  })
}

/** Each value of its own, around `mean`; about a sixth of them clipped at spread 90. */
export function drawNoise(
  seed: number,
  width: number,
  height: number,
  mean: number,
  spread: number,
): RasterImage {
  const prng = makePrng(seed)
  const value = (): number => mean + spread * prng.nextNormal()
  return drawPixels(width, height, () => [value(), value(), value()])
}

/** A window of an invented program: bars, panels, hairlines and lines of writing on flat colour. */
export function drawScreen(seed: number, width: number, height: number): RasterImage {
  const prng = makePrng(seed)
  const page = drawFlat(width, height, prng.nextBelow(2) === 0 ? [250, 250, 252] : [28, 30, 34])
  const ink = page.data[0]! > 128 ? BLACK : WHITE
  fillBox(page, 0, 0, width, 28, drawColour(prng))
  for (let x = 12; x < width - 60; x += 64) fillBox(page, x, 8, 40, 12, WHITE)
  const side = 5 * Math.floor(width / 24)
  fillBox(page, 0, 28, side, height, drawColour(prng))
  fillBox(page, side, 28, 1, height, ink)
  writeLines(page, prng, { left: 10, top: 40, right: side - 10, bottom: height - 8 }, WHITE, 1)
  writeLines(page, prng, { left: side + 16, top: 48, right: width - 16, bottom: height / 2 }, ink, 1)
  fillBox(page, side + 16, Math.floor(height / 2) + 8, width - side - 32, 1, ink)
  writeLines(
    page,
    prng,
    { left: side + 16, top: height / 2 + 24, right: width - 160, bottom: height - 8 },
    ink,
    2,
  )
  fillBox(page, width - 136, height - 64, 112, 36, [30, 110, 220])
  return page
}

/** Ink on paper: thin polygons, rings and hatching, one or two pixels wide, and much paper left empty. */
export function drawLineArt(seed: number, width: number, height: number): RasterImage {
  const prng = makePrng(seed)
  const page = drawFlat(width, height, WHITE)
  const at = (): readonly [number, number] => [prng.nextBelow(Math.ceil(width / 2)), prng.nextBelow(height)]
  for (let k = 0; k < 12; k++) drawLine(page, at(), at(), 1 + (k & 1))
  for (let k = 0; k < 4; k++) {
    const [x, y] = at()
    const radius = 12 + prng.nextBelow(40)
    for (let corner = 0; corner < 48; corner++) {
      const point = (i: number): readonly [number, number] => [
        Math.round(x + radius * Math.cos((Math.PI * i) / 24)),
        Math.round(y + radius * Math.sin((Math.PI * i) / 24)),
      ]
      drawLine(page, point(corner), point(corner + 1), 1)
    }
  }
  for (let x = 0; x < 40; x += 4) drawLine(page, [x, 20], [x + 30, 60], 1)
  return page
}

/** Rec. 601 luma in all three channels. */
export function inGrey(image: RasterImage): RasterImage {
  const data = new Uint8ClampedArray(image.data)
  for (let i = 0; i < data.length; i += 4)
    data.fill(0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!, i, i + 3)
  return { ...image, data }
}

/** A disk of the picture with one soft pixel at its rim; what is wholly transparent is black, as editors leave it. */
export function cutOut(image: RasterImage): RasterImage {
  const { width, height } = image
  const data = new Uint8ClampedArray(image.data)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = 4 * (y * width + x)
      const away = Math.hypot(x - width / 2, y - height / 2) - 0.4 * Math.min(width, height)
      data[i + 3] = 255 * Math.min(1, Math.max(0, 0.5 - away))
      if (data[i + 3] === 0) data.fill(0, i, i + 3)
    }
  return { ...image, hasAlpha: true, data }
}

const drawColour = (prng: Prng): Colour => [prng.nextBelow(256), prng.nextBelow(256), prng.nextBelow(256)]

function fillBox(
  image: RasterImage,
  left: number,
  top: number,
  width: number,
  height: number,
  colour: Colour,
): void {
  const right = Math.min(image.width, left + width)
  const bottom = Math.min(image.height, top + height)
  for (let y = Math.max(0, top); y < bottom; y++)
    for (let x = Math.max(0, left); x < right; x++) image.data.set(colour, 4 * (y * image.width + x))
}

function drawLine(
  image: RasterImage,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  pen: number,
): void {
  const steps = Math.max(1, Math.abs(x1 - x0), Math.abs(y1 - y0))
  for (let i = 0; i <= steps; i++)
    fillBox(
      image,
      Math.round(x0 + ((x1 - x0) * i) / steps),
      Math.round(y0 + ((y1 - y0) * i) / steps),
      pen,
      pen,
      BLACK,
    )
}

interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** Lines of invented letters on a grid of 5 x 7 dots, each `scale` pixels wide: some strokes and no soft edges. */
function writeLines(image: RasterImage, prng: Prng, box: Box, colour: Colour, scale: number): void {
  const alphabet = Array.from({ length: 20 }, () => drawLetter(prng))
  for (let y = Math.floor(box.top); y + 7 * scale <= box.bottom; y += 12 * scale) {
    const end = box.right - prng.nextBelow(1 + Math.max(0, Math.floor((box.right - box.left) / 2)))
    for (let x = box.left; x + 5 * scale <= end; x += 6 * scale) {
      if (prng.nextBelow(6) === 0) continue
      for (const [dx, dy] of alphabet[prng.nextBelow(alphabet.length)]!)
        fillBox(image, x + dx * scale, y + dy * scale, scale, scale, colour)
    }
  }
}

/** Dots [0, 5) x [0, 7) of one letter: two to four strokes across or down. */
function drawLetter(prng: Prng): readonly (readonly [number, number])[] {
  const dots: [number, number][] = []
  for (let strokes = 2 + prng.nextBelow(3); strokes > 0; strokes--) {
    const isUpright = prng.nextBelow(2) === 0
    const fixed = isUpright ? 2 * prng.nextBelow(3) : 3 * prng.nextBelow(3)
    const length = isUpright ? 7 : 5
    const from = prng.nextBelow(3)
    for (let at = from; at < length; at++) dots.push(isUpright ? [fixed, at] : [at, fixed])
  }
  return dots
}
