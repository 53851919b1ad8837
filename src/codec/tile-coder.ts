/**
 * One entropy tile: at most 32 x 32 positions of 768 symbols.
 *
 *   active/16 (1) ‖ raw bit bytes, u24 little-endian (3) ‖ [split bytes, u16 little-endian (2) ‖ splits]
 *     ‖ raw bits: signs and escapes ‖ rANS state and bytes
 *
 * What is in brackets, the transforms of the positions (splits/split-coder.ts), is there where the model has splits.
 * Channels from `active` on are silent: their symbols are all zero and cost nothing. The symbols are coded by the
 * WebAssembly kernel, or by the same arithmetic in TypeScript where there is none or the caller watches.
 */
import { SYMBOL_MAX, SYMBOL_UNIT, type ContextModel } from './context-model'
import { DECODED, type EntropyKernel } from './kernel/entropy-kernel'
import type { TableBank } from './entropy-tables'
import { damaged } from './errors'
import { DEFAULT_QUALITY } from './quality'
import { BitReader, BitWriter, endRaw, LOWER, RansDecoder, ransEncode, startsInRange } from './rans'
import { chooseMagnitude, worthsAt } from './symbol-choice'
import { decodeSplits, encodeSplits } from './splits/split-coder'
import { Splitter } from './splits/split-choice'
import type { SplitModel } from './splits/split-model'
import { TileContext } from './tile-context'
import { LATENTS } from './weights'

/** Channels fall silent in groups of this many. */
export const ACTIVE_UNIT = 16
const HEAD = 4
const SPLIT_HEAD = 2
const USUAL_WORTH = worthsAt(DEFAULT_QUALITY, 1)[0]!

/** What codes tiles: a context model at one quality, the tables, and the kernel that holds both. */
export interface TileEntropy {
  readonly model: ContextModel
  readonly bank: TableBank
  readonly kernel: EntropyKernel | null
}

/** Symbols of a tile in sixteenths, [positions, active]; those from `active` on are zero. */
export interface TileSymbols {
  readonly symbols: Int16Array
  readonly active: number
  /** Positions in a row. */
  readonly width: number
}

export interface TileChoices {
  /**
   * Residual symbols to code, [positions, 768], instead of choosing them from y; at most SYMBOL_MAX in magnitude.
   * Channels that are all zero from some channel on are silent: their means count as zero too.
   */
  readonly chosen?: Int16Array
  /** Splits of the positions; null or none where all are whole. `chosen` are then symbols of those transforms. */
  readonly splits?: Uint8Array | null
  /** Bits that a unit of squared error is worth in the fast choice, a float32; that of a quality in the middle unless told. */
  readonly worth?: number
  /** Sees every coded magnitude with its table and distance (for fitting tables). */
  readonly observe?: (table: number, magnitude: number, distance: number) => void
}

/**
 * Chooses and codes the symbols of y [positions, 768], in steps, positions row by row. Clips y; y may be the kernel's
 * own array, which is then spent.
 */
export function encodeTile(
  entropy: TileEntropy,
  y: Float32Array,
  width: number,
  height: number,
  choices: TileChoices = {},
): Uint8Array {
  const { kernel, model } = entropy
  const values = y.subarray(0, width * height * LATENTS)
  const splits = model.splits === null ? null : (choices.splits ?? null)
  const tile = { width, height, splits }
  const { active, raw, coded } =
    kernel === null || choices.observe !== undefined
      ? encodeInTypeScript(entropy, values, tile, choices)
      : encodeInKernel(kernel, model, values, tile, choices)
  const named = model.splits === null ? new Uint8Array(0) : splitSection(splits, width, model.splits.prior)
  const out = new Uint8Array(HEAD + named.length + raw.length + coded.length)
  out.set([active / ACTIVE_UNIT, raw.length & 255, (raw.length >> 8) & 255, raw.length >> 16])
  out.set(named, HEAD)
  out.set(raw, HEAD + named.length)
  out.set(coded, HEAD + named.length + raw.length)
  return out
}

function splitSection(splits: Uint8Array | null, width: number, prior: Int32Array): Uint8Array {
  const bytes = splits === null ? new Uint8Array(0) : encodeSplits(splits, width, prior)
  return Uint8Array.of(bytes.length & 255, bytes.length >> 8, ...bytes)
}

interface TileSize {
  readonly width: number
  readonly height: number
  readonly splits: Uint8Array | null
}

interface TileShape extends TileSize {
  readonly active: number
}

interface CodedParts {
  readonly active: number
  readonly raw: Uint8Array
  readonly coded: Uint8Array
}

function encodeInKernel(
  kernel: EntropyKernel,
  model: ContextModel,
  y: Float32Array,
  { width, height, splits }: TileSize,
  { chosen, worth = USUAL_WORTH }: TileChoices,
): CodedParts {
  kernel.use(model)
  if (y.buffer !== kernel.y.buffer) kernel.y.set(y)
  if (splits !== null && chosen === undefined) kernel.split(splits)
  const rounding = kernel.prepare(width * height)
  if (chosen !== undefined) kernel.chosen.set(chosen)
  const active = chosen === undefined ? rounding : activeChannels(chosen)
  return { active, ...kernel.encode({ width, height, active }, chosen !== undefined, worth, splits) }
}

function encodeInTypeScript(
  { model, bank }: TileEntropy,
  y: Float32Array,
  { width, height, splits }: TileSize,
  { chosen, observe, worth = USUAL_WORTH }: TileChoices,
): CodedParts {
  if (splits !== null && chosen === undefined) splitAll(model.splits!, splits, y)
  // NaN, which no picture gives, would fail both comparisons and must not reach the coder.
  y.forEach(
    (value, i) => (y[i] = value > SYMBOL_MAX ? SYMBOL_MAX : value > -SYMBOL_MAX ? value : -SYMBOL_MAX),
  )
  const active = activeChannels(chosen ?? y)
  const context = new TileContext(model, width, height, active, splits)
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
      const value = chosen === undefined ? y[at + c]! - mean / SYMBOL_UNIT : chosen[at + c]!
      const distance = value < 0 ? -value : value
      const first = from[table]!
      const magnitude =
        chosen !== undefined ? distance : chooseMagnitude(distance, bits, first, size[table]!, worth)
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
  return { active, raw: raw.finish(), coded: ransEncode(starts, frequencies, count) }
}

/**
 * Restores the symbols of a tile, into `room` where that is large enough. Throws CodecError 'damaged' unless every byte
 * is accounted for.
 */
export function decodeTile(
  entropy: TileEntropy,
  bytes: Uint8Array,
  width: number,
  height: number,
  room?: Int16Array,
): TileSymbols {
  if (bytes.length < HEAD + 4) throw damaged('a tile is cut short')
  const active = bytes[0]! * ACTIVE_UNIT
  if (active > LATENTS) throw damaged('a tile names too many channels')
  const rawLength = bytes[1]! | (bytes[2]! << 8) | (bytes[3]! << 16)
  const { splits, next } = readSplits(entropy.model, bytes, width, height)
  if (next + rawLength + 4 > bytes.length) throw damaged('the raw bits run past the tile')
  const raw = bytes.subarray(next, next + rawLength)
  const coded = bytes.subarray(next + rawLength)
  const tile = { width, height, active, splits }
  const count = width * height * (splits === null ? active : LATENTS)
  const symbols = room !== undefined && room.length >= count ? room.subarray(0, count) : new Int16Array(count)
  if (entropy.kernel === null) decodeInTypeScript(entropy, raw, coded, tile, symbols)
  else decodeInKernel(entropy.kernel, entropy.model, raw, coded, tile, symbols)
  return splits === null ? { symbols, active, width } : { ...withoutSilent(symbols), width }
}

/** The splits of a tile, and where what follows them begins. */
function readSplits(
  { splits: model }: ContextModel,
  bytes: Uint8Array,
  width: number,
  height: number,
): { splits: Uint8Array | null; next: number } {
  if (model === null) return { splits: null, next: HEAD }
  if (bytes.length < HEAD + SPLIT_HEAD) throw damaged('a tile is cut short')
  const next = HEAD + SPLIT_HEAD + bytes[HEAD]! + (bytes[HEAD + 1]! << 8)
  if (next > bytes.length) throw damaged('the splits run past the tile')
  const splits = decodeSplits(bytes.subarray(HEAD + SPLIT_HEAD, next), width, height, model.prior)
  return { splits, next }
}

/** Symbols [positions, 768] moved together in place, so that only channels that are not silent take room. */
function withoutSilent(symbols: Int16Array): { symbols: Int16Array; active: number } {
  const active = activeChannels(symbols)
  const positions = symbols.length / LATENTS
  for (let position = 0; position < positions; position++)
    symbols.copyWithin(position * active, position * LATENTS, position * LATENTS + active)
  return { symbols: symbols.subarray(0, positions * active), active }
}

function decodeInKernel(
  kernel: EntropyKernel,
  model: ContextModel,
  raw: Uint8Array,
  coded: Uint8Array,
  tile: TileShape,
  out: Int16Array,
): void {
  if (raw.length + coded.length > kernel.input.length) throw damaged('a tile is too long')
  if (!startsInRange(coded)) throw damaged('the first state is out of range')
  kernel.use(model)
  kernel.input.set(raw)
  kernel.input.set(coded, raw.length)
  const { status, symbols, coderState, overrun, rawBits } = kernel.decode(
    tile,
    raw.length,
    coded.length,
    tile.splits,
  )
  if (status === DECODED.rawCut) throw damaged('the raw bits are cut short')
  if (status === DECODED.rawRange) throw damaged('an escaped value is out of range')
  if (coderState !== LOWER || overrun !== 0) throw damaged('the symbols do not end where they should')
  endRaw(raw, rawBits)
  out.set(symbols)
}

function decodeInTypeScript(
  { model, bank }: TileEntropy,
  rawBytes: Uint8Array,
  coded: Uint8Array,
  { width, height, active, splits }: TileShape,
  out: Int16Array,
): void {
  const raw = new BitReader(rawBytes)
  const coder = new RansDecoder(coded)
  const context = new TileContext(model, width, height, active, splits)
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
  out.set(context.symbols)
}

/** Splits the positions of y [positions, 768], all whole. */
function splitAll(model: SplitModel, splits: Uint8Array, y: Float32Array): void {
  const splitter = new Splitter(model)
  splits.forEach((split, position) => {
    const latents = y.subarray(position * LATENTS, (position + 1) * LATENTS)
    if (split !== 0) splitter.split(split, latents, latents)
  })
}

/** Smallest multiple of 16 channels after which everything rounds to zero. */
function activeChannels(values: Float32Array | Int16Array): number {
  let last = 0
  for (let at = 0; at < values.length; at += LATENTS) {
    for (let c = LATENTS - 1; c >= last; c--) {
      const value = values[at + c]!
      if (value >= 0.5 || value <= -0.5) {
        last = c + 1
        break
      }
    }
  }
  return Math.ceil(last / ACTIVE_UNIT) * ACTIVE_UNIT
}
