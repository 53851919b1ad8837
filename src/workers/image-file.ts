/**
 * Looks at an image file before anything decodes it: which kind by its first bytes, how many pixels by its header,
 * and whether its end is there. Reads only lengths that the file itself bears; every loop moves forward.
 * Formats: JPEG (ITU-T T.81 B), PNG (W3C), WebP (RFC 9649), GIF89a, AVIF (ISO/IEC 14496-12 and 23008-12).
 */
import { DarkroomError } from './errors'

const MAX_FILE_PIXELS = 200_000_000

export type ImageKind = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif'

export interface ImageFile {
  readonly kind: ImageKind
  readonly mime: `image/${ImageKind}`
  /** As stored, before orientation. */
  readonly width: number
  readonly height: number
}

interface Size {
  readonly width: number
  readonly height: number
}

/** Throws DarkroomError 'empty', 'not-image', 'truncated', 'undecodable' (no size) or 'too-large'. */
export function inspectImage(bytes: Uint8Array): ImageFile {
  if (bytes.length === 0) throw new DarkroomError('empty')
  const kind = sniffImage(bytes)
  if (kind === null) throw new DarkroomError('not-image')
  const { width, height } = SIZES[kind](new DataView(bytes.buffer, bytes.byteOffset, bytes.length))
  if (width === 0 || height === 0) throw new DarkroomError('undecodable')
  if (width * height > MAX_FILE_PIXELS) throw new DarkroomError('too-large')
  return { kind, mime: `image/${kind}`, width, height }
}

/** The kind by magic bytes, or null where it is none of ours. */
export function sniffImage(bytes: Uint8Array): ImageKind | null {
  const text = String.fromCharCode(...bytes.subarray(0, 64))
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif'
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'webp'
  if (text.slice(4, 8) === 'ftyp') {
    const brands = text.slice(8, Math.min(64, bytes[3] ?? 0))
    if (brands.includes('avif') || brands.includes('avis')) return 'avif'
  }
  return null
}

const truncated = () => new DarkroomError('truncated')

function need(view: DataView, offset: number, length: number): void {
  if (offset + length > view.byteLength) throw truncated()
}

function tagAt(view: DataView, offset: number): string {
  need(view, offset, 4)
  return String.fromCharCode(
    view.getUint8(offset),
    view.getUint8(offset + 1),
    view.getUint8(offset + 2),
    view.getUint8(offset + 3),
  )
}

const isFrameHeader = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

function jpegSize(view: DataView): Size {
  let size: Size | null = null
  let offset = 2
  for (;;) {
    need(view, offset, 4)
    if (view.getUint8(offset) !== 0xff) throw new DarkroomError('undecodable')
    const marker = view.getUint8(offset + 1)
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      offset += marker === 0xff ? 1 : 2
      continue
    }
    if (marker === 0xd9) throw truncated()
    const length = view.getUint16(offset + 2)
    if (length < 2) throw new DarkroomError('undecodable')
    if (isFrameHeader(marker)) {
      need(view, offset, 9)
      size = { height: view.getUint16(offset + 5), width: view.getUint16(offset + 7) }
    }
    offset += 2 + length
    if (marker === 0xda) break
  }
  if (size === null) throw new DarkroomError('undecodable')
  for (let i = offset; i + 1 < view.byteLength; i++)
    if (view.getUint8(i) === 0xff && view.getUint8(i + 1) === 0xd9) return size
  throw truncated()
}

function pngSize(view: DataView): Size {
  need(view, 8, 25)
  if (tagAt(view, 12) !== 'IHDR') throw new DarkroomError('undecodable')
  const size = { width: view.getUint32(16), height: view.getUint32(20) }
  for (let offset = 8; ;) {
    need(view, offset, 12)
    const length = view.getUint32(offset)
    need(view, offset, 12 + length)
    if (tagAt(view, offset + 4) === 'IEND') return size
    offset += 12 + length
  }
}

function webpSize(view: DataView): Size {
  need(view, 0, 30)
  need(view, 8, view.getUint32(4, true) & ~1)
  const u24 = (offset: number) => view.getUint16(offset, true) + (view.getUint8(offset + 2) << 16)
  switch (tagAt(view, 12)) {
    case 'VP8X':
      return { width: 1 + u24(24), height: 1 + u24(27) }
    case 'VP8L': {
      const bits = view.getUint32(21, true)
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) }
    }
    case 'VP8 ':
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
    default:
      throw new DarkroomError('undecodable')
  }
}

/** The canvas size; complete when the first frame is. */
function gifSize(view: DataView): Size {
  need(view, 0, 13)
  const size = { width: view.getUint16(6, true), height: view.getUint16(8, true) }
  const colors = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1))
  const endOfBlocks = (start: number) => {
    let at = start
    for (;;) {
      need(view, at, 1)
      const length = view.getUint8(at)
      at += 1 + length
      if (length === 0) return at
    }
  }
  for (let offset = 13 + colors(view.getUint8(10)); ;) {
    need(view, offset, 2)
    const block = view.getUint8(offset)
    if (block === 0x21) offset = endOfBlocks(offset + 2)
    else if (block === 0x2c) {
      need(view, offset, 10)
      endOfBlocks(offset + 10 + colors(view.getUint8(offset + 9)) + 1)
      return size
    } else throw new DarkroomError('undecodable')
  }
}

interface Box {
  readonly tag: string
  readonly start: number
  readonly end: number
}

/** The boxes between two offsets; a size of 0 means to the end. */
function* boxes(view: DataView, from: number, to: number): Generator<Box> {
  for (let offset = from; offset < to;) {
    if (offset + 8 > to) throw truncated()
    const size32 = view.getUint32(offset)
    const wide = size32 === 1
    if (wide) need(view, offset, 16)
    const size = wide ? Number(view.getBigUint64(offset + 8)) : size32 === 0 ? to - offset : size32
    if (size < (wide ? 16 : 8)) throw new DarkroomError('undecodable')
    if (offset + size > to) throw truncated()
    yield { tag: tagAt(view, offset + 4), start: offset + (wide ? 16 : 8), end: offset + size }
    offset += size
  }
}

/** The largest `ispe` property: the picture itself, since tiles, alpha and thumbnails are not larger. */
function avifSize(view: DataView): Size {
  let largest: Size = { width: 0, height: 0 }
  for (const meta of boxes(view, 0, view.byteLength)) {
    if (meta.tag !== 'meta') continue
    for (const iprp of boxes(view, meta.start + 4, meta.end)) {
      if (iprp.tag !== 'iprp') continue
      for (const ipco of boxes(view, iprp.start, iprp.end)) {
        if (ipco.tag !== 'ipco') continue
        for (const ispe of boxes(view, ipco.start, ipco.end)) {
          if (ispe.tag !== 'ispe' || ispe.end - ispe.start < 12) continue
          const size = { width: view.getUint32(ispe.start + 4), height: view.getUint32(ispe.start + 8) }
          if (size.width * size.height > largest.width * largest.height) largest = size
        }
      }
    }
  }
  return largest
}

const SIZES: Readonly<Record<ImageKind, (view: DataView) => Size>> = {
  jpeg: jpegSize,
  png: pngSize,
  webp: webpSize,
  gif: gifSize,
  avif: avifSize,
}
