/**
 * Where the entropy kernel keeps what, in bytes of its memory. Channels, hidden units and means come in
 * groups of 16; a *row* is the int16 weights from one source of scale to the channels of a group (an earlier channel) or
 * of a pass (a neighbour's feature, a hidden unit). A *site* is what later positions see of a position.
 *
 *   state ‖ lists ‖ tables ‖ sites of two rows of positions ‖ weights ‖ those of splits ‖ the tile: symbols or y, coded bytes
 *
 * A split has a layout too: that of whole positions, but for the addresses of the weights that are its own.
 */
import { PAIR_SUMS } from '../chroma-prediction'
import { CALIBRATION_BANDS, CALIBRATION_LEVELS } from '../calibration'
import { DRIFT_LEVELS, HIGH_ENTRIES, LOW_RANGE, LOW_SHIFT, NEIGHBOURS } from '../context-model'
import { EDGES, INTRA_CHANNELS, INTRA_INPUTS, INTRA_STAGES, INTRA_STAGE_COUNT } from '../intra-prediction'
import { PRECISION_BITS } from '../rans'
import { SCALE_STAGES } from '../scale-stages'
import { SPLITS } from '../splits/split-model'
import { ENTROPY_TILE } from '../types'
import { BLOCK, LATENTS, type CodecConfig } from '../weights'
import { inPasses, type WeightsLayout } from './layers'
import { splitLayouts, type Take } from './split-layouts'

export const GROUP = 16
export const ROW_BYTES = 2 * GROUP
/** int16 pairs of two inputs for a group of outputs. */
export const PAIR_BYTES = 4 * GROUP
export const TILE_SIDE = ENTROPY_TILE / BLOCK
const POSITIONS = TILE_SIDE * TILE_SIDE
const PAGE = 65536

/** Fields of the state, as int32 where nothing else is said. */
export const STATE = {
  /** rANS state, and the address of the next byte and of the end. */
  coder: 0,
  at: 4,
  end: 8,
  /** Decoding: next bit and end, counted from rawBytes. Encoding: bits in the accumulator and their number. */
  rawBit: 12,
  rawEnd: 16,
  rawPending: 20,
  rawCount: 24,
  /** Address of the raw bytes; the encoder moves it on. */
  rawBytes: 28,
  /** Encoding: bits that a unit of squared error is worth, as float32. */
  worth: 32,
} as const

/** The ranks of scale sums: fine steps below 8, then HIGH_ENTRIES whole numbers. */
export const LOW_ENTRIES = (2 * LOW_RANGE) >> LOW_SHIFT

/** Record of a whole rank: drift by level (i32), then the address of its table and the shift to levels. */
export const RANK = { drift: 0, table: 4 * DRIFT_LEVELS, shift: 4 * DRIFT_LEVELS + 4 } as const
export const RANK_BYTES = 128

/** What chroma prediction needs, all regions within the first 64 KiB; channels are int16. */
export interface ChromaLayout {
  /** By channel: its luma symbol, and what is left of the first chroma. */
  readonly luma: number
  readonly first: number
  /** By channel: what luma foretold. Of a group: what it did not foretell. */
  readonly fromLuma: number
  readonly left: number
  /** By channel: two addresses (u16) of those who read it; `unread` takes what nobody reads. */
  readonly readers: number
  readonly unread: number
  /** By channel, all ones for a second chroma. */
  readonly isSecond: number
  readonly lumaGain: number
  readonly firstGain: number
  /** Sums of the neighbours (i32), and of the position itself (each in four lanes). */
  readonly near: number
  readonly own: number
  readonly siteSums: number
}

/** What prediction from edges needs; values are int16 where nothing else is said. */
export interface IntraLayout {
  /** Units of a second layer, in whole groups: so many rows of scale. */
  readonly units: number
  /** Edges of the neighbours, [100]. */
  readonly inputs: number
  /** The first layer, and the list of what is not zero in it, whose length (i32) is kept. */
  readonly first: number
  readonly firstAt: number
  readonly firstValues: number
  readonly firstCount: number
  /** The position's symbols in common steps. */
  readonly scaled: number
  /** The second layer of the stage, its list, and what is foretold by channel. */
  readonly hidden: number
  readonly hiddenAt: number
  readonly hiddenValues: number
  readonly foretold: number
  /** By channel; the gain as i32. */
  readonly step: number
  readonly gain: number
  readonly siteEdges: number
  readonly in: WeightsLayout
  /** The second layers' weights of the first layer, and of the position's own symbols. */
  readonly midFirst: readonly WeightsLayout[]
  readonly midOwn: readonly WeightsLayout[]
  readonly out: readonly WeightsLayout[]
  readonly edges: WeightsLayout
}

/** What calibration needs; values are int32. */
export interface CalibrationLayout {
  /** By group: where the cells of its band are. */
  readonly bands: number
  /** By band and level. */
  readonly cells: number
  /** By level: what a group's symbols add to the cells of their band. */
  readonly pending: number
}
/** The cells of a band. */
export const CELLS_BYTES = 4 * CALIBRATION_LEVELS

/** What stages of scale need; values are int32 where nothing else is said. */
export interface StageLayout {
  /** Units of a hidden layer, in whole passes. */
  readonly units: number
  /** Biases by stage and unit, and with them what features say. */
  readonly bias: number
  readonly known: number
  /** The hidden layer of a stage (i16) and its list. */
  readonly hidden: number
  readonly hiddenAt: number
  readonly hiddenValues: number
  /** What stages have added to scales, by channel. */
  readonly late: number
  readonly fromFeatures: WeightsLayout
  readonly fromSeen: readonly WeightsLayout[]
  readonly out: readonly WeightsLayout[]
}

/** What turning back needs (turn.ts). */
export interface TurnLayout {
  /** What the split halves. */
  readonly rows: boolean
  readonly columns: boolean
  /** By channel: twice its natural index (u16); its step with its sign, and one over the step (i32); all ones where its sign is -1 (i16). */
  readonly natural: number
  readonly step: number
  readonly unstep: number
  readonly negative: number
  /** Pairs of weights (i16) of two frequencies of the halves, [whole, pairs] and [pairs, whole]. */
  readonly rowHalves: number
  readonly columnHalves: number
  /** The position in natural order (i16), and its rows by pairs. */
  readonly block: number
  readonly pairs: number
}

/** What splitting latents needs (split.ts); values are float32 where nothing else is said. */
export interface SplitLayout {
  /** By colour, v and u: address of the latent within its position (i32), its step with its sign, and one over it. */
  readonly place: number
  readonly steps: number
  readonly unsteps: number
  /** What the guess multiplies luma with. */
  readonly guessed: number
  /** [halves, whole], and the same [whole, halves]. */
  readonly halves: number
  readonly halvesAcross: number
  /** A block in every split, and what it would cost in four parts (i32). */
  readonly blocks: number
  readonly costs: number
}

/** What trials of splits need (trial.ts). */
export interface TrialLayout {
  /** Latents of the position in the split that is tried (f32). */
  readonly y: number
  /** By channel (f32): squared steps, so that errors of all splits are in one unit. */
  readonly weights: number
}

export interface KernelLayout {
  readonly features: number
  readonly hidden: number
  readonly means: number
  readonly dense: number
  /** Rows of a pass of channels, known before the position: NEIGHBOURS * features, hidden, the units of intra prediction. */
  readonly rows: number
  readonly rankCount: number
  /** Pairs of neighbouring symbols that predict. */
  readonly pairs: number

  readonly pairAt: number
  readonly pairValues: number
  readonly rowAt: number
  readonly rowValues: number
  /** The list of channels of the position that add to the scales of later ones. */
  readonly denseAt: number
  readonly denseValues: number
  readonly seenAt: number
  readonly seenValues: number
  readonly hiddenValues: number
  readonly sums: number
  /** Scales by channel from what is known before the position (i32), and those of a group. */
  readonly bases: number
  readonly scales: number
  readonly symbols: number

  /** Ranks of scale sums (i16), records of whole ranks, and offsets of channels (i32). */
  readonly fine: number
  readonly ranks: number
  readonly offsets: number

  readonly tables: number
  /** From a table entry's cumulative frequency to its bits. */
  readonly bitsAfter: number

  /** By frequency, what a division by it is a multiplication with. */
  readonly inverses: number

  readonly sites: number
  readonly siteBytes: number
  readonly siteFeatures: number
  readonly siteSymbols: number

  readonly bias: number
  readonly same: number
  readonly rowWeights: WeightsLayout
  readonly denseWeights: number
  readonly featureWeights: WeightsLayout
  readonly pairWeights: number
  readonly meanOut: number
  readonly meanGain: number

  /** null where the model does not predict chroma. */
  readonly chroma: ChromaLayout | null
  /** null where the edges of neighbours predict nothing. */
  readonly intra: IntraLayout | null
  /** null where scales have no stages. */
  readonly stages: StageLayout | null
  /** null where the model is not calibrated. */
  readonly calibration: CalibrationLayout | null
  /** null where positions are whole. */
  readonly turn: TurnLayout | null
  /** null where the model has no splits. */
  readonly split: SplitLayout | null
  readonly trial: TrialLayout | null

  /** Decoding: symbols [positions, active], or [positions, 768] where some are split, and the coded tile. Encoding: y, chosen residuals, raw bits, coded bytes. */
  readonly out: number
  readonly input: number
  readonly inputBytes: number
  readonly y: number
  readonly chosen: number
  readonly raw: number
  readonly coded: number
  readonly codedEnd: number
  readonly pages: number
}

const grouped = (n: number): number => Math.ceil(n / GROUP) * GROUP

/** Layouts of whole positions and, where the model has them, of the splits. */
export function kernelLayouts(
  config: CodecConfig,
  rankCount: number,
  tableEntries: number,
): readonly [KernelLayout, ...KernelLayout[]] {
  const features = inPasses(config.contextFeatures)
  const hidden = grouped(config.meanHidden)
  const means = grouped(config.meanChannels)
  const dense = config.contextDense
  const units = grouped(config.intraHidden ?? 0)
  const rows = NEIGHBOURS * features + hidden + units
  const pairs = (NEIGHBOURS * means) / 2
  let next = 64
  const take: Take = (bytes) => {
    const at = next
    next += Math.ceil(bytes / 64) * 64
    return at
  }
  const siteFeatures = LATENTS
  const siteSymbols = siteFeatures + 2 * features
  const siteSums = siteSymbols + 2 * means
  const predictsChroma = config.chromaPrediction !== undefined
  const siteEdges = siteSums + (predictsChroma ? 32 : 0)
  const { intraWidth, intraHidden } = config
  const predictsEdges = intraWidth !== undefined && intraHidden !== undefined
  const siteBytes = siteEdges + (predictsEdges ? 2 * EDGES : 0)
  const channels = (): number => take(2 * LATENTS)
  const chroma: ChromaLayout | null = predictsChroma
    ? {
        ...{ luma: channels(), first: channels(), fromLuma: channels(), left: take(2 * GROUP) },
        ...{ readers: take(4 * LATENTS), unread: take(2), isSecond: channels() },
        ...{
          lumaGain: channels(),
          firstGain: channels(),
          near: take(32),
          own: take(16 * PAIR_SUMS),
          siteSums,
        },
      }
    : null
  const small = {
    pairAt: take(4 * pairs + 4),
    pairValues: take(4 * pairs + 4),
    rowAt: take(4 * rows + 8),
    rowValues: take(2 * rows + 4),
    denseAt: take(4 * dense + 8),
    denseValues: take(2 * dense + 4),
    seenAt: take(4 * LATENTS + 8),
    seenValues: take(2 * LATENTS + 4),
    hiddenValues: take(4 * hidden),
    sums: take(4 * means),
    bases: take(4 * LATENTS),
    scales: take(4 * GROUP),
    symbols: take(2 * LATENTS),
    fine: take(2 * (LOW_ENTRIES + HIGH_ENTRIES)),
    ranks: take(RANK_BYTES * rankCount),
    offsets: take(4 * LATENTS),
    tables: take(4 * tableEntries),
    bits: take(4 * tableEntries),
    inverses: take(4 << PRECISION_BITS),
    sites: take(2 * (TILE_SIDE + 2) * siteBytes),
    bias: take(4 * LATENTS),
    same: take(2 * NEIGHBOURS * LATENTS),
    rowWeights: { at: take(2 * rows * LATENTS), inputs: rows, outputs: LATENTS },
    denseWeights: take(2 * dense * LATENTS),
    featureWeights: { at: take(2 * features * LATENTS), inputs: LATENTS, outputs: features },
    pairWeights: take(4 * pairs * (hidden + means)),
    meanOut: take(4 * hidden * means),
    meanGain: take(4 * means),
  }
  const stages = config.stageHidden === undefined ? null : stageLayout(config.stageHidden, features, take)
  const intra = predictsEdges ? intraLayout(intraWidth, intraHidden, siteEdges, take) : null
  const calibration: CalibrationLayout | null =
    config.calibration === undefined
      ? null
      : {
          bands: take((4 * LATENTS) / GROUP),
          cells: take(CALIBRATION_BANDS.length * CELLS_BYTES),
          pending: take(CELLS_BYTES),
        }
  const trial = config.splits === undefined ? null : { y: take(4 * LATENTS), weights: take(4 * LATENTS) }
  const split: SplitLayout | null =
    config.splits === undefined
      ? null
      : {
          ...{ place: take(4 * LATENTS), steps: take(4 * LATENTS), unsteps: take(4 * LATENTS) },
          guessed: take(4 * BLOCK * BLOCK),
          ...{ halves: take(4 * BLOCK * BLOCK), halvesAcross: take(4 * BLOCK * BLOCK) },
          ...{ blocks: take(4 * SPLITS * BLOCK * BLOCK), costs: take(16 * SPLITS) },
        }
  // Their addresses come last, so that a model without splits has none.
  const splits =
    config.splits === undefined ? [] : splitLayouts({ hidden, means, pairs, intra, stages }, take)
  const tile = next
  const symbols = POSITIONS * LATENTS
  // No sound tile is longer: two bytes a symbol at most, and 34 raw bits.
  const inputBytes = Math.ceil(symbols * (2 + 34 / 8)) + 64
  const [out, input] = [tile, tile + 2 * symbols]
  const y = tile
  const chosen = y + 4 * symbols
  const raw = chosen + 2 * symbols
  const coded = raw + 3 * symbols + 64
  const codedEnd = coded + 2 * symbols + 64
  const { bits, ...regions } = small
  const whole: KernelLayout = {
    ...{ features, hidden, means, dense, rows, pairs, rankCount },
    ...regions,
    bitsAfter: bits - regions.tables,
    ...{ chroma, intra, stages, calibration, turn: null, split, trial, siteBytes, siteFeatures, siteSymbols },
    ...{ out, input, inputBytes, y, chosen, raw, coded, codedEnd },
    pages: Math.ceil(Math.max(codedEnd, input + inputBytes) / PAGE),
  }
  return [whole, ...splits.map((own) => ({ ...whole, ...own }))]
}

function stageLayout(stageHidden: number, features: number, take: Take): StageLayout {
  const units = inPasses(stageHidden)
  const all = units * SCALE_STAGES.length
  const layer = (inputs: number, outputs: number): WeightsLayout => ({
    at: take(2 * inputs * outputs),
    inputs,
    outputs,
  })
  return {
    ...{ units, bias: take(4 * all), known: take(4 * all), late: take(4 * LATENTS) },
    ...{ hidden: take(2 * units), hiddenAt: take(4 * units + 8), hiddenValues: take(2 * units + 4) },
    fromFeatures: layer(NEIGHBOURS * features, all),
    fromSeen: SCALE_STAGES.map((start) => layer(start, units)),
    out: SCALE_STAGES.map((start) => layer(units, LATENTS - start)),
  }
}

function intraLayout(intraWidth: number, intraHidden: number, siteEdges: number, take: Take): IntraLayout {
  const [width, hidden] = [inPasses(intraWidth), inPasses(intraHidden)]
  const layer = (inputs: number, outputs: number): WeightsLayout => ({
    at: take(2 * inputs * outputs),
    inputs,
    outputs,
  })
  const stages = INTRA_STAGES.slice(0, INTRA_STAGE_COUNT)
  const channels = 2 * INTRA_CHANNELS
  return {
    ...{ units: grouped(intraHidden), siteEdges, inputs: take(2 * INTRA_INPUTS) },
    ...{ first: take(2 * width), firstAt: take(4 * width + 8), firstValues: take(2 * width + 4) },
    ...{ firstCount: take(4), scaled: take(channels), foretold: take(channels) },
    ...{ hidden: take(2 * hidden), hiddenAt: take(4 * hidden + 8), hiddenValues: take(2 * hidden + 4) },
    ...{ step: take(channels), gain: take(2 * channels) },
    in: layer(INTRA_INPUTS, width),
    midFirst: stages.map(() => layer(width, hidden)),
    midOwn: stages.map((from) => layer(from, hidden)),
    out: stages.map((from, i) => layer(hidden, INTRA_STAGES[i + 1]! - from)),
    edges: layer(INTRA_CHANNELS, EDGES),
  }
}
