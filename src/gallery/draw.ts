/** Pixels on canvases. */
import { release } from '../lib/release'
import type { ArtifactView, OpenedPhoto } from '../state/vault-store'
import { overviewOf, type Part } from './zoom'

/** Photo pixels drawn in one frame, so that a large one does not hold the page up. */
const PIXELS_AT_ONCE = 3_000_000

/**
 * Draws a part of a photo; nothing is seen of it before all is. The pixels stay where they are: a canvas of a whole
 * large photo would cost the page several times as much. When the signal aborts it ends early, without an error.
 */
export async function drawPart(
  canvas: HTMLCanvasElement | OffscreenCanvas,
  photo: OpenedPhoto,
  part: Part,
  signal: AbortSignal,
): Promise<void> {
  const { colorSpace } = photo
  const width = Math.ceil(part.width / part.shrink)
  const height = Math.ceil(part.height / part.shrink)
  const image = new ImageData(width, height, { colorSpace })
  const rows = Math.max(1, Math.floor(PIXELS_AT_ONCE / (part.width * part.shrink)))
  for (let top = 0; top < height; top += rows) {
    if (top > 0) await new Promise(requestAnimationFrame)
    if (signal.aborted) return
    const strip = image.data.subarray(4 * width * top, 4 * width * Math.min(height, top + rows))
    shrinkRows(photo, part, top, strip)
  }
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d', { colorSpace }) as CanvasRenderingContext2D | null
  context?.putImageData(image, 0, 0)
  release(image.data)
}

/** Rows of a drawn part from `top` on: means of squares, in which colour counts by its alpha. */
function shrinkRows(
  { width: stride, pixels }: OpenedPhoto,
  { x, y, width, height, shrink }: Part,
  top: number,
  out: Uint8ClampedArray,
): void {
  let y0 = y + top * shrink
  for (let to = 0; to < out.length; y0 += shrink) {
    const y1 = Math.min(y + height, y0 + shrink)
    if (shrink === 1) {
      const from = 4 * (y0 * stride + x)
      out.set(pixels.subarray(from, from + 4 * width), to)
      to += 4 * width
      continue
    }
    for (let x0 = x; x0 < x + width; x0 += shrink) {
      const x1 = Math.min(x + width, x0 + shrink)
      let [r, g, b, a] = [0, 0, 0, 0]
      for (let line = y0; line < y1; line++) {
        const end = 4 * (line * stride + x1)
        for (let from = 4 * (line * stride + x0); from < end; from += 4) {
          const alpha = pixels[from + 3]!
          r += alpha * pixels[from]!
          g += alpha * pixels[from + 1]!
          b += alpha * pixels[from + 2]!
          a += alpha
        }
      }
      const weight = a === 0 ? 1 : a
      out[to++] = r / weight
      out[to++] = g / weight
      out[to++] = b / weight
      out[to++] = a / ((x1 - x0) * (y1 - y0))
    }
  }
}

/** Longest side of a picture on its way to noise, in pixels. */
const SMALL_SIDE = 360

export interface SmallPicture {
  readonly width: number
  readonly height: number
  readonly colorSpace: OpenedPhoto['colorSpace']
  /** Interleaved rows. */
  readonly rgb: Uint8Array
}

/** The photo scaled to at most SMALL_SIDE, on black where it is transparent. */
export async function smallPicture(photo: OpenedPhoto): Promise<SmallPicture> {
  const { width, height, colorSpace } = photo
  const scale = Math.min(1, SMALL_SIDE / Math.max(width, height))
  const small = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  }
  const overview = new OffscreenCanvas(1, 1)
  await drawPart(overview, photo, overviewOf(photo), new AbortController().signal)
  const bitmap = await createImageBitmap(overview, {
    resizeWidth: small.width,
    resizeHeight: small.height,
    resizeQuality: 'high',
  })
  const context = new OffscreenCanvas(small.width, small.height).getContext('2d', {
    colorSpace,
    alpha: false,
  })
  if (context === null) throw new Error('This browser gives no canvas.')
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  const { data } = context.getImageData(0, 0, small.width, small.height, { colorSpace })
  const rgb = data.filter((_, i) => (i & 3) !== 3)
  return { ...small, colorSpace, rgb: new Uint8Array(rgb.buffer) }
}

/** The artifact's bytes as grey pixels, in rows of the photo's shape. */
export function drawArtifact(canvas: HTMLCanvasElement, artifact: ArtifactView, shape: OpenedPhoto): void {
  const { bytes } = artifact
  const width = Math.max(
    1,
    Math.min(shape.width, Math.round(Math.sqrt((bytes.length * shape.width) / shape.height))),
  )
  const height = Math.max(1, Math.ceil(bytes.length / width))
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  if (context === null) return
  const data = new Uint8ClampedArray(4 * width * height)
  for (let i = 0; i < bytes.length; i++) {
    data[4 * i] = data[4 * i + 1] = data[4 * i + 2] = bytes[i]!
    data[4 * i + 3] = 255
  }
  context.putImageData(new ImageData(data, width, height), 0, 0)
}
