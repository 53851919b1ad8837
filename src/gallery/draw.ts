/** Pixels on canvases. */
import type { ArtifactView, OpenedPhoto } from '../state/vault-store'

/** Rows drawn at a time, so that a large photo does not hold the page up. */
const PIXELS_AT_ONCE = 4_000_000

export function drawPhoto(canvas: HTMLCanvasElement, photo: OpenedPhoto): void {
  const { width, height, pixels, colorSpace } = photo
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d', { colorSpace })
  if (context === null) return
  const rows = Math.max(1, Math.floor(PIXELS_AT_ONCE / width))
  const draw = (top: number) => {
    const count = Math.min(rows, height - top)
    const part = new Uint8ClampedArray(pixels.subarray(4 * width * top, 4 * width * (top + count)))
    context.putImageData(new ImageData(part, width, count, { colorSpace }), 0, top)
    if (top + count < height) requestAnimationFrame(() => draw(top + count))
  }
  draw(0)
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
export async function smallPicture({
  width,
  height,
  pixels,
  colorSpace,
}: OpenedPhoto): Promise<SmallPicture> {
  const scale = Math.min(1, SMALL_SIDE / Math.max(width, height))
  const small = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  }
  const whole = new ImageData(pixels as Uint8ClampedArray<ArrayBuffer>, width, height, { colorSpace })
  const bitmap = await createImageBitmap(whole, {
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
