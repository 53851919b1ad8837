/**
 * One entropy tile: at most 32 x 32 positions of 768 symbols.
 *
 *   active/16 (1) ‖ raw bit bytes, u24 little-endian (3) ‖ raw bits: signs and escapes ‖ rANS state and bytes
 *
 * Channels from `active` on are silent: their symbols are all zero and cost nothing.
 */
import { TileContext, SYMBOL_MAX, SYMBOL_UNIT, type ContextModel } from './context-model'
import type { TableBank } from './entropy-tables'
import { damaged } from './errors'
import { BitReader, BitWriter, RansDecoder, ransEncode } from './rans'
import { LATENTS } from './weights'

const ACTIVE_UNIT = 16
const HEAD = 4

/** Symbols of a tile in sixteenths, [positions, 768]; those from `active` on are zero. */
export interface TileSymbols {
  readonly symbols: Int16Array
  readonly active: number
  /** Positions in a row. */
  readonly width: number
}

/** Bits that a unit of squared error (in squared steps) is worth; 1 / 0.13 in training, less by measurement. */
const BITS_PER_SQUARED_STEP = 1 / 0.1

/** Magnitude whose rate and distortion are least: the lower or the upper neighbour of |value|. */
function chooseMagnitude(value: number, bits: Float32Array, from: number, size: number): number {
  const low = Math.floor(value)
  const escape = size - 1
  if (low + 1 >= escape) return Math.min(SYMBOL_MAX, Math.floor(value + 0.5))
  const rate = bits[from + low + 1]! - bits[from + low]!
  const rest = value - low
  return (2 * rest - 1) * BITS_PER_SQUARED_STEP > rate ? low + 1 : low
}

/**
 * Chooses and codes the symbols of y [positions, 768], in steps, positions row by row.
 * `observe` sees every coded magnitude with its table (for fitting tables).
 */
export function encodeTile(
  model: ContextModel,
  bank: TableBank,
  y: Float32Array,
  width: number,
  height: number,
  observe?: (table: number, magnitude: number, value: number) => void,
): Uint8Array {
  const active = activeChannels(y)
  const context = new TileContext(model, width, height, active)
  const starts = new Uint16Array(width * height * active)
  const frequencies = new Uint16Array(starts.length)
  const raw = new BitWriter()
  const { cdf, from, size, bits } = bank
  let count = 0
  for (let position = 0; position < width * height; position++) {
    const x = position % width
    context.start(x, (position - x) / width)
    const at = position * LATENTS
    for (let c = 0; c < active; c++) {
      const mean = context.mean(c)
      const table = context.table(c)
      const value = y[at + c]! - mean / SYMBOL_UNIT
      const distance = value < 0 ? -value : value
      const first = from[table]!
      const magnitude = distance < 0.5 ? 0 : chooseMagnitude(distance, bits, first, size[table]!)
      const escape = size[table]! - 1
      const entry = magnitude < escape ? magnitude : escape
      starts[count] = cdf[first + entry]!
      frequencies[count] = cdf[first + entry + 1]! - cdf[first + entry]!
      count++
      if (entry === escape) raw.pushGolomb(magnitude - escape)
      if (magnitude !== 0) raw.push(value < 0 ? 1 : 0, 1)
      context.put(c, value < 0 ? -magnitude : magnitude, mean)
      observe?.(table, magnitude, distance)
    }
    context.finish()
  }
  const rawBytes = raw.finish()
  const coded = ransEncode(starts, frequencies, count)
  const out = new Uint8Array(HEAD + rawBytes.length + coded.length)
  out.set([active / ACTIVE_UNIT, rawBytes.length & 255, (rawBytes.length >> 8) & 255, rawBytes.length >> 16])
  out.set(rawBytes, HEAD)
  out.set(coded, HEAD + rawBytes.length)
  return out
}

/** Restores the symbols of a tile. Throws CodecError 'damaged' unless every byte is accounted for. */
export function decodeTile(
  model: ContextModel,
  bank: TableBank,
  bytes: Uint8Array,
  width: number,
  height: number,
): TileSymbols {
  if (bytes.length < HEAD + 4) throw damaged('a tile is cut short')
  const active = bytes[0]! * ACTIVE_UNIT
  if (active > LATENTS) throw damaged('a tile names too many channels')
  const rawLength = bytes[1]! | (bytes[2]! << 8) | (bytes[3]! << 16)
  if (HEAD + rawLength + 4 > bytes.length) throw damaged('the raw bits run past the tile')
  const raw = new BitReader(bytes.subarray(HEAD, HEAD + rawLength))
  const coder = new RansDecoder(bytes.subarray(HEAD + rawLength))
  const context = new TileContext(model, width, height, active)
  const { cdf, from, size } = bank
  for (let position = 0; position < width * height; position++) {
    const x = position % width
    context.start(x, (position - x) / width)
    for (let c = 0; c < active; c++) {
      const mean = context.mean(c)
      const table = context.table(c)
      let residual = coder.symbol(cdf, from[table]!, size[table]!)
      if (residual === size[table]! - 1) residual += raw.golomb()
      if (residual !== 0 && raw.bit() === 1) residual = -residual
      context.put(c, residual, mean)
    }
    context.finish()
  }
  coder.end()
  raw.end()
  return { symbols: context.symbols, active, width }
}

/** Smallest multiple of 16 channels after which every |y| rounds to zero. */
function activeChannels(y: Float32Array): number {
  let last = 0
  for (let at = 0; at < y.length; at += LATENTS) {
    for (let c = LATENTS - 1; c >= last; c--) {
      if (Math.abs(y[at + c]!) >= 0.5) {
        last = c + 1
        break
      }
    }
  }
  return Math.ceil(last / ACTIVE_UNIT) * ACTIVE_UNIT
}
