/**
 * The image codec over one set of weights: bands of a picture to coded tiles and back. The caller has chosen and
 * readied the TensorFlow.js backend; everything here runs on it.
 */
import * as tf from '@tensorflow/tfjs-core'
import { release } from '../lib/release'
import { decodeAlpha, encodeAlpha } from './alpha'
import { assembleBitstream, checkSize, parseBitstream, tileGrid, type ParsedBitstream } from './bitstream'
import { analyzerAt, type Analyzer } from './analyzer'
import { writeQuarters, type BlockRegion } from './blocks'
import { contextModelAt, type ContextModel } from './context-model'
import { createLinearAnalysis, type LinearAnalysis } from './exact/kernel/linear-analysis'
import type { WholeMachine } from './exact/layers'
import { createWholeMachine } from './exact/whole-machine'
import { wholeModelsOf } from './exact/whole-synthesis'
import { createEntropyKernel, type EntropyKernel } from './kernel/entropy-kernel'
import { buildTableBank } from './entropy-tables'
import { CodecError } from './errors'
import { QUALITY_MAX } from './quality'
import { planRuns, runRegion, TILE_BLOCKS, tileRegion, withHalo } from './runs'
import { decodeTile, encodeTile, type TileChoices, type TileEntropy, type TileSymbols } from './tile-coder'
import {
  floatRestorer,
  regionTiles,
  wholeRestorer,
  type PlacedTile,
  type RegionTiles,
  type Restorer,
} from './restorer'
import { haloOf, RENDER_HALO } from './transform'
import { fillPadding, versionsFor } from './fill-padding'
import { guessSplits, Splitter, type SplitGuess } from './splits/split-choice'
import { trySplits } from './splits/split-trial'
import { worthsAt } from './symbol-choice'
import {
  ENTROPY_TILE,
  type Band,
  type Codec,
  type DecodeOptions,
  type Effort,
  type EncodeOptions,
  type RasterImage,
  type TileVersions,
} from './types'
import { BLOCK, LATENTS, type CodecWeights } from './weights'

/** What one quality needs, made when it is first wanted. */
interface QualityState {
  readonly quality: number
  readonly entropy: TileEntropy
  analyzer?: Analyzer
  restorer?: Restorer
}

export interface CodecParts {
  /** 'typescript' does without the WebAssembly kernel, to the same bytes. */
  readonly entropy?: 'kernel' | 'typescript'
  /** Of a model in whole numbers: 'tensors' does without the WebAssembly kernel, to the same pixels. */
  readonly synthesis?: 'kernel' | 'tensors'
  /** How every tile's symbols are chosen or watched, instead of the fast choice. */
  readonly choices?: TileChoices
  /** Told how long each piece of work took. */
  readonly onStage?: (stage: Stage, ms: number) => void
}

/** Pixels to blocks and back, the networks, latents to tiles and back, and the coding of tiles. */
export type Stage = 'pixels' | 'transform' | 'latents' | 'entropy'

export function createCodec(weights: CodecWeights, parts: CodecParts = {}): Codec {
  const bank = buildTableBank(weights.tables)
  let state: QualityState | null = null
  let kernelOnce: Promise<EntropyKernel | null> | undefined
  let machineOnce: Promise<WholeMachine | null> | undefined
  let analysisOnce: Promise<LinearAnalysis | null> | undefined
  /** Where y of a tile is gathered, and symbols of tiles that have passed, for the next ones. */
  let scratch: Float32Array | undefined
  const spare: Int16Array[] = []
  const halo = haloOf(weights.config)
  const wholeModel = wholeModelsOf(weights)

  function timed<T>(stage: Stage, work: () => T): T {
    const startMs = performance.now()
    const result = work()
    parts.onStage?.(stage, performance.now() - startMs)
    return result
  }

  async function timedTransform<T>(work: () => Promise<T>): Promise<T> {
    const startMs = performance.now()
    const result = await work()
    parts.onStage?.('transform', performance.now() - startMs)
    return result
  }

  const loadKernel = (): Promise<EntropyKernel | null> =>
    (kernelOnce ??=
      parts.entropy === 'typescript'
        ? Promise.resolve(null)
        : createEntropyKernel(weights.config, contextModelAt(weights, 0), bank))

  /** null where tensors serve. */
  const loadAnalysis = (): Promise<LinearAnalysis | null> =>
    (analysisOnce ??= tf.getBackend() === 'wasm' ? createLinearAnalysis() : Promise.resolve(null))

  /** null for a model in float32. */
  const loadMachine = (): Promise<WholeMachine | null> =>
    (machineOnce ??=
      weights.config.wholeActivationBits === undefined
        ? Promise.resolve(null)
        : createWholeMachine(parts.synthesis))

  /** Folded weights of the last quality are kept: photos of one import share it. */
  function at(quality: number, kernel: EntropyKernel | null): QualityState {
    if (state?.quality === quality) return state
    dropState()
    state = { quality, entropy: { model: contextModelAt(weights, quality), bank, kernel } }
    return state
  }

  function dropState(): void {
    state?.analyzer?.dispose()
    state?.restorer?.dispose()
    state = null
  }

  const restorerAt = (quality: number, machine: WholeMachine | null): Restorer =>
    machine === null ? floatRestorer(weights, quality) : wholeRestorer(wholeModel(quality), machine)

  async function encodeBand(
    rows: RasterImage,
    firstRow: number,
    imageHeight: number,
    band: Band,
    options: EncodeOptions & { readonly versions?: number },
  ): Promise<TileVersions[]> {
    checkQuality(options.quality)
    const [lean, ...richer] = worthsAt(options.quality, options.versions ?? 1)
    const [kernel, analysis] = await Promise.all([loadKernel(), loadAnalysis()])
    const here = at(options.quality, kernel)
    const { entropy } = here
    const analyzer = (here.analyzer ??= analyzerAt(weights, options.quality, analysis))
    const y = kernel?.y ?? (scratch ??= new Float32Array(TILE_BLOCKS * TILE_BLOCKS * LATENTS))
    const size = { width: rows.width, height: imageHeight }
    const grid = tileGrid(size.width, size.height)
    const tileRows = tileRowsOf(band)
    const tiles: TileVersions[] = []
    const count = (tileRows.to - tileRows.from) * grid.columns
    let done = 0
    for (const run of planRuns(grid.columns, tileRows.from, tileRows.to)) {
      options.signal?.throwIfAborted()
      const core = runRegion(size, run)
      const region = options.effort === 'best' ? withHalo(size, core, halo.analysis) : core
      const analyze = timed('pixels', () => analyzer.read(rows, firstRow, region, options.effort))
      const { linear, correction } = await timedTransform(analyze)
      const corrected = correction.length / (region.width * region.height)
      for (let i = 0; i < run.rows * run.columns; i++) {
        const row = run.row + Math.floor(i / run.columns)
        const column = run.column + (i % run.columns)
        const part = tileRegion(size, column, row)
        const gathered = (): void => {
          timed('latents', () => gather(linear, correction, corrected, region, part, y))
        }
        let splits: Uint8Array | null = null
        if (entropy.model.splits !== null) {
          gathered()
          splits = timed('entropy', () => splitsOf(entropy, y, part, options.effort, lean!))
        }
        const coded = (worth: number): Uint8Array => {
          gathered()
          const choices = { worth, splits, ...parts.choices }
          return timed('entropy', () => encodeTile(entropy, y, part.width, part.height, choices))
        }
        tiles[(row - tileRows.from) * grid.columns + column] = [coded(lean!), ...richer.map(coded)]
      }
      for (const array of [linear, correction]) release(array)
      done += run.rows * run.columns
      options.onProgress?.(done / count)
    }
    return tiles
  }

  async function encode(
    image: RasterImage,
    options: EncodeOptions & { readonly paddedLength?: (bytes: number) => number },
  ): Promise<Uint8Array> {
    const { width, height, hasAlpha, colorSpace } = image
    const { quality, paddedLength } = options
    checkSize(width, height)
    if (image.data.length !== 4 * width * height)
      throw new CodecError('bad-argument', 'The pixels do not fill the picture.')
    const versions = paddedLength === undefined ? 1 : versionsFor(width, height)
    const coded = await encodeBand(image, 0, height, { y0: 0, y1: height }, { ...options, versions })
    const alpha = hasAlpha ? encodeAlpha(image.data, width, height) : null
    const tiles =
      paddedLength === undefined ? coded.map(([tile]) => tile) : fillPadding(coded, alpha, paddedLength)
    return assembleBitstream({ width, height, hasAlpha, colorSpace, quality }, alpha, tiles)
  }

  /** Symbols of tile rows, decoded once each until the rows before some row are dropped. */
  function symbolRows(parsed: ParsedBitstream, entropy: TileEntropy, restorer: Restorer): SymbolRows {
    const kept = new Map<number, TileSymbols[]>()
    const decodeRow = (row: number): TileSymbols[] =>
      Array.from({ length: parsed.grid.columns }, (_, column) => {
        const part = tileRegion(parsed.header, column, row)
        const bytes = parsed.tiles[row * parsed.grid.columns + column]!
        const decode = () => decodeTile(entropy, bytes, part.width, part.height, spare.pop())
        const tile = timed('entropy', decode)
        timed('latents', () => restorer.admit(tile))
        return tile
      })
    return {
      at(row) {
        const tiles = kept.get(row) ?? decodeRow(row)
        kept.set(row, tiles)
        return tiles
      },
      dropBefore(row) {
        for (const [old, tiles] of kept) {
          if (old >= row) continue
          // Whole again: a tile with splits may have left most of its room.
          spare.push(...tiles.map(({ symbols }) => new Int16Array(symbols.buffer)))
          kept.delete(old)
        }
      },
    }
  }

  async function decodeRows(
    parsed: ParsedBitstream,
    band: Band,
    { detail = 'full', signal, onProgress }: DecodeOptions = {},
  ): Promise<RasterImage> {
    const { header, grid } = parsed
    const [kernel, machine] = await Promise.all([loadKernel(), loadMachine()])
    const here = at(header.quality, kernel)
    const restorer = (here.restorer ??= restorerAt(header.quality, machine))
    const symbols = symbolRows(parsed, here.entropy, restorer)
    const y1 = Math.min(band.y1, header.height)
    const data = new Uint8ClampedArray(4 * header.width * (y1 - band.y0))
    const tileRows = tileRowsOf(band)
    const count = (tileRows.to - tileRows.from) * grid.columns
    let done = 0
    for (const run of planRuns(grid.columns, tileRows.from, tileRows.to)) {
      signal?.throwIfAborted()
      symbols.dropBefore(run.row - 1)
      const core = runRegion(header, run)
      const isQuick = detail === 'quick'
      const region = isQuick ? core : withHalo(header, core, halo.synthesis)
      const window = isQuick ? core : withHalo(header, core, RENDER_HALO)
      const tiles = tilesOf(symbols, region)
      const restore = timed('latents', () => restorer.gather(tiles, region, window, detail))
      const quarters = await timedTransform(restore)
      timed('pixels', () => {
        const [skipX, skipY] = [core.x - window.x, core.y - window.y]
        writeQuarters(quarters, 4 * window.width, skipX, skipY, data, header.width, {
          left: core.x * BLOCK,
          top: core.y * BLOCK - band.y0,
          right: Math.min(header.width, (core.x + core.width) * BLOCK),
          bottom: Math.min(y1, (core.y + core.height) * BLOCK) - band.y0,
        })
      })
      release(quarters)
      done += run.rows * run.columns
      onProgress?.(done / count)
    }
    symbols.dropBefore(grid.rows)
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
      return decodeRows(parsed, whole, options)
    },
    decodeBand: (bitstream, band, options) => decodeRows(parseBitstream(bitstream), band, options),
    dispose: () => {
      dropState()
      void machineOnce?.then((machine) => {
        machine?.dispose()
      })
      machineOnce = undefined
    },
  }
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

/** Writes to y the symbols before rounding of one tile, [positions, 768]. */
function gather(
  linear: Float32Array,
  correction: Float32Array,
  corrected: number,
  region: BlockRegion,
  part: BlockRegion,
  y: Float32Array,
): void {
  for (let py = 0; py < part.height; py++) {
    const from = (part.y - region.y + py) * region.width + (part.x - region.x)
    const to = py * part.width * LATENTS
    y.set(linear.subarray(from * LATENTS, (from + part.width) * LATENTS), to)
    for (let px = 0; px < part.width; px++)
      for (let c = 0; c < corrected; c++) {
        const at = to + px * LATENTS + c
        y[at] = y[at]! + correction[(from + px) * corrected + c]!
      }
  }
}

interface SymbolRows {
  at(row: number): TileSymbols[]
  dropBefore(row: number): void
}

function tilesOf(symbols: SymbolRows, region: BlockRegion): RegionTiles {
  const tiles: PlacedTile[] = []
  for (let y = firstTile(region.y); y < region.y + region.height; y += TILE_BLOCKS)
    for (let x = firstTile(region.x); x < region.x + region.width; x += TILE_BLOCKS)
      tiles.push({ tile: symbols.at(y / TILE_BLOCKS)[x / TILE_BLOCKS]!, x, y })
  return regionTiles(tiles)
}

const firstTile = (block: number): number => Math.floor(block / TILE_BLOCKS) * TILE_BLOCKS

/** Splits of a tile of latents y, the kernel's own where there is one; null where all are whole. */
function splitsOf(
  { model, kernel }: TileEntropy,
  y: Float32Array,
  { width, height }: BlockRegion,
  effort: Effort,
  worth: number,
): Uint8Array | null {
  if (effort === 'best' && kernel !== null) return trySplits(model, kernel, width, height, worth)
  const { likely } = guessOf(model, kernel, y, width * height)
  return likely.some((split) => split !== 0) ? likely : null
}

function guessOf(
  model: ContextModel,
  kernel: EntropyKernel | null,
  y: Float32Array,
  positions: number,
): SplitGuess {
  if (kernel !== null) {
    kernel.use(model)
    return kernel.guess(positions)
  }
  const splitter = new Splitter(model.splits!)
  return guessSplits(positions, (position) =>
    splitter.guess(y.subarray(position * LATENTS, (position + 1) * LATENTS)),
  )
}
