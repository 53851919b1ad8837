/**
 * The coded picture, little-endian:
 *
 *   magic "SLI1" 4 · width u32 · height u32 · quality u8 · flags u8 · reserved u16 (zero)
 *   alpha length u32 (where flags has ALPHA) · tile lengths, u32 each, row by row
 *   alpha · tiles
 *
 * flags: bit 0 alpha, bit 1 Display-P3 (else sRGB); the others are zero. Tiles are ENTROPY_TILE pixels a side, smaller
 * at the right and lower edge. The model that reads it is named by the artifact, not here.
 */
import { CodecError, damaged } from './errors'
import { QUALITY_MAX } from './quality'
import { ENTROPY_TILE, type BitstreamHeader } from './types'

const MAGIC = [0x53, 0x4c, 0x49, 0x31]
const FIXED = 16
const FLAG_ALPHA = 1
const FLAG_P3 = 2

/** Largest picture that is coded or decoded. */
const MAX_PIXELS = 200_000_000
const MAX_SIDE = 1 << 20

export interface TileGrid {
  readonly columns: number
  readonly rows: number
}

export function tileGrid(width: number, height: number): TileGrid {
  return { columns: Math.ceil(width / ENTROPY_TILE), rows: Math.ceil(height / ENTROPY_TILE) }
}

/** Throws CodecError 'too-large' for what this codec does not take. */
export function checkSize(width: number, height: number): void {
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS)
    throw new CodecError('too-large', 'The picture has no pixels or more than 200 megapixels.')
}

export interface ParsedBitstream {
  readonly header: BitstreamHeader
  readonly grid: TileGrid
  readonly alpha: Uint8Array | null
  readonly tiles: readonly Uint8Array[]
}

/** Bytes of a coded picture without its tiles. */
export function overheadBytes(alpha: Uint8Array | null, tiles: number): number {
  return FIXED + 4 * tiles + (alpha === null ? 0 : 4 + alpha.length)
}

export function assembleBitstream(
  header: BitstreamHeader,
  alpha: Uint8Array | null,
  tiles: readonly Uint8Array[],
): Uint8Array {
  const grid = tileGrid(header.width, header.height)
  if (tiles.length !== grid.columns * grid.rows) throw new CodecError('bad-argument', 'Tiles are missing.')
  const lengths = alpha === null ? [] : [alpha.length]
  for (const tile of tiles) lengths.push(tile.length)
  const out = new Uint8Array(overheadBytes(alpha, tiles.length) + tiles.reduce((sum, t) => sum + t.length, 0))
  const view = new DataView(out.buffer)
  out.set(MAGIC)
  view.setUint32(4, header.width, true)
  view.setUint32(8, header.height, true)
  out[12] = header.quality
  out[13] = (alpha === null ? 0 : FLAG_ALPHA) | (header.colorSpace === 'display-p3' ? FLAG_P3 : 0)
  let at = FIXED
  for (const length of lengths) {
    view.setUint32(at, length, true)
    at += 4
  }
  for (const part of alpha === null ? tiles : [alpha, ...tiles]) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Bounded: allocates no more than the directory that the bytes themselves hold. */
export function parseBitstream(bytes: Uint8Array): ParsedBitstream {
  if (bytes.length < FIXED) throw damaged('it is cut short')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw damaged('it does not begin as one')
  const width = view.getUint32(4, true)
  const height = view.getUint32(8, true)
  const quality = bytes[12]!
  const flags = bytes[13]!
  checkSize(width, height)
  if (quality > QUALITY_MAX) throw damaged('its quality is out of range')
  if (flags & ~(FLAG_ALPHA | FLAG_P3))
    throw new CodecError('unsupported', 'The picture needs a newer version.')
  if (bytes[14] !== 0 || bytes[15] !== 0) throw damaged('reserved bytes are set')
  const hasAlpha = (flags & FLAG_ALPHA) !== 0
  const grid = tileGrid(width, height)
  const count = grid.columns * grid.rows + (hasAlpha ? 1 : 0)
  if (FIXED + 4 * count > bytes.length) throw damaged('its directory is cut short')
  let at = FIXED + 4 * count
  const parts: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(FIXED + 4 * i, true)
    if (length > bytes.length - at) throw damaged('a part runs past the end')
    parts.push(bytes.subarray(at, at + length))
    at += length
  }
  if (at !== bytes.length) throw damaged('bytes are left over')
  const colorSpace = (flags & FLAG_P3) !== 0 ? 'display-p3' : 'srgb'
  return {
    header: { width, height, hasAlpha, colorSpace, quality },
    grid,
    alpha: hasAlpha ? parts[0]! : null,
    tiles: hasAlpha ? parts.slice(1) : parts,
  }
}
