/**
 * What is known of a tile while its symbols are coded or decoded: the arithmetic of the context model (context-model.ts
 * says what it computes).
 */
import { CALIBRATION_GROUP, CELLS, cellOf } from './calibration'
import { ChromaPrediction, SLOPE_GROUP } from './chroma-prediction'
import {
  DRIFT_LEVELS,
  FEATURE_CAP,
  FEATURE_SHIFT,
  HIDDEN_CAP,
  HIGH_ENTRIES,
  LOW_RANGE,
  LOW_SHIFT,
  MAGNITUDE_CAP,
  MEAN_HALF,
  MEAN_SHIFT,
  NEIGHBOURS,
  OFFSET_LIMIT,
  OFFSET_SHIFT,
  RANK_HALF,
  RANK_SHIFT,
  SCALE_BITS,
  SYMBOL_LIMIT,
  SYMBOL_UNIT,
  type ContextModel,
} from './context-model'
import { dot } from './integers'
import { INTRA_CHANNELS, IntraPrediction } from './intra-prediction'
import { ScaleStages } from './scale-stages'
import { turnBack } from './splits/split-model'
import { LATENTS } from './weights'

/** A tile, position by position. */
export class TileContext {
  /** Symbols in sixteenths, [positions, active]; [positions, 768] in a tile with splits. */
  readonly symbols: Int16Array
  readonly #whole: ContextModel
  readonly #splits: Uint8Array | null
  /** That of the split of the position. */
  #model: ContextModel
  #split = 0
  readonly #width: number
  readonly #active: number
  /** Symbols of a position. */
  readonly #stride: number
  /** Magnitudes and features of positions, with one empty position before and after each row. */
  readonly #magnitudes: Uint8Array
  readonly #featureValues: Int32Array
  readonly #scale = new Int32Array(LATENTS)
  /** How far each channel's tables lie from what the sums say, 2^-16. */
  readonly #offset = new Int32Array(LATENTS)
  /** The same of kinds of symbols; null where there are none. */
  readonly #calibration: Int32Array | null
  /** What the symbols of a group move them by. */
  readonly #pending = new Int32Array(CELLS)
  readonly #sums: Int32Array
  readonly #near = new Int32Array(NEIGHBOURS)
  /** Features of the neighbours, [4, features]. */
  readonly #nearFeatures: Int32Array
  /** Signed symbols of the neighbours, [4, means], and the hidden layer on them. */
  readonly #nearSymbols: Int32Array
  readonly #hidden: Int32Array
  readonly #chroma: ChromaPrediction | null
  readonly #intra: IntraPrediction | null
  readonly #stages: ScaleStages | null
  #here = 0
  #symbolsAt = 0
  #rank = 0
  #cell = 0

  /** `splits` of the positions; null where all are whole. */
  constructor(
    model: ContextModel,
    width: number,
    height: number,
    active: number,
    splits: Uint8Array | null = null,
  ) {
    this.#whole = this.#model = model
    this.#splits = splits
    this.#width = width
    this.#active = active
    this.#stride = splits === null ? active : LATENTS
    this.symbols = new Int16Array(width * height * this.#stride)
    const padded = (width + 2) * (height + 1)
    this.#magnitudes = new Uint8Array(padded * LATENTS)
    this.#featureValues = new Int32Array(padded * model.features)
    this.#nearFeatures = new Int32Array(NEIGHBOURS * model.features)
    this.#calibration = model.isCalibrated ? new Int32Array(CELLS) : null
    this.#sums = new Int32Array(model.features)
    this.#nearSymbols = new Int32Array(NEIGHBOURS * model.means)
    this.#hidden = new Int32Array(model.hidden)
    this.#chroma = model.chroma === null ? null : new ChromaPrediction(model.chroma, padded)
    this.#intra = model.intra === null ? null : new IntraPrediction(model.intra, padded, active)
    this.#stages = model.stages === null ? null : new ScaleStages(model.stages)
  }

  /** Goes to a position; they must come row by row. */
  start(x: number, y: number): void {
    this.#split = this.#splits?.[y * this.#width + x] ?? 0
    this.#model = this.#split === 0 ? this.#whole : this.#whole.splits!.models[this.#split - 1]!
    const { bias, sameWeights, featureWeights, features, hiddenWeights } = this.#model
    const stride = this.#width + 2
    const here = (y + 1) * stride + x + 1
    const near = this.#near
    near[0] = here - 1
    near[1] = here - stride
    near[2] = here - stride - 1
    near[3] = here - stride + 1
    this.#here = here
    this.#symbolsAt = (y * this.#width + x) * this.#stride
    const active = this.#active
    const scale = this.#scale
    const magnitudes = this.#magnitudes
    const [west, north, northWest, northEast] = [
      near[0] * LATENTS,
      near[1] * LATENTS,
      near[2] * LATENTS,
      near[3] * LATENTS,
    ]
    for (let c = 0; c < active; c++)
      scale[c] =
        bias[c]! +
        sameWeights[c]! * magnitudes[west + c]! +
        sameWeights[LATENTS + c]! * magnitudes[north + c]! +
        sameWeights[2 * LATENTS + c]! * magnitudes[northWest + c]! +
        sameWeights[3 * LATENTS + c]! * magnitudes[northEast + c]!
    near.forEach((site, t) => {
      const values = this.#featureValues.subarray(site * features, (site + 1) * features)
      this.#nearFeatures.set(values, t * features)
    })
    this.#addToScales(this.#nearFeatures, featureWeights, 0)
    this.#readNeighbours(x, y)
    this.#seeHidden(this.#hidden, hiddenWeights)
    const { intra, stages } = this.#model
    if (intra !== null) this.#seeHidden(this.#intra!.start(intra, near), intra.scaleWeights)
    this.#sums.fill(0)
    this.#chroma?.start(near)
    if (stages !== null) this.#stages!.start(stages, this.#nearFeatures)
  }

  /** Adds what a hidden layer says of the scales of channels from `first` on; weights [layer, 768]. */
  #seeHidden(layer: Int16Array | Int32Array, weights: Int32Array, first = 0): void {
    const seen = layer.map((value) => Math.min(HIDDEN_CAP, value))
    this.#addToScales(seen, weights, first)
  }

  #addToScales(values: Int16Array | Int32Array, weights: Int32Array, first: number): void {
    const scale = this.#scale
    const active = this.#active
    values.forEach((value, i) => {
      if (value === 0) return
      const row = i * LATENTS
      for (let c = first; c < active; c++) scale[c] = scale[c]! + weights[row + c]! * value
    })
  }

  #readNeighbours(x: number, y: number): void {
    const { means, meanIn } = this.#model
    const width = this.#width
    const stride = this.#stride
    const near = this.#nearSymbols.fill(0)
    const take = (tap: number, at: number): void =>
      near.set(this.symbols.subarray(at, at + Math.min(means, stride)), tap * means)
    const at = this.#symbolsAt
    const north = at - width * stride
    if (x > 0) take(0, at - stride)
    if (y > 0) {
      take(1, north)
      if (x > 0) take(2, north - stride)
      if (x + 1 < width) take(3, north + stride)
    }
    const hidden = this.#hidden
    for (let h = 0; h < hidden.length; h++)
      hidden[h] = Math.max(0, dot(meanIn, h * near.length, near) >> MEAN_SHIFT)
  }

  /** Table for channel c at this position. */
  table(c: number): number {
    const { low, high, tableOf } = this.#model
    const s = this.#scale[c]!
    const fine =
      s >= LOW_RANGE
        ? high[Math.min(HIGH_ENTRIES - 1, s >> SCALE_BITS)]!
        : low[Math.max(0, (s + LOW_RANGE) >> LOW_SHIFT)]!
    let offset = this.#offset[c]!
    if (this.#calibration !== null) {
      this.#cell = cellOf(c, fine)
      offset += this.#calibration[this.#cell]!
    }
    const rank = (fine + (offset >> OFFSET_SHIFT) + RANK_HALF) >> RANK_SHIFT
    this.#rank = Math.max(0, Math.min(tableOf.length - 1, rank))
    return tableOf[this.#rank]!
  }

  /**
   * Predicted symbol of channel c at this position, in sixteenths. Channels come in order: with the first of a stage, what
   * those before it say comes into the tables.
   */
  mean(c: number): number {
    this.#reachStage(c)
    const nearby = clamp(this.#meanFromNeighbours(c) + this.#foretoldByEdges(c))
    const chroma = this.#chroma
    if (chroma === null) return nearby
    if (c % SLOPE_GROUP === 0) chroma.startGroup(c, this.symbols, this.#symbolsAt)
    return clamp(nearby + chroma.of(c))
  }

  #reachStage(c: number): void {
    const reached = this.#stages?.reach(c, this.#magnitudes, this.#here * LATENTS) ?? null
    if (reached !== null) this.#seeHidden(reached.layer, this.#model.stages!.out[reached.stage]!, c)
  }

  #foretoldByEdges(c: number): number {
    const intra = this.#intra
    if (intra === null || c >= INTRA_CHANNELS) return 0
    intra.reach(c, this.symbols, this.#symbolsAt)
    return intra.of(c)
  }

  #meanFromNeighbours(c: number): number {
    const { means, meanWeights, meanOut, meanGain, hidden } = this.#model
    if (c >= means) return 0
    const linear = dot(meanWeights, c * NEIGHBOURS * means, this.#nearSymbols)
    const sum = (linear + dot(meanOut, c * hidden, this.#hidden) + MEAN_HALF) | 0
    const scaled = (Math.imul(sum >> MEAN_SHIFT, meanGain[c]!) + MEAN_HALF) >> MEAN_SHIFT
    return clamp(scaled)
  }

  /** Records the residual symbol of channel c against its mean; `table` of the channel must have been asked last. */
  put(c: number, residual: number, mean: number): void {
    this.#learn(c, residual)
    this.#show(c, residual, mean)
  }

  /** Moves the offsets. */
  #learn(c: number, residual: number): void {
    const { drift, driftShift } = this.#model
    const rank = this.#rank
    const level = Math.min(DRIFT_LEVELS - 1, Math.abs(residual) >> driftShift[rank]!)
    const step = drift[rank * DRIFT_LEVELS + level]!
    this.#offset[c] = moved(this.#offset[c]!, step)
    const calibration = this.#calibration
    if (calibration === null) return
    const pending = this.#pending
    pending[this.#cell] = pending[this.#cell]! + step
    if ((c + 1) % CALIBRATION_GROUP !== 0) return
    pending.forEach((steps, cell) => {
      if (steps !== 0) calibration[cell] = moved(calibration[cell]!, steps)
    })
    pending.fill(0)
  }

  /** Lets the channels after it see a symbol. */
  #show(c: number, residual: number, mean: number): void {
    this.symbols[this.#symbolsAt + c] = clamp(residual * SYMBOL_UNIT + mean)
    if (c % SLOPE_GROUP === SLOPE_GROUP - 1)
      this.#chroma?.finishGroup(c + 1 - SLOPE_GROUP, this.symbols, this.#symbolsAt)
    if (residual === 0) return
    const { dense, denseWeights, features, featureSums } = this.#model
    const magnitude = Math.min(MAGNITUDE_CAP, Math.abs(residual))
    this.#magnitudes[this.#here * LATENTS + c] = magnitude
    if (c < dense) {
      const scale = this.#scale
      const row = c * LATENTS
      const active = this.#active
      for (let d = c + 1; d < active; d++) scale[d] = scale[d]! + denseWeights[row + d]! * magnitude
    }
    const sums = this.#sums
    const row = c * features
    for (let f = 0; f < features; f++) sums[f] = sums[f]! + featureSums[row + f]! * magnitude
  }

  /** Ends a position: its features become visible to its neighbours. */
  finish(): void {
    const { features } = this.#model
    const at = this.#here * features
    for (let f = 0; f < features; f++)
      this.#featureValues[at + f] = Math.min(FEATURE_CAP, Math.max(0, this.#sums[f]!) >> FEATURE_SHIFT)
    this.#chroma?.finish(this.#here)
    if (this.#split !== 0) this.#turnBack()
    this.#intra?.finish(this.#here, this.symbols, this.#symbolsAt)
  }

  #turnBack(): void {
    const at = this.#symbolsAt
    turnBack(this.#whole.splits!, this.#split, this.symbols.subarray(at, at + LATENTS), SYMBOL_LIMIT)
    this.#intra?.turned(this.symbols, at)
  }
}

const moved = (offset: number, step: number): number =>
  Math.max(-OFFSET_LIMIT, Math.min(OFFSET_LIMIT, offset + step))

const clamp = (symbol: number): number => Math.max(-SYMBOL_LIMIT, Math.min(SYMBOL_LIMIT, symbol))
