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
 * is the place of the table in `table_of_scale`, or the table itself.
 *
 * Symbols of the first meanChannels are residuals against a prediction, in units of 2^-4, from the signed symbols of
 * the same channels at the four neighbours: a linear part, and a hidden layer relu(mean_in · neighbours) without bias
 * (both scale with the symbols, so one set of weights serves all qualities), times a gain for the quality.
 * Weights are in units of 2^-10, sums wrap at 32 bits.
 *
 * Where the model has them: what the edges of the neighbours foretell (intra-prediction.ts) is added to the means, and its
 * hidden layer to the scales as the one above; then what luma foretells of chroma (chroma-prediction.ts). What the symbols
 * of the position say of its later channels (scale-stages.ts) is added to the scales. Offsets of kinds of symbols drift
 * beside those of channels (calibration.ts). Where positions choose their block transform (splits/), some weights are
 * those of their split.
 *
 * This file holds a model, tile-context.ts computes with it: the reference. src/codec/kernel does the same on WebAssembly.
 */
import { checkChromaModel, type ChromaModel } from './chroma-prediction'
import { INTRA_CHANNELS, INTRA_STAGE_COUNT, type IntraModel } from './intra-prediction'
import { KNOTS, QUALITY_MAX } from './quality'
import { SCALE_STAGES, type StageModel } from './scale-stages'
import { splitName, SPLITS, type SplitModel } from './splits/split-model'
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
  /** Table of a whole rank. */
  readonly tableOf: Uint8Array
  /** [64 ranks, 16 levels]; a level is |residual| >> driftShift of the rank, at most 15. */
  readonly drift: Int32Array
  readonly driftShift: Int32Array
  /** null where the model does not predict chroma. */
  readonly chroma: ChromaModel | null
  /** null where the edges of neighbours predict nothing. */
  readonly intra: IntraModel | null
  /** null where the symbols of a position say no more of its scales than the dense weights. */
  readonly stages: StageModel | null
  /** Whether offsets of kinds of symbols drift too. */
  readonly isCalibrated: boolean
  /** null where all positions are whole, and in the models of split ones. */
  readonly splits: (SplitModel & { readonly models: readonly ContextModel[] }) | null
}

/** The parts of which every split has its own. */
type OfSplit = Pick<ContextModel, 'bias' | 'meanWeights' | 'meanOut' | 'meanGain' | 'intra' | 'stages'>

/** The model at one quality; bias knots are interpolated in integers. */
export function contextModelAt(weights: CodecWeights, quality: number): ContextModel {
  const { contextDense, contextFeatures, meanChannels, meanHidden } = weights.config
  const tensor = tensorsOf(weights, 0)
  const thresholds = tensor('thresholds')
  const rankOf = (sum: number): number => {
    let reached = 0
    while (reached < thresholds.length && thresholds[reached]! <= sum) reached++
    if (reached === 0 || reached === thresholds.length) return reached * RANK_UNIT
    const [from, to] = [thresholds[reached - 1]!, thresholds[reached]!]
    return reached * RANK_UNIT - RANK_HALF + Math.floor((RANK_UNIT * (sum - from)) / (to - from))
  }
  const whole = {
    ...partsOf(weights, quality, 0),
    dense: contextDense,
    features: contextFeatures,
    means: meanChannels,
    hidden: meanHidden,
    sameWeights: tensor('scale_same'),
    denseWeights: tensor('scale_dense'),
    featureWeights: tensor('scale_feature'),
    featureSums: tensor('feature'),
    meanIn: tensor('mean_in'),
    hiddenWeights: tensor('scale_hidden'),
    low: Int16Array.from({ length: (2 * LOW_RANGE) >> LOW_SHIFT }, (_, i) =>
      rankOf((i << LOW_SHIFT) - LOW_RANGE),
    ),
    high: Int16Array.from({ length: HIGH_ENTRIES }, (_, i) => rankOf(i << SCALE_BITS)),
    tableOf: Uint8Array.from(weights.integers.get('table_of_scale') ?? weights.tables.keys()),
    drift: tensor('drift'),
    driftShift: tensor('drift_shift'),
    chroma: weights.config.chromaPrediction === undefined ? null : chromaModel(),
    isCalibrated: weights.config.calibration !== undefined,
    splits: null,
  }
  if (weights.config.splits === undefined) return whole
  const models = Array.from({ length: SPLITS - 1 }, (_, i) => ({
    ...whole,
    ...partsOf(weights, quality, i + 1),
  }))
  return { ...whole, splits: { ...splitModel(), models } }

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

  function splitModel(): SplitModel {
    return {
      halves: tensor('split_halves'),
      place: tensor('split_place'),
      sign: tensor('split_sign'),
      step: betweenKnots(tensor('split_step'), LATENTS, quality),
      unstep: betweenKnots(tensor('split_unstep'), LATENTS, quality),
      prior: tensor('split_prior'),
    }
  }
}

/** Integer tensors by name: the split's own where it has one. */
function tensorsOf({ integers }: CodecWeights, split: number): (name: string) => Int32Array {
  return (name) => {
    const found = integers.get(splitName(split, name)) ?? integers.get(name)
    if (found === undefined) throw new RangeError(`The model has no integer tensor ${name}.`)
    return found
  }
}

function partsOf(weights: CodecWeights, quality: number, split: number): OfSplit {
  const tensor = tensorsOf(weights, split)
  const { intraWidth, intraHidden, stageHidden, meanChannels } = weights.config
  return {
    bias: betweenKnots(tensor('scale_bias'), LATENTS, quality),
    meanWeights: tensor('mean_weight'),
    meanOut: tensor('mean_out'),
    meanGain: betweenKnots(tensor('mean_gain'), meanChannels, quality),
    intra: intraWidth === undefined || intraHidden === undefined ? null : intraModel(intraWidth, intraHidden),
    stages: stageHidden === undefined ? null : stageModel(stageHidden),
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

  function stageModel(hidden: number): StageModel {
    const all = (part: string): Int32Array[] => SCALE_STAGES.map((_, i) => tensor(`stage_${part}_${i}`))
    return { hidden, in: all('in'), bias: all('bias'), out: all('out') }
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
