/**
 * The image codec over one set of weights: bands of a picture to coded tiles and back. The caller has chosen and
 * readied the TensorFlow.js backend; everything here runs on it.
 */
import * as tf from '@tensorflow/tfjs-core'
import { decodeAlpha, encodeAlpha } from './alpha'
import { assembleBitstream, checkSize, parseBitstream, tileGrid, type ParsedBitstream } from './bitstream'
import { readBlocks, writeQuarters, type BlockRegion } from './blocks'
import { contextModelAt, SYMBOL_MAX, SYMBOL_UNIT } from './context-model'
import { createEntropyKernel, type EntropyKernel } from './entropy-kernel'
import { buildTableBank } from './entropy-tables'
import { CodecError } from './errors'
import { QUALITY_MAX } from './quality'
import { decodeTile, encodeTile, type TileChoices, type TileEntropy, type TileSymbols } from './tile-coder'
import {
  analyze,
  analyzeLinear,
  HALO_BLOCKS,
  synthesize,
  transformAt,
  type QualityTransform,
} from './transform'
import { ENTROPY_TILE, type Band, type Codec, type EncodeOptions, type RasterImage } from './types'
import { BLOCK, LATENTS, type CodecWeights } from './weights'

const TILE_BLOCKS = ENTROPY_TILE / BLOCK
/** Entropy tiles side by side in one run of the networks. */
const TILES_PER_RUN = 2
/** Input channels of a run are rounded up to this, so that few shapes occur. */
const CHANNEL_UNIT = 64

interface QualityState {
  readonly quality: number
  readonly transform: QualityTransform
  readonly entropy: TileEntropy
}

export interface CodecParts {
  /** 'typescript' does without the WebAssembly kernel, to the same bytes. */
  readonly entropy?: 'kernel' | 'typescript'
  /** How every tile's symbols are chosen or watched, instead of the fast choice. */
  readonly choices?: TileChoices
}

export function createCodec(weights: CodecWeights, parts: CodecParts = {}): Codec {
  const bank = buildTableBank(weights.tables)
  let state: QualityState | null = null
  let kernelOnce: Promise<EntropyKernel | null> | undefined
  /** Where y of a tile is gathered, and symbols of tiles that have passed, for the next ones. */
  let scratch: Float32Array | undefined
  const spare: Int16Array[] = []

  const loadKernel = (): Promise<EntropyKernel | null> =>
    (kernelOnce ??=
      parts.entropy === 'typescript'
        ? Promise.resolve(null)
        : createEntropyKernel(weights.config, contextModelAt(weights, 0), bank))

  /** Folded weights of the last quality are kept: photos of one import share it. */
  function at(quality: number, kernel: EntropyKernel | null): QualityState {
    if (state?.quality === quality) return state
    state?.transform.dispose()
    state = {
      quality,
      transform: transformAt(weights, quality),
      entropy: { model: contextModelAt(weights, quality), bank, kernel },
    }
    return state
  }

  const runs = (columns: number): number[] =>
    Array.from({ length: Math.ceil(columns / TILES_PER_RUN) }, (_, i) => i * TILES_PER_RUN)

  async function encodeBand(
    rows: RasterImage,
    firstRow: number,
    imageHeight: number,
    band: Band,
    options: EncodeOptions,
  ): Promise<Uint8Array[]> {
    checkQuality(options.quality)
    const kernel = await loadKernel()
    const { transform, entropy } = at(options.quality, kernel)
    const y = kernel?.y ?? (scratch ??= new Float32Array(TILE_BLOCKS * TILE_BLOCKS * LATENTS))
    const size = { width: rows.width, height: imageHeight }
    const grid = tileGrid(size.width, size.height)
    const tiles: Uint8Array[] = []
    const tileRows = tileRowsOf(band)
    for (let row = tileRows.from; row < tileRows.to; row++) {
      for (const column of runs(grid.columns)) {
        options.signal?.throwIfAborted()
        const core = runRegion(size, column, row)
        const region = options.effort === 'best' ? withHalo(size, core) : core
        const blocks = readBlocks(rows, firstRow, region)
        const result = tf.tidy(() => {
          const input = tf.tensor4d(blocks, [1, region.height, region.width, LATENTS])
          return options.effort === 'best' ? analyze(transform, input) : [analyzeLinear(transform, input)]
        })
        const [linear, correction = new Float32Array(0)] = await Promise.all(result.map(readBack))
        const corrected = correction.length / (region.width * region.height)
        for (let tile = column; tile < Math.min(grid.columns, column + TILES_PER_RUN); tile++) {
          const part = tileRegion(size, tile, row)
          gather(linear!, correction, corrected, region, part, y)
          tiles.push(encodeTile(entropy, y, part.width, part.height, parts.choices))
        }
        const done = (row - tileRows.from) * grid.columns + Math.min(grid.columns, column + TILES_PER_RUN)
        options.onProgress?.(done / ((tileRows.to - tileRows.from) * grid.columns))
      }
    }
    return tiles
  }

  async function encode(image: RasterImage, options: EncodeOptions): Promise<Uint8Array> {
    const { width, height, hasAlpha, colorSpace } = image
    checkSize(width, height)
    if (image.data.length !== 4 * width * height)
      throw new CodecError('bad-argument', 'The pixels do not fill the picture.')
    const tiles = await encodeBand(image, 0, height, { y0: 0, y1: height }, options)
    const alpha = hasAlpha ? encodeAlpha(image.data, width, height) : null
    return assembleBitstream({ width, height, hasAlpha, colorSpace, quality: options.quality }, alpha, tiles)
  }

  /** Symbols of tile rows, decoded once each and dropped when the band has passed. */
  function symbolRows(parsed: ParsedBitstream, entropy: TileEntropy): (row: number) => TileSymbols[] {
    const kept = new Map<number, TileSymbols[]>()
    return (row) => {
      for (const [old, tiles] of kept) {
        if (old >= row - 2) continue
        spare.push(...tiles.map((tile) => tile.symbols))
        kept.delete(old)
      }
      let symbols = kept.get(row)
      if (symbols === undefined) {
        symbols = Array.from({ length: parsed.grid.columns }, (_, column) => {
          const part = tileRegion(parsed.header, column, row)
          const bytes = parsed.tiles[row * parsed.grid.columns + column]!
          return decodeTile(entropy, bytes, part.width, part.height, spare.pop())
        })
        kept.set(row, symbols)
      }
      return symbols
    }
  }

  async function decodeRows(
    parsed: ParsedBitstream,
    band: Band,
    signal?: AbortSignal,
    onProgress?: (fraction: number) => void,
  ): Promise<RasterImage> {
    const { header, grid } = parsed
    const { transform, entropy } = at(header.quality, await loadKernel())
    const rowsOf = symbolRows(parsed, entropy)
    const y1 = Math.min(band.y1, header.height)
    const data = new Uint8ClampedArray(4 * header.width * (y1 - band.y0))
    const tileRows = tileRowsOf(band)
    for (let row = tileRows.from; row < tileRows.to; row++) {
      for (const column of runs(grid.columns)) {
        signal?.throwIfAborted()
        const core = runRegion(header, column, row)
        const region = withHalo(header, core)
        const { values, channels } = collect(rowsOf, region)
        const quarters = tf.tidy(() =>
          synthesize(transform, tf.tensor4d(values, [1, region.height, region.width, channels])),
        )
        const pixels = await readBack(quarters)
        writeQuarters(pixels, 4 * region.width, core.x - region.x, core.y - region.y, data, header.width, {
          left: core.x * BLOCK,
          top: core.y * BLOCK - band.y0,
          right: Math.min(header.width, (core.x + core.width) * BLOCK),
          bottom: Math.min(y1, (core.y + core.height) * BLOCK) - band.y0,
        })
        onProgress?.(
          ((row - tileRows.from) * grid.columns + Math.min(grid.columns, column + TILES_PER_RUN)) /
            ((tileRows.to - tileRows.from) * grid.columns),
        )
      }
    }
    if (parsed.alpha !== null) {
      const plane = decodeAlpha(parsed.alpha, header.width, header.height)
      const from = band.y0 * header.width
      for (let i = 0; i < data.length / 4; i++) data[4 * i + 3] = plane[from + i]!
    }
    const { width, hasAlpha, colorSpace } = header
    return { width, height: y1 - band.y0, hasAlpha, colorSpace, data }
  }

  return {
    get backend() {
      return tf.getBackend() as Codec['backend']
    },
    encode,
    encodeBand,
    decode: (bitstream, options) => {
      const parsed = parseBitstream(bitstream)
      const whole = { y0: 0, y1: parsed.header.height }
      return decodeRows(parsed, whole, options?.signal, options?.onProgress)
    },
    decodeBand: (bitstream, band, options) => decodeRows(parseBitstream(bitstream), band, options?.signal),
    dispose: () => {
      state?.transform.dispose()
      state = null
    },
  }
}

interface Size {
  readonly width: number
  readonly height: number
}

function checkQuality(quality: number): void {
  if (!Number.isInteger(quality) || quality < 0 || quality > QUALITY_MAX)
    throw new CodecError('bad-argument', `Quality is a whole number from 0 to ${QUALITY_MAX}.`)
}

/** Tile rows of a band; a band begins at a tile row. */
function tileRowsOf(band: Band): { from: number; to: number } {
  if (band.y0 % ENTROPY_TILE !== 0 || band.y1 <= band.y0)
    throw new CodecError('bad-argument', 'A band begins at a row of tiles.')
  return { from: band.y0 / ENTROPY_TILE, to: Math.ceil(band.y1 / ENTROPY_TILE) }
}

const blocksOf = (pixels: number): number => Math.ceil(pixels / BLOCK)

function tileRegion(size: Size, column: number, row: number): BlockRegion {
  const x = column * TILE_BLOCKS
  const y = row * TILE_BLOCKS
  return {
    x,
    y,
    width: Math.min(TILE_BLOCKS, blocksOf(size.width) - x),
    height: Math.min(TILE_BLOCKS, blocksOf(size.height) - y),
  }
}

function runRegion(size: Size, column: number, row: number): BlockRegion {
  const first = tileRegion(size, column, row)
  const width = Math.min(TILES_PER_RUN * TILE_BLOCKS, blocksOf(size.width) - first.x)
  return { ...first, width }
}

function withHalo(size: Size, core: BlockRegion): BlockRegion {
  const x = Math.max(0, core.x - HALO_BLOCKS)
  const y = Math.max(0, core.y - HALO_BLOCKS)
  return {
    x,
    y,
    width: Math.min(blocksOf(size.width), core.x + core.width + HALO_BLOCKS) - x,
    height: Math.min(blocksOf(size.height), core.y + core.height + HALO_BLOCKS) - y,
  }
}

async function readBack(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return (await tensor.data()) as Float32Array
  } finally {
    tensor.dispose()
  }
}

/** Writes to y the symbols before rounding of one tile, [positions, 768], clipped to what can be coded. */
function gather(
  linear: Float32Array,
  correction: Float32Array,
  corrected: number,
  region: BlockRegion,
  part: BlockRegion,
  y: Float32Array,
): void {
  for (let py = 0; py < part.height; py++) {
    for (let px = 0; px < part.width; px++) {
      const from = (part.y - region.y + py) * region.width + (part.x - region.x + px)
      const to = (py * part.width + px) * LATENTS
      for (let c = 0; c < LATENTS; c++) {
        const value = linear[from * LATENTS + c]! + (c < corrected ? correction[from * corrected + c]! : 0)
        // NaN, which no picture gives, would fail both comparisons and must not reach the coder.
        y[to + c] = value > SYMBOL_MAX ? SYMBOL_MAX : value > -SYMBOL_MAX ? value : -SYMBOL_MAX
      }
    }
  }
}

/** Dequantized symbols of a region from its tiles, only the channels that any of them uses. */
function collect(
  rowsOf: (row: number) => TileSymbols[],
  region: BlockRegion,
): { values: Float32Array; channels: number } {
  const bottom = region.y + region.height
  const right = region.x + region.width
  const parts: { tile: TileSymbols; x: number; y: number }[] = []
  let active = 1
  for (let row = Math.floor(region.y / TILE_BLOCKS); row * TILE_BLOCKS < bottom; row++) {
    const tiles = rowsOf(row)
    for (let column = Math.floor(region.x / TILE_BLOCKS); column * TILE_BLOCKS < right; column++) {
      const tile = tiles[column]!
      active = Math.max(active, tile.active)
      parts.push({ tile, x: column * TILE_BLOCKS, y: row * TILE_BLOCKS })
    }
  }
  const channels = Math.min(LATENTS, Math.ceil(active / CHANNEL_UNIT) * CHANNEL_UNIT)
  const values = new Float32Array(region.width * region.height * channels)
  for (const { tile, x, y } of parts) {
    const stride = tile.width
    for (let by = Math.max(y, region.y); by < Math.min(y + TILE_BLOCKS, bottom); by++) {
      for (let bx = Math.max(x, region.x); bx < Math.min(x + TILE_BLOCKS, right); bx++) {
        const from = ((by - y) * stride + (bx - x)) * tile.active
        const to = ((by - region.y) * region.width + (bx - region.x)) * channels
        for (let c = 0; c < tile.active; c++) values[to + c] = tile.symbols[from + c]! / SYMBOL_UNIT
      }
    }
  }
  return { values, channels }
}
