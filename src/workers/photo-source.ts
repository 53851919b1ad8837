/**
 * A decoded photo that hands out its rows band by band, so that a large one never lies in memory as RGBA as a whole.
 * Rows are upright, 8-bit RGBA, straight alpha, in sRGB or Display-P3 (wider profiles are mapped to Display-P3).
 *
 * [Note: which decoder] ImageDecoder gives exact straight alpha and is not touched by privacy noise, but its YUV frames
 * are converted with the nearest chroma sample. A canvas filters chroma as every viewer does, but premultiplies alpha
 * and may be randomised. So: frames for what has alpha, a canvas for what has none where read-back is exact, and
 * frames again where it is not. A browser with neither is refused.
 */
import { release } from '../lib/release'
import { DarkroomError } from './errors'
import type { ImageFile } from './image-file'
import { storedRect, upright, type Orientation } from './orientation'
import { canvasReadbackIsExact } from './readback-probe'

/** Rows that pass through a canvas at a time. */
const STRIP_ROWS = 128

export interface PhotoRows {
  readonly width: number
  readonly height: number
  readonly hasAlpha: boolean
  readonly colorSpace: 'srgb' | 'display-p3'
  readonly data: Uint8ClampedArray<ArrayBuffer>
}

export interface PhotoSource {
  readonly width: number
  readonly height: number
  readonly hasAlpha: boolean
  readonly colorSpace: 'srgb' | 'display-p3'
  readRows(y0: number, y1: number): Promise<PhotoRows>
  close(): void
}

interface OrientedFrame extends VideoFrame {
  readonly rotation?: number
  readonly flip?: boolean
}

/** Throws DarkroomError 'undecodable' or 'no-readback'. */
export async function openPhotoSource(bytes: Uint8Array<ArrayBuffer>, file: ImageFile): Promise<PhotoSource> {
  const frame = await decodeFrame(bytes, file)
  const opaque = frame?.format !== 'BGRA' && frame?.format !== 'RGBA'
  const colorSpace = frame === null || frame.colorSpace.primaries === 'bt709' ? 'srgb' : 'display-p3'
  if (frame !== null && (!opaque || !canvasReadbackIsExact())) return frameSource(frame, !opaque, colorSpace)
  frame?.close()
  if (!canvasReadbackIsExact()) throw new DarkroomError('no-readback')
  const mayHaveAlpha = frame === null && file.kind !== 'jpeg'
  return bitmapSource(new Blob([bytes], { type: file.mime }), mayHaveAlpha, colorSpace)
}

/** The first frame, or null where this browser has no ImageDecoder for it. */
async function decodeFrame(bytes: Uint8Array<ArrayBuffer>, file: ImageFile): Promise<OrientedFrame | null> {
  if (!('ImageDecoder' in globalThis) || !(await ImageDecoder.isTypeSupported(file.mime))) return null
  const decoder = new ImageDecoder({ data: bytes, type: file.mime, preferAnimation: false })
  try {
    const { image } = await decoder.decode({ frameIndex: 0 })
    return image
  } catch (cause) {
    throw new DarkroomError('undecodable', { cause })
  } finally {
    decoder.close()
  }
}

function frameSource(
  frame: OrientedFrame,
  hasAlpha: boolean,
  colorSpace: 'srgb' | 'display-p3',
): PhotoSource {
  const visible = frame.visibleRect ?? new DOMRect(0, 0, frame.codedWidth, frame.codedHeight)
  const rotation = ([0, 90, 180, 270] as const).find((angle) => angle === frame.rotation) ?? 0
  const orientation: Orientation = { rotation, flip: frame.flip === true }
  const turned = rotation % 180 !== 0
  const width = turned ? visible.height : visible.width
  const height = turned ? visible.width : visible.height
  // The frame's own bytes are straight; a conversion to RGBA would go through premultiplied alpha.
  const raw = hasAlpha && colorSpace === 'srgb'
  return {
    width,
    height,
    hasAlpha,
    colorSpace,
    async readRows(y0, y1) {
      const wanted = { x: 0, y: y0, width, height: y1 - y0 }
      const stored = storedRect(wanted, orientation, visible.width, visible.height)
      // Subsampled frames only give rectangles at even offsets.
      const padX = stored.x % 2
      const padY = stored.y % 2
      const rect = {
        x: visible.x + stored.x - padX,
        y: visible.y + stored.y - padY,
        width: stored.width + padX,
        height: stored.height + padY,
      }
      const pixels = new Uint32Array(rect.width * rect.height)
      const options = { rect, layout: [{ offset: 0, stride: 4 * rect.width }] }
      try {
        await frame.copyTo(pixels, raw ? options : { ...options, format: 'RGBA', colorSpace })
      } catch (cause) {
        throw new DarkroomError('undecodable', { cause })
      }
      if (raw && frame.format === 'BGRA') swapRedAndBlue(pixels)
      const exact =
        padX + padY === 0 ? pixels : crop(pixels, rect.width, padX, padY, stored.width, stored.height)
      const rows = upright(exact, stored.width, stored.height, orientation)
      return { width, height: y1 - y0, hasAlpha, colorSpace, data: new Uint8ClampedArray(rows.buffer) }
    },
    close: () => frame.close(),
  }
}

function swapRedAndBlue(pixels: Uint32Array): void {
  for (let i = 0; i < pixels.length; i++) {
    const p = pixels[i]!
    pixels[i] = (p & 0xff00ff00) | ((p & 0xff) << 16) | ((p >>> 16) & 0xff)
  }
}

function crop(
  pixels: Uint32Array<ArrayBuffer>,
  stride: number,
  x: number,
  y: number,
  width: number,
  height: number,
): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(width * height)
  for (let row = 0; row < height; row++) {
    const from = (y + row) * stride + x
    out.set(pixels.subarray(from, from + width), row * width)
  }
  return out
}

async function bitmapSource(
  blob: Blob,
  hasAlpha: boolean,
  colorSpace: 'srgb' | 'display-p3',
): Promise<PhotoSource> {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image', premultiplyAlpha: 'none' })
  } catch (cause) {
    throw new DarkroomError('undecodable', { cause })
  }
  const { width, height } = bitmap
  // One small canvas for all rows: what canvases hold is freed late.
  const strip = new OffscreenCanvas(width, Math.min(height, STRIP_ROWS))
  const context = strip.getContext('2d', { willReadFrequently: true, colorSpace })
  if (context === null) {
    bitmap.close()
    throw new DarkroomError('undecodable')
  }
  context.imageSmoothingEnabled = false
  context.globalCompositeOperation = 'copy'
  return {
    width,
    height,
    hasAlpha,
    colorSpace,
    readRows(y0, y1) {
      const data = new Uint8ClampedArray(4 * width * (y1 - y0))
      for (let y = y0; y < y1; y += strip.height) {
        const rows = Math.min(strip.height, y1 - y)
        context.drawImage(bitmap, 0, -y)
        const read = context.getImageData(0, 0, width, rows, { colorSpace }).data
        data.set(read, 4 * width * (y - y0))
        release(read)
      }
      return Promise.resolve({ width, height: y1 - y0, hasAlpha, colorSpace, data })
    },
    close() {
      bitmap.close()
      strip.width = strip.height = 0
    },
  }
}
