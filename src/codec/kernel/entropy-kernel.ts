/**
 * The entropy coder on WebAssembly SIMD: packs a model into the kernel's memory and codes tiles position by position.
 * One kernel holds one set of weights; a quality only changes a few rows of them. Its memory (10 MB) is used again for
 * every tile. Weights must fit in 16 bits, as released ones do; otherwise there is no kernel, and TypeScript serves.
 */
import { assembleModule, type WasmFunction } from '../../lib/wasm-assembler'
import type { ContextModel } from '../context-model'
import type { TableBank } from '../entropy-tables'
import { beginFunction } from './begin'
import { packChroma, useChroma } from './chroma'
import { DECODED, decodeFunction } from './decode'
import { codeFunction, encodeFunction, prepareFunction } from './encode'
import { clearIntra, narrowIntra, packIntra, packIntraStages, useIntra } from './intra'
import { FARTHEST, packMeans, packRows, packTables } from './pack'
import { clearCalibration, driftedCells, packCalibration } from './ranks'
import { narrowStages, packStageBias, packStages } from './stages'
import { guessFunction, packSplitting, splitFunction, useSplitting } from './split'
import { TRIAL_UNIT, trialFunction, useTrial } from './trial'
import { narrowTurn, packTurn, useTurn } from './turn'
import { kernelLayouts, STATE, TILE_SIDE } from './layout'
import type { KernelLayout } from './layout'
import { guessSplits, type SplitGuess } from '../splits/split-choice'
import type { SplitModel } from '../splits/split-model'
import { LATENTS, type CodecConfig } from '../weights'

type Call = (...given: number[]) => number
type SplitCalls = Record<'begin' | 'decode' | 'encode' | 'trial', Call>

/** What a tile is to the kernel: positions in a row, rows, channels that are coded. */
export interface TileShape {
  readonly width: number
  readonly height: number
  readonly active: number
}

export interface EntropyKernel {
  /** Takes over the parts of the model that depend on quality. */
  use(model: ContextModel): void
  /** Views for the next tile: y [positions, 768], and chosen residuals where the caller chooses. */
  readonly y: Float32Array
  readonly chosen: Int16Array
  /** Clips the first values of y, positions times 768, to what can be coded; the channels up to the last that rounds. */
  prepare(positions: number): number
  /**
   * Raw bytes and coded bytes of the tile in `y`, which is spent; views until the next tile. `worth` as in chooseMagnitude;
   * `splits` by position, or null where all are whole.
   */
  encode(
    tile: TileShape,
    hasChosen: boolean,
    worth: number,
    splits: Uint8Array | null,
  ): { raw: Uint8Array; coded: Uint8Array }
  /** What guessSplits says of the first positions of `y`, all whole; `use` goes before. */
  guess(positions: number): SplitGuess
  /** Splits the positions of `y`, all whole. */
  split(splits: Uint8Array): void
  /** Gives every position of the tile in `y` the split that costs least, of those to try. */
  trySplits(tile: TileShape, worth: number, trials: SplitTrials): void
  /** Room for raw ‖ coded bytes. */
  readonly input: Uint8Array
  /** Symbols [positions, active], with splits [positions, 768], a view until the next tile; or where the bytes fail. */
  decode(tile: TileShape, rawBytes: number, codedBytes: number, splits: Uint8Array | null): DecodedTile
}

/** What is tried, position by position. */
export interface SplitTrials {
  /** Bit k is set where split k, other than whole, is to be tried at a position. */
  readonly candidates: Uint8Array
  /** The positions come in order: begins one, says what bits it takes to name its split, and keeps it. */
  begin(position: number): void
  bitsOf(split: number): number
  keep(position: number, split: number): void
}

export interface DecodedTile {
  readonly status: number
  readonly symbols: Int16Array
  readonly coderState: number
  /** Bytes that the coder read past (above 0) or left over (below 0). */
  readonly overrun: number
  readonly rawBits: number
}

export { DECODED }

/** null where the platform has no WebAssembly SIMD or the weights need more than 16 bits. */
export async function createEntropyKernel(
  config: CodecConfig,
  model: ContextModel,
  bank: TableBank,
): Promise<EntropyKernel | null> {
  // Splits share most of their weights with the whole: each is looked at once.
  const narrow = new Set([
    ...narrowWeights(model),
    ...(model.splits === null
      ? []
      : [...narrowTurn(model.splits), ...model.splits.models.flatMap(narrowWeights)]),
  ])
  if (![...narrow].every((weights) => weights.every((w) => w >= -32768 && w <= 32767))) return null
  // Steps of a group add up as they are.
  if (model.isCalibrated && model.drift.some((step) => Math.abs(step) > FARTHEST)) return null
  const layouts = kernelLayouts(config, model.tableOf.length, bank.cdf.length + bank.from.length)
  const [layout, ...splitLayouts] = layouts
  const functions = [
    ...layouts.flatMap(splitFunctions),
    ...[prepareFunction(), codeFunction(layout)],
    ...(layout.split === null ? [] : [guessFunction(layout.split), splitFunction(layout.split)]),
  ]
  const code = assembleModule(functions, layout.pages)
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) return null
  const { instance } = await WebAssembly.instantiate(code)
  const memory = (instance.exports['memory'] as WebAssembly.Memory).buffer
  packTables(memory, layout, model, bank)
  packRows(memory, layout, model)
  packMeans(memory, layout, model)
  if (layout.chroma !== null && model.chroma !== null) packChroma(memory, layout.chroma, model.chroma)
  if (layout.intra !== null && model.intra !== null) packIntra(memory, layout.intra, model.intra)
  if (layout.calibration !== null) packCalibration(memory, layout.calibration)
  if (layout.stages !== null && model.stages !== null) packStages(memory, layout.stages, model.stages)
  if (layout.split !== null && model.splits !== null) packSplitting(memory, layout.split, model.splits)
  splitLayouts.forEach((at, i) => {
    if (model.splits !== null) packSplit(memory, at, model.splits.models[i]!, model.splits)
  })
  return kernelOver(memory, layouts, instance.exports as Record<string, Call>)
}

/** What must fit in 16 bits. */
const narrowWeights = (model: ContextModel): Int32Array[] => [
  ...[model.sameWeights, model.denseWeights, model.featureWeights, model.featureSums],
  ...[model.hiddenWeights, model.meanWeights, model.meanIn],
  ...(model.chroma === null ? [] : [model.chroma.lumaGain, model.chroma.firstGain]),
  ...(model.intra === null ? [] : narrowIntra(model.intra)),
  ...(model.stages === null ? [] : narrowStages(model.stages)),
]

const nameAt = (name: keyof SplitCalls, split: number): string => (split === 0 ? name : `${name}_${split}`)

/** The functions that go over a position, for positions of one split. */
function splitFunctions(at: KernelLayout, split: number): WasmFunction[] {
  const named = (name: keyof SplitCalls, made: WasmFunction): WasmFunction => ({
    ...made,
    name: nameAt(name, split),
  })
  return [
    named('begin', beginFunction(at)),
    named('decode', decodeFunction(at)),
    named('encode', encodeFunction(at)),
    ...(at.trial === null ? [] : [named('trial', trialFunction(at, at.trial))]),
  ]
}

/** What a split has of its own, and what turns it back. */
function packSplit(memory: ArrayBuffer, at: KernelLayout, model: ContextModel, splits: SplitModel): void {
  packMeans(memory, at, model)
  if (at.intra !== null && model.intra !== null) packIntraStages(memory, at.intra, model.intra)
  if (at.stages !== null && model.stages !== null) packStageBias(memory, at.stages, model.stages)
  if (at.turn !== null) packTurn(memory, at.turn, splits)
}

/** What a layout takes over of its model. */
function useAt(memory: ArrayBuffer, at: KernelLayout, model: ContextModel): void {
  new Int32Array(memory, at.bias).set(model.bias)
  new Int32Array(memory, at.meanGain).set(model.meanGain)
  if (at.chroma !== null && model.chroma !== null) useChroma(memory, at.chroma, model.chroma)
  if (at.intra !== null && model.intra !== null) useIntra(memory, at.intra, model.intra)
}

function kernelOver(
  memory: ArrayBuffer,
  layouts: readonly [KernelLayout, ...KernelLayout[]],
  calls: Record<string, Call>,
): EntropyKernel {
  const [at, ...splitLayouts] = layouts
  const bySplit = layouts.map((_, split): SplitCalls => {
    const call = (name: keyof SplitCalls): Call => calls[nameAt(name, split)]!
    return { begin: call('begin'), decode: call('decode'), encode: call('encode'), trial: call('trial') }
  })
  const [prepare, code] = [calls['prepare']!, calls['code']!]
  const [guess, split] = [calls['guess']!, calls['split']!]
  const state = new DataView(memory)
  const setState = (field: Exclude<keyof typeof STATE, 'worth'>, value: number): void =>
    state.setInt32(STATE[field], value, true)
  const getState = (field: Exclude<keyof typeof STATE, 'worth'>): number => state.getInt32(STATE[field], true)
  const rowOfSites = (TILE_SIDE + 2) * at.siteBytes
  const offsets = new Int32Array(memory, at.offsets, LATENTS)

  /** Calls `visit` position by position, with the address of its site and what begins it in a split. */
  function scan(
    { width, height, active }: TileShape,
    visit: (position: number, here: number, begin: (split: number) => SplitCalls) => boolean,
  ): void {
    new Uint8Array(memory, at.sites, 2 * rowOfSites).fill(0)
    offsets.fill(0)
    if (at.calibration !== null) clearCalibration(memory, at.calibration)
    if (at.intra !== null) clearIntra(memory, at.intra)
    for (let y = 0; y < height; y++) {
      const row = at.sites + (y & 1) * rowOfSites
      const above = at.sites + (1 - (y & 1)) * rowOfSites
      for (let x = 0; x < width; x++) {
        const here = row + (x + 1) * at.siteBytes
        const north = above + (x + 1) * at.siteBytes
        const begin = (split: number): SplitCalls => {
          const calls = bySplit[split]!
          calls.begin(here - at.siteBytes, north, north - at.siteBytes, north + at.siteBytes, active)
          return calls
        }
        if (!visit(y * width + x, here, begin)) return
      }
    }
  }

  const ofPosition = (position: number): number => at.y + 4 * LATENTS * position

  function startEncoding(worth: number): void {
    state.setFloat32(STATE.worth, worth, true)
    setState('rawPending', 0)
    setState('rawCount', 0)
    setState('rawBytes', at.raw)
  }

  return {
    use(model) {
      useAt(memory, at, model)
      if (at.split !== null && model.splits !== null) useSplitting(memory, at.split, model.splits)
      if (at.trial !== null && model.splits !== null) useTrial(memory, at.trial, model.splits)
      splitLayouts.forEach((own, i) => {
        if (model.splits === null || own.turn === null) return
        useAt(memory, own, model.splits.models[i]!)
        useTurn(memory, own.turn, model.splits)
      })
    },
    y: new Float32Array(memory, at.y, TILE_SIDE * TILE_SIDE * LATENTS),
    chosen: new Int16Array(memory, at.chosen, TILE_SIDE * TILE_SIDE * LATENTS),
    input: new Uint8Array(memory, at.input, at.inputBytes),

    prepare: (positions) => prepare(at.y, at.y + 4 * LATENTS * positions),

    encode(tile, hasChosen, worth, splits) {
      startEncoding(worth)
      let entries = at.y
      // Entries take the place of y: they are never ahead of it.
      scan(tile, (position, here, begin) => {
        const { encode } = begin(splits?.[position] ?? 0)
        const chosen = hasChosen ? at.chosen + 2 * LATENTS * position : 0
        entries = encode(here, tile.active, ofPosition(position), chosen, entries)
        return true
      })
      let rawEnd = getState('rawBytes')
      const left = getState('rawCount')
      if (left > 0) state.setUint8(rawEnd++, getState('rawPending') << (8 - left))
      const coded = code(at.y, entries, at.codedEnd)
      return {
        raw: new Uint8Array(memory, at.raw, rawEnd - at.raw),
        coded: new Uint8Array(memory, coded, at.codedEnd - coded),
      }
    },

    guess(positions) {
      if (at.split === null) throw new RangeError('The model has no splits.')
      const costs = new Int32Array(memory, at.split.costs, 4 * bySplit.length)
      return guessSplits(positions, (position) => {
        guess(ofPosition(position))
        return bySplit.map((_, k) => costs.subarray(4 * k, 4 * k + 4).reduce((a, b) => a + b))
      })
    },

    split(splits) {
      splits.forEach((k, position) => {
        if (k !== 0) split(ofPosition(position), k, ofPosition(position))
      })
    },

    trySplits(tile, worth, trials) {
      const { trial } = at
      if (trial === null) throw new RangeError('The model has no splits.')
      startEncoding(worth)
      const y = new Float32Array(memory, trial.y, LATENTS)
      const drifted = [offsets, ...(at.calibration === null ? [] : driftedCells(memory, at.calibration))]
      scan(tile, (position, here, begin) => {
        trials.begin(position)
        const beginAs = (k: number): SplitCalls => {
          if (k === 0) y.set(new Float32Array(memory, ofPosition(position), LATENTS))
          else split(ofPosition(position), k, trial.y)
          return begin(k)
        }
        const candidates = bySplit.map((_, k) => k).filter((k) => (trials.candidates[position]! >> k) & 1)
        let [cheapest, least] = [0, Infinity]
        if (candidates.length > 0) {
          const before = drifted.map((values) => values.slice())
          for (const k of [0, ...candidates]) {
            const cost = beginAs(k).trial(here, tile.active, trial.y) / TRIAL_UNIT + trials.bitsOf(k)
            if (cost < least) [cheapest, least] = [k, cost]
            drifted.forEach((values, i) => {
              values.set(before[i]!)
            })
          }
        }
        trials.keep(position, cheapest)
        // Coded for its traces alone.
        setState('rawBytes', at.raw)
        beginAs(cheapest).encode(here, tile.active, trial.y, 0, trial.y)
        return true
      })
    },

    decode(tile, rawBytes, codedBytes, splits) {
      const coded = at.input + rawBytes
      const end = coded + codedBytes
      setState('coder', state.getInt32(coded, false))
      setState('at', coded + 4)
      setState('end', end)
      setState('rawBit', 0)
      setState('rawEnd', 8 * rawBytes)
      setState('rawBytes', at.input)
      const stride = splits === null ? tile.active : LATENTS
      const symbols = new Int16Array(memory, at.out, tile.width * tile.height * stride)
      // Whole positions write the active channels only.
      if (splits !== null) symbols.fill(0)
      let status: number = DECODED.ok
      scan(tile, (position, here, begin) => {
        const { decode } = begin(splits?.[position] ?? 0)
        status = decode(here, tile.active, at.out + 2 * stride * position)
        return status === DECODED.ok
      })
      return {
        status,
        symbols,
        coderState: getState('coder'),
        overrun: getState('at') - end,
        rawBits: getState('rawBit'),
      }
    },
  }
}
