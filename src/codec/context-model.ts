/**
 * The entropy model's integer side: which magnitude table codes a symbol, and what its neighbours predict. Only integer
 * arithmetic on symbols already coded decides, so every device recovers the same symbols (DESIGN §4).
 *
 * Positions of a tile are coded row by row, the channels of a position in order. The scale of symbol c is a sum, in
 * units of 2^-14, of a bias that depends on the quality and of weighted magnitudes min(|symbol|, 15):
 *   same     channel c at the west, north, north-west and north-east neighbours    [4, 768]
 *   dense    channels before c at this position, of the first contextDense          [contextDense, 768]
 *   feature  relu of contextFeatures sums over a neighbour's channels, 2^-4        [4, features, 768], 2^-10
 *   hidden   the hidden layer of the prediction below, at most 15, 2^-4            [hidden, 768], 2^-10
 * The number of `thresholds` that the sum reaches, and how far it is on the way to the next, is a rank in units of
 * 2^-8. To it comes the drift of the channel: after every symbol the channel's offset moves by `drift` [64, 16], 2^-16,
 * the gradient of the symbol's log-probability times a small rate, so that a tile's own texture counts. The whole rank
 * is the place of the table in `table_of_scale`, or the table itself. With dependent quantization (dependent-quantization.ts)
 * each of both quantizers has its own 64 ranks, tables and drifts, the second ones after the first, and whole |symbol| above
 * is the magnitude coded.
 *
 * Symbols of the first meanChannels are residuals against a prediction, in units of 2^-4, from the signed symbols of
 * the same channels at the four neighbours: a linear part, and a hidden layer relu(mean_in · neighbours) without bias
 * (both scale with the symbols, so one set of weights serves all qualities), times a gain for the quality.
 * Weights are in units of 2^-10, sums wrap at 32 bits.
 *
 * Where the model has it, what the edges of the neighbours foretell (intra-prediction.ts) is added to the means, and its
 * hidden layer to the scales as the one above; then, where it predicts chroma, what luma foretells (chroma-prediction.ts).
 *
 * This file is the reference; src/codec/kernel computes the same on WebAssembly.
 */
import { checkChromaModel, ChromaPrediction, SLOPE_GROUP, type ChromaModel } from './chroma-prediction'
import { nextState, quantizerOf, reconstruct, type Quantizer, type State } from './dependent-quantization'
import { dot } from './integers'
import { INTRA_CHANNELS, INTRA_STAGE_COUNT, IntraPrediction, type IntraModel } from './intra-prediction'
import { KNOTS, QUALITY_MAX } from './quality'
import { LATENTS, type CodecWeights } from './weights'

export const MAGNITUDE_CAP = 15
export const FEATURE_CAP = 4095
/** Feature sums are in units of 2^-12, features in units of 2^-4. */
export const FEATURE_SHIFT = 8
export const SCALE_BITS = 14
export const LOW_RANGE = 8 << SCALE_BITS
export const LOW_SHIFT = 7
export const HIGH_ENTRIES = 512
export const NEIGHBOURS = 4
export const HIDDEN_CAP = MAGNITUDE_CAP << 4
export const MEAN_SHIFT = 10
export const MEAN_HALF = 1 << (MEAN_SHIFT - 1)

/** Fine steps from one table to the next. */
const RANK_UNIT = 256
export const RANK_HALF = RANK_UNIT / 2
export const RANK_SHIFT = 8
/** Offsets of channels are in units of 2^-16 tables; 2^-8 of them is a rank. */
export const OFFSET_SHIFT = 8
/** Eight tables either way. */
export const OFFSET_LIMIT = 8 << 16
export const DRIFT_LEVELS = 16

/** Symbols are kept in sixteenths, so that a prediction need not be whole. */
export const SYMBOL_UNIT = 16
/** Largest whole symbol; the encoder clips to it. */
export const SYMBOL_MAX = 2047
/** The same in sixteenths: no prediction and no symbol goes beyond. */
export const SYMBOL_LIMIT = SYMBOL_MAX * SYMBOL_UNIT

export interface ContextModel {
  readonly dense: number
  readonly features: number
  readonly means: number
  readonly bias: Int32Array
  readonly sameWeights: Int32Array
  readonly denseWeights: Int32Array
  readonly featureWeights: Int32Array
  readonly featureSums: Int32Array
  readonly hidden: number
  /** [means, 4 * means] */
  readonly meanWeights: Int32Array
  /** [hidden, 4 * means] */
  readonly meanIn: Int32Array
  /** [means, hidden] */
  readonly meanOut: Int32Array
  /** At this quality, 2^-10, [means]. */
  readonly meanGain: Int32Array
  /** [hidden, 768] */
  readonly hiddenWeights: Int32Array
  /** Ranks of scale sums: in steps of 2^LOW_SHIFT from -LOW_RANGE to LOW_RANGE, and of whole scales. */
  readonly low: Int16Array
  readonly high: Int16Array
  /** 2 where quantization is dependent. */
  readonly quantizers: 1 | 2
  /** Table of a whole rank, [quantizers * 64 ranks]. */
  readonly tableOf: Uint8Array
  /** [quantizers * 64 ranks, 16 levels]; a level is |residual| >> driftShift of the rank, at most 15. */
  readonly drift: Int32Array
  readonly driftShift: Int32Array
  /** null where the model does not predict chroma. */
  readonly chroma: ChromaModel | null
  /** null where the edges of neighbours predict nothing. */
  readonly intra: IntraModel | null
}

/** The model at one quality; bias knots are interpolated in integers. */
export function contextModelAt(weights: CodecWeights, quality: number): ContextModel {
  const tensor = (name: string): Int32Array => {
    const found = weights.integers.get(name)
    if (found === undefined) throw new RangeError(`The model has no integer tensor ${name}.`)
    return found
  }
  const { contextDense, contextFeatures, meanChannels, meanHidden, intraWidth, intraHidden } = weights.config
  const thresholds = tensor('thresholds')
  const rankOf = (sum: number): number => {
    let reached = 0
    while (reached < thresholds.length && thresholds[reached]! <= sum) reached++
    if (reached === 0 || reached === thresholds.length) return reached * RANK_UNIT
    const [from, to] = [thresholds[reached - 1]!, thresholds[reached]!]
    return reached * RANK_UNIT - RANK_HALF + Math.floor((RANK_UNIT * (sum - from)) / (to - from))
  }
  return {
    dense: contextDense,
    features: contextFeatures,
    means: meanChannels,
    hidden: meanHidden,
    bias: betweenKnots(tensor('scale_bias'), LATENTS, quality),
    sameWeights: tensor('scale_same'),
    denseWeights: tensor('scale_dense'),
    featureWeights: tensor('scale_feature'),
    featureSums: tensor('feature'),
    meanWeights: tensor('mean_weight'),
    meanIn: tensor('mean_in'),
    meanOut: tensor('mean_out'),
    meanGain: betweenKnots(tensor('mean_gain'), meanChannels, quality),
    hiddenWeights: tensor('scale_hidden'),
    low: Int16Array.from({ length: (2 * LOW_RANGE) >> LOW_SHIFT }, (_, i) =>
      rankOf((i << LOW_SHIFT) - LOW_RANGE),
    ),
    high: Int16Array.from({ length: HIGH_ENTRIES }, (_, i) => rankOf(i << SCALE_BITS)),
    quantizers: weights.config.dependentQuantization === undefined ? 1 : 2,
    tableOf: Uint8Array.from(weights.integers.get('table_of_scale') ?? weights.tables.keys()),
    drift: tensor('drift'),
    driftShift: tensor('drift_shift'),
    chroma: weights.config.chromaPrediction === undefined ? null : chromaModel(),
    intra: intraWidth === undefined || intraHidden === undefined ? null : intraModel(intraWidth, intraHidden),
  }

  function chromaModel(): ChromaModel {
    const model = {
      lumaOf: tensor('luma_of'),
      firstOf: tensor('first_of'),
      lumaGain: betweenKnots(tensor('luma_gain'), LATENTS, quality),
      firstGain: betweenKnots(tensor('first_gain'), LATENTS, quality),
    }
    checkChromaModel(model)
    return model
  }

  function intraModel(width: number, hidden: number): IntraModel {
    const stages = Array.from({ length: INTRA_STAGE_COUNT }, (_, i) => i)
    return {
      width,
      hidden,
      edges: tensor('intra_edges'),
      step: betweenKnots(tensor('intra_step'), INTRA_CHANNELS, quality),
      gain: betweenKnots(tensor('intra_gain'), INTRA_CHANNELS, quality),
      in: tensor('intra_in'),
      mid: stages.map((i) => tensor(`intra_mid_${i}`)),
      out: stages.map((i) => tensor(`intra_out_${i}`)),
      scaleWeights: tensor('scale_intra'),
    }
  }
}

/** A row of [KNOTS, columns] at a quality, interpolated in integers. */
function betweenKnots(knots: Int32Array, columns: number, quality: number): Int32Array {
  const scaled = (QUALITY_MAX - quality) * (KNOTS - 1)
  const low = Math.min(KNOTS - 2, Math.floor(scaled / QUALITY_MAX))
  const part = scaled - low * QUALITY_MAX
  return Int32Array.from({ length: columns }, (_, c) => {
    const [a, b] = [knots[low * columns + c]!, knots[(low + 1) * columns + c]!]
    return Math.floor((a * (QUALITY_MAX - part) + b * part) / QUALITY_MAX)
  })
}

/** What is known of a tile while it is coded or decoded, position by position. */
export class TileContext {
  /** Symbols in sixteenths, [positions, active]. */
  readonly symbols: Int16Array
  readonly #model: ContextModel
  readonly #width: number
  readonly #active: number
  /** Magnitudes and features of positions, with one empty position before and after each row. */
  readonly #magnitudes: Uint8Array
  readonly #featureValues: Int32Array
  readonly #scale = new Int32Array(LATENTS)
  /** How far each channel's tables lie from what the sums say, 2^-16. */
  readonly #offset = new Int32Array(LATENTS)
  readonly #sums: Int32Array
  readonly #near = new Int32Array(NEIGHBOURS)
  /** Signed symbols of the neighbours, [4, means], and the hidden layer on them. */
  readonly #nearSymbols: Int32Array
  readonly #hidden: Int32Array
  readonly #chroma: ChromaPrediction | null
  readonly #intra: IntraPrediction | null
  /** Offsets before the position, to start it again; only with dependent quantization. */
  readonly #offsetBefore: Int32Array | null
  readonly #ranks: number
  #x = 0
  #y = 0
  #here = 0
  #symbolsAt = 0
  #rank = 0
  #state: State = 0

  constructor(model: ContextModel, width: number, height: number, active: number) {
    this.#model = model
    this.#width = width
    this.#active = active
    this.symbols = new Int16Array(width * height * active)
    const padded = (width + 2) * (height + 1)
    this.#magnitudes = new Uint8Array(padded * LATENTS)
    this.#featureValues = new Int32Array(padded * model.features)
    this.#sums = new Int32Array(model.features)
    this.#nearSymbols = new Int32Array(NEIGHBOURS * model.means)
    this.#hidden = new Int32Array(model.hidden)
    this.#chroma = model.chroma === null ? null : new ChromaPrediction(model.chroma, padded)
    this.#intra = model.intra === null ? null : new IntraPrediction(model.intra, padded, active)
    this.#offsetBefore = model.quantizers === 1 ? null : new Int32Array(LATENTS)
    this.#ranks = model.tableOf.length / model.quantizers
  }

  /** Of dependent quantization; else always 0. */
  get state(): State {
    return this.#state
  }

  /** Goes to a position; they must come row by row. */
  start(x: number, y: number): void {
    this.#offsetBefore?.set(this.#offset)
    this.#begin(x, y)
  }

  /** Forgets what was put at this position; only with dependent quantization. */
  startAgain(): void {
    this.#offset.set(this.#offsetBefore!)
    const at = this.#here * LATENTS
    this.#magnitudes.fill(0, at, at + LATENTS)
    this.#begin(this.#x, this.#y)
  }

  #begin(x: number, y: number): void {
    const { bias, sameWeights, featureWeights, features, hiddenWeights } = this.#model
    const stride = this.#width + 2
    const here = (y + 1) * stride + x + 1
    const near = this.#near
    near[0] = here - 1
    near[1] = here - stride
    near[2] = here - stride - 1
    near[3] = here - stride + 1
    this.#x = x
    this.#y = y
    this.#here = here
    this.#state = 0
    this.#symbolsAt = (y * this.#width + x) * this.#active
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
    for (let t = 0; t < NEIGHBOURS; t++) {
      const values = near[t]! * features
      for (let f = 0; f < features; f++) {
        const value = this.#featureValues[values + f]!
        if (value === 0) continue
        const row = (t * features + f) * LATENTS
        for (let c = 0; c < active; c++) scale[c] = scale[c]! + featureWeights[row + c]! * value
      }
    }
    this.#readNeighbours(x, y)
    this.#seeHidden(this.#hidden, hiddenWeights)
    if (this.#intra !== null) this.#seeHidden(this.#intra.start(near), this.#model.intra!.scaleWeights)
    this.#sums.fill(0)
    this.#chroma?.start(near)
  }

  /** Adds what a hidden layer of predictions says of the scales; weights [layer, 768]. */
  #seeHidden(layer: Int16Array | Int32Array, weights: Int32Array): void {
    const scale = this.#scale
    const active = this.#active
    layer.forEach((value, h) => {
      const seen = Math.min(HIDDEN_CAP, value)
      if (seen === 0) return
      const row = h * LATENTS
      for (let c = 0; c < active; c++) scale[c] = scale[c]! + weights[row + c]! * seen
    })
  }

  #readNeighbours(x: number, y: number): void {
    const { means, meanIn } = this.#model
    const width = this.#width
    const active = this.#active
    const near = this.#nearSymbols.fill(0)
    const take = (tap: number, at: number): void =>
      near.set(this.symbols.subarray(at, at + Math.min(means, active)), tap * means)
    const at = this.#symbolsAt
    const north = at - width * active
    if (x > 0) take(0, at - active)
    if (y > 0) {
      take(1, north)
      if (x > 0) take(2, north - active)
      if (x + 1 < width) take(3, north + active)
    }
    const hidden = this.#hidden
    for (let h = 0; h < hidden.length; h++)
      hidden[h] = Math.max(0, dot(meanIn, h * near.length, near) >> MEAN_SHIFT)
  }

  /** Table for channel c at this position: of the quantizer of the state unless told. */
  table(c: number, quantizer: Quantizer = quantizerOf(this.#state)): number {
    const { low, high, tableOf } = this.#model
    const s = this.#scale[c]!
    const fine =
      s >= LOW_RANGE
        ? high[Math.min(HIGH_ENTRIES - 1, s >> SCALE_BITS)]!
        : low[Math.max(0, (s + LOW_RANGE) >> LOW_SHIFT)]!
    const rank = (fine + (this.#offset[c]! >> OFFSET_SHIFT) + RANK_HALF) >> RANK_SHIFT
    this.#rank = Math.max(0, Math.min(this.#ranks - 1, rank))
    return tableOf[quantizer * this.#ranks + this.#rank]!
  }

  /** Predicted symbol of channel c at this position, in sixteenths; channels come in order. */
  mean(c: number): number {
    const nearby = clamp(this.#meanFromNeighbours(c) + this.#foretoldByEdges(c))
    const chroma = this.#chroma
    if (chroma === null) return nearby
    if (c % SLOPE_GROUP === 0) chroma.startGroup(c, this.symbols, this.#symbolsAt)
    return clamp(nearby + chroma.of(c))
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
  put(c: number, residual: number, mean: number, quantizer: Quantizer = quantizerOf(this.#state)): void {
    const isDependent = this.#model.quantizers === 2
    const restored = isDependent ? reconstruct(quantizer, residual) : residual * SYMBOL_UNIT
    this.symbols[this.#symbolsAt + c] = clamp(restored + mean)
    if (isDependent) this.#state = nextState(this.#state, residual)
    if (c % SLOPE_GROUP === SLOPE_GROUP - 1)
      this.#chroma?.finishGroup(c + 1 - SLOPE_GROUP, this.symbols, this.#symbolsAt)
    const { dense, denseWeights, features, featureSums, drift, driftShift } = this.#model
    const rank = quantizer * this.#ranks + this.#rank
    const level = Math.min(DRIFT_LEVELS - 1, Math.abs(residual) >> driftShift[rank]!)
    const offset = this.#offset[c]! + drift[rank * DRIFT_LEVELS + level]!
    this.#offset[c] = Math.max(-OFFSET_LIMIT, Math.min(OFFSET_LIMIT, offset))
    if (residual === 0) return
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
    this.#intra?.finish(this.#here, this.symbols, this.#symbolsAt)
  }
}

const clamp = (symbol: number): number => Math.max(-SYMBOL_LIMIT, Math.min(SYMBOL_LIMIT, symbol))
