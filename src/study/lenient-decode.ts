/**
 * A decoder that takes anything for a coded picture, for studies of what wrong keys give: it checks nothing, fills what
 * is missing with noise, and shows what comes out. The product's decoder refuses such bytes.
 */
import * as tf from '@tensorflow/tfjs-core'
import { parseBitstream, type ParsedBitstream } from '../codec/bitstream'
import { writeQuarters } from '../codec/blocks'
import { contextModelAt, SYMBOL_UNIT } from '../codec/context-model'
import { buildTableBank } from '../codec/entropy-tables'
import { BitReader, RansDecoder, startsInRange } from '../codec/rans'
import { SplitCounts } from '../codec/splits/split-coder'
import { SPLITS } from '../codec/splits/split-model'
import { TileContext } from '../codec/tile-context'
import { synthesize, transformAt } from '../codec/transform'
import type { RasterImage } from '../codec/types'
import { BLOCK, LATENTS, type CodecConfig, type CodecWeights } from '../codec/weights'
import { makePrng } from '../lib/prng'

const TILE_HEAD = 4
const SPLIT_HEAD = 2
const NOISE_BYTES = 1 << 17

/** What the decoder is granted of a picture of one tile: its header, how many channels speak, how long each part is. */
export interface Granted {
  readonly header: ParsedBitstream['header']
  readonly active: number
  readonly rawBytes: number
  readonly splitBytes: number
  /** Where the tile's parts begin in the bitstream. */
  readonly offset: number
}

/** Of a picture that a model with this config coded. */
export function grantedOf(bitstream: Uint8Array, { splits }: CodecConfig): Granted {
  const { header, tiles } = parseBitstream(bitstream)
  const [tile, another] = tiles
  if (tile === undefined || another !== undefined)
    throw new RangeError('The study takes pictures of one tile.')
  return {
    header,
    active: 16 * tile[0]!,
    rawBytes: tile[1]! | (tile[2]! << 8) | (tile[3]! << 16),
    splitBytes: splits === undefined ? 0 : tile[TILE_HEAD]! | (tile[TILE_HEAD + 1]! << 8),
    offset: tile.byteOffset - bitstream.byteOffset + TILE_HEAD + (splits === undefined ? 0 : SPLIT_HEAD),
  }
}

/** The picture that these bytes give under these weights, whatever they are. Deterministic in `seed`. */
export async function decodeAnything(
  weights: CodecWeights,
  granted: Granted,
  bytes: Uint8Array,
  seed: number,
): Promise<RasterImage> {
  const { header } = granted
  const across = Math.ceil(header.width / BLOCK)
  const down = Math.ceil(header.height / BLOCK)
  const symbols = readSymbols(weights, granted, bytes, across, down, seed)
  const values = new Float32Array(across * down * LATENTS)
  const channels = symbols.length / (across * down)
  for (let position = 0; position < across * down; position++)
    for (let c = 0; c < channels; c++)
      values[position * LATENTS + c] = symbols[position * channels + c]! / SYMBOL_UNIT
  const transform = transformAt(weights, header.quality)
  const quarters = tf.tidy(() => synthesize(transform, tf.tensor4d(values, [1, down, across, LATENTS])))
  const pixels = (await quarters.data()) as Float32Array
  quarters.dispose()
  transform.dispose()
  const data = new Uint8ClampedArray(4 * header.width * header.height).fill(255)
  const window = { left: 0, top: 0, right: header.width, bottom: header.height }
  writeQuarters(pixels, 4 * across, 0, 0, data, header.width, window)
  return { ...header, hasAlpha: false, data }
}

/** [positions, channels that are not silent]. */
function readSymbols(
  weights: CodecWeights,
  { header, active, rawBytes, splitBytes, offset }: Granted,
  bytes: Uint8Array,
  across: number,
  down: number,
  seed: number,
): Int16Array {
  const bank = buildTableBank(weights.tables)
  const model = contextModelAt(weights, header.quality)
  const begin = offset + splitBytes
  const named = withNoise(bytes.subarray(offset, begin), seed + 2)
  const splits = splitBytes === 0 ? null : readSplits(named, across, down, model.splits!.prior)
  const context = new TileContext(model, across, down, active, splits)
  const raw = new BitReader(withNoise(bytes.subarray(begin, begin + rawBytes), seed))
  const coded = withNoise(bytes.subarray(begin + rawBytes), seed + 1)
  const coder = startAnyhow(coded)
  const golomb = (): number => {
    try {
      return raw.golomb()
    } catch {
      return 0
    }
  }
  for (let position = 0; position < across * down; position++) {
    const x = position % across
    context.start(x, (position - x) / across)
    for (let c = 0; c < active; c++) {
      const mean = context.mean(c)
      const table = context.table(c)
      const size = bank.size[table]!
      let residual = coder.symbol(bank.cdf, bank.from[table]!, size)
      if (residual === size - 1) residual += golomb()
      if (residual !== 0 && raw.bit() === 1) residual = -residual
      context.put(c, residual, mean)
    }
    context.finish()
  }
  return context.symbols
}

function readSplits(bytes: Uint8Array, across: number, down: number, prior: Int32Array): Uint8Array {
  const coder = startAnyhow(bytes)
  const counts = new SplitCounts(prior)
  const splits = new Uint8Array(across * down)
  splits.forEach((_, position) => {
    counts.look(splits, across, position)
    splits[position] = coder.symbol(counts.cdf, 0, SPLITS)
    counts.learn(splits[position])
  })
  return splits
}

/** Changes the first byte where no coder ends with it. */
function startAnyhow(bytes: Uint8Array): RansDecoder {
  if (!startsInRange(bytes)) bytes[0] = 64
  return new RansDecoder(bytes)
}

function withNoise(bytes: Uint8Array, seed: number): Uint8Array {
  const prng = makePrng(seed)
  const out = Uint8Array.from({ length: bytes.length + NOISE_BYTES }, () => prng.nextBelow(256))
  out.set(bytes)
  return out
}
