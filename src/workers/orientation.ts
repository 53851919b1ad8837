/** Rotation and mirroring of pixels: what a decoder reports beside a frame, applied to any rectangle of it. */

export interface Orientation {
  /** Clockwise, in degrees. */
  readonly rotation: 0 | 90 | 180 | 270
  /** Mirrored left to right, after the rotation. */
  readonly flip: boolean
}

export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The rectangle of the stored frame [width × height] that shows `rect` of the upright picture. */
export function storedRect(rect: Rect, orientation: Orientation, width: number, height: number): Rect {
  const upright = orientation.rotation % 180 === 0 ? width : height
  const x = orientation.flip ? upright - rect.x - rect.width : rect.x
  const { y } = rect
  switch (orientation.rotation) {
    case 0:
      return { x, y, width: rect.width, height: rect.height }
    case 90:
      return { x: y, y: height - x - rect.width, width: rect.height, height: rect.width }
    case 180:
      return {
        x: width - x - rect.width,
        y: height - y - rect.height,
        width: rect.width,
        height: rect.height,
      }
    case 270:
      return { x: width - y - rect.height, y: x, width: rect.height, height: rect.width }
  }
}

/** Turns stored pixels upright. `pixels` is [height, width] of 4-byte pixels; so is the result, with sides swapped for 90 and 270. */
export function upright(
  pixels: Uint32Array<ArrayBuffer>,
  width: number,
  height: number,
  orientation: Orientation,
): Uint32Array<ArrayBuffer> {
  const { rotation, flip } = orientation
  if (rotation === 0 && !flip) return pixels
  const outWidth = rotation % 180 === 0 ? width : height
  const outHeight = rotation % 180 === 0 ? height : width
  const [origin, stepX, stepY] =
    rotation === 0
      ? [0, 1, width]
      : rotation === 90
        ? [(height - 1) * width, -width, 1]
        : rotation === 180
          ? [width * height - 1, -1, -width]
          : [width - 1, width, -1]
  const out = new Uint32Array(pixels.length)
  for (let y = 0, to = 0; y < outHeight; y++) {
    let from = origin + y * stepY + (flip ? (outWidth - 1) * stepX : 0)
    const step = flip ? -stepX : stepX
    for (let x = 0; x < outWidth; x++, from += step) out[to++] = pixels[from]!
  }
  return out
}
