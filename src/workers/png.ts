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
const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
/** Most that a stored block holds. */
const STORED_BYTES = 65535
/** Bytes whose sums stay exact before they are reduced. */
const ADLER_RUN = 4096

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
      return new Blob([SIGNATURE, ...headChunks(header), await body, chunk('IEND', [])], {
        type: 'image/png',
      })
    },
  }
}

/** A small picture as a file that is not compressed: quick to write, for what never leaves the page. */
export function plainPng(rows: PhotoRows): Blob {
  const { width, height, hasAlpha, data } = rows
  const channels = hasAlpha ? 4 : 3
  const samples = new Uint8Array(height * (1 + channels * width)) // each row begins with filter 0, none
  for (let y = 0, to = 0, from = 0; y < height; y++) {
    to++
    for (let x = 0; x < width; x++, from += 4)
      for (let c = 0; c < channels; c++) samples[to++] = data[from + c]!
  }
  const start = [SIGNATURE, ...headChunks(rows)]
  return new Blob([...start, chunk('IDAT', stored(samples)), chunk('IEND', [])], { type: 'image/png' })
}

/** A zlib stream (RFC 1950) of stored blocks (RFC 1951 §3.2.4). */
function stored(data: Bytes): Bytes {
  const blocks = Math.max(1, Math.ceil(data.length / STORED_BYTES))
  const out = new Uint8Array(2 + 5 * blocks + data.length + 4)
  out.set([0x78, 0x01])
  let to = 2
  for (let block = 0; block < blocks; block++) {
    const part = data.subarray(block * STORED_BYTES, (block + 1) * STORED_BYTES)
    const [low, high] = [part.length & 255, part.length >> 8]
    out.set([block === blocks - 1 ? 1 : 0, low, high, low ^ 255, high ^ 255], to)
    out.set(part, to + 5)
    to += 5 + part.length
  }
  out.set(u32(adler32(data)), to)
  return out
}

function adler32(bytes: Bytes): number {
  let [a, b] = [1, 0]
  for (let from = 0; from < bytes.length; from += ADLER_RUN) {
    for (const byte of bytes.subarray(from, from + ADLER_RUN)) {
      a += byte
      b += a
    }
    a %= 65521
    b %= 65521
  }
  return b * 65536 + a
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
