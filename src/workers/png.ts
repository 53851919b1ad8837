/**
 * PNG files (W3C, third edition) written strip by strip, with alpha as it is: a canvas would hold the whole picture, and
 * multiply its colours by alpha.
 *
 *   signature · IHDR · sRGB, or cICP with gAMA and cHRM for readers that do not know it · IDAT.. · IEND
 *   chunk: u32 length · 4 letters · data · u32 CRC-32 of letters and data; big-endian
 */
import type { Bytes } from '../lib/bytes'
import type { PhotoRows } from './photo-source'

/** Rows compressed at a time. */
const STRIP_ROWS = 64
/** Compressed bytes that are held before they become part of a blob, which the browser keeps outside the page. */
const HELD_BYTES = 4_000_000

export interface PngHeader {
  readonly width: number
  readonly height: number
  readonly hasAlpha: boolean
  readonly colorSpace: 'srgb' | 'display-p3'
}

export interface PngWriter {
  /** Whole rows, in order from the top. */
  add(rows: PhotoRows): Promise<void>
  /** Call once all rows were added. */
  finish(): Promise<Blob>
}

export function startPng(header: PngHeader): PngWriter {
  const { width, hasAlpha } = header
  const channels = hasAlpha ? 4 : 3
  const deflate = new CompressionStream('deflate')
  const input = deflate.writable.getWriter()
  const body = readChunks(deflate.readable)
  body.catch(() => undefined) // told again by finish
  let above: Bytes = new Uint8Array(channels * width)
  return {
    async add(rows) {
      for (let top = 0; top < rows.height; top += STRIP_ROWS) {
        const count = Math.min(STRIP_ROWS, rows.height - top)
        const pixels = rows.data.subarray(4 * width * top, 4 * width * (top + count))
        const strip = filterRows(pixels, width, channels, above)
        above = strip.last
        await input.write(strip.filtered)
      }
    },
    async finish() {
      await input.close()
      const start = [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), ...headChunks(header)]
      return new Blob([...start, await body, chunk('IEND', [])], { type: 'image/png' })
    },
  }
}

/** Every row by the Paeth predictor: one byte 4, then what differs from the prediction. */
function filterRows(
  pixels: Uint8ClampedArray,
  width: number,
  channels: 3 | 4,
  above: Bytes,
): { readonly filtered: Bytes; readonly last: Bytes } {
  const stride = channels * width
  const count = pixels.length / (4 * width)
  const filtered = new Uint8Array(count * (1 + stride))
  let up = above
  let row = new Uint8Array(stride)
  for (let y = 0, to = 0; y < count; y++) {
    for (let i = 0, from = 4 * width * y; i < stride; from += 4)
      for (let c = 0; c < channels; c++) row[i++] = pixels[from + c]!
    filtered[to++] = 4
    for (let i = 0; i < stride; i++) {
      const a = i < channels ? 0 : row[i - channels]!
      const b = up[i]!
      const c = i < channels ? 0 : up[i - channels]!
      filtered[to++] = row[i]! - paeth(a, b, c)
    }
    const next = up === above ? new Uint8Array(stride) : up
    up = row
    row = next
  }
  return { filtered, last: up }
}

/** The neighbour nearest to left + above - above left; ties go to the earlier one. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner)
  const toAbove = Math.abs(left - corner)
  const toCorner = Math.abs(left + above - 2 * corner)
  if (toLeft <= toAbove && toLeft <= toCorner) return left
  return toAbove <= toCorner ? above : corner
}

async function readChunks(deflated: ReadableStream<Bytes>): Promise<Blob> {
  const blobs: Blob[] = []
  let parts: Bytes[] = []
  let held = 0
  const reader = deflated.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(chunk('IDAT', next.value))
    held += next.value.length
    if (held < HELD_BYTES) continue
    blobs.push(new Blob(parts))
    parts = []
    held = 0
  }
  return new Blob([...blobs, ...parts])
}

function headChunks({ width, height, hasAlpha, colorSpace }: PngHeader): Bytes[] {
  const size = chunk('IHDR', [...u32(width), ...u32(height), 8, hasAlpha ? 6 : 2, 0, 0, 0])
  if (colorSpace === 'srgb') return [size, chunk('sRGB', [0])]
  // Display-P3: its primaries with the curve of sRGB, as RGB in full range.
  const primaries = [0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06]
  return [
    size,
    chunk('cICP', [12, 13, 0, 1]),
    chunk('gAMA', u32(45_455)),
    chunk(
      'cHRM',
      primaries.flatMap((value) => u32(Math.round(100_000 * value))),
    ),
  ]
}

const u32 = (value: number): number[] => [value >>> 24, value >>> 16, value >>> 8, value].map((v) => v & 255)

function chunk(name: string, data: ArrayLike<number>): Bytes {
  const bytes = new Uint8Array(12 + data.length)
  bytes.set(u32(data.length))
  for (let i = 0; i < 4; i++) bytes[4 + i] = name.charCodeAt(i)
  bytes.set(data, 8)
  bytes.set(u32(crc32(bytes.subarray(4, 8 + data.length))), 8 + data.length)
  return bytes
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 255]! ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}
