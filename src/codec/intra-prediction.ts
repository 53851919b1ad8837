/**
 * What the edges of neighbours foretell of a position: a small network sees the luma of the two columns and rows of
 * pixels that touch the position, as the first INTRA_CHANNELS symbols of the neighbours draw them, and says how edges
 * and strokes go on. The channels are foretold in three stages; each also sees the symbols of this position before it.
 *
 *   in a position's symbols, in sixteenths, brought to common steps by a gain for the quality:  scaled [192]
 *   scaled · intra_edges [192, 64]                right edge (16 rows x 2) ‖ bottom edge (2 rows x 16), 2^-15
 *   edges of the neighbours [100]                 west's right ‖ north's bottom ‖ north-west's corner ‖ north-east's bottom
 *   relu(intra_in [width, 100] · edges)           the first layer
 *   relu(intra_mid_i [hidden, width + before] · (first layer ‖ scaled before the stage))
 *   intra_out_i [channels of the stage, hidden]   times a gain for the quality: in steps of the symbols again
 *
 * Weights and gains are in units of 2^-10. Sums and products wrap at 32 bits; what is kept of them saturates at 16.
 * Neighbours outside the tile are zero. The second layer of stage 0 also bears on the scales (context-model.ts).
 */
import { dot, saturate } from './integers'
import { KNOTS } from './quality'
import { LATENTS, type CodecConfig } from './weights'

/** Channels that are foretold and that draw the edges. */
export const INTRA_CHANNELS = 192
/** Stage i foretells channels from INTRA_STAGES[i] to before INTRA_STAGES[i + 1]; bounds of groups of 16 channels. */
export const INTRA_STAGES = [0, 32, 96, INTRA_CHANNELS] as const
export const INTRA_STAGE_COUNT = INTRA_STAGES.length - 1
/** Pixels. */
export const EDGE_DEPTH = 2
/** Values of one edge. */
export const EDGE = 16 * EDGE_DEPTH
/** Values of a position: right edge ‖ bottom edge. */
export const EDGES = 2 * EDGE
const CORNER = EDGE_DEPTH * EDGE_DEPTH
/** Values of the neighbours that a position sees. */
export const INTRA_INPUTS = 3 * EDGE + CORNER
export const INTRA_BITS = 10
export const INTRA_HALF = 1 << (INTRA_BITS - 1)
export const EDGE_BITS = 15
export const EDGE_HALF = 1 << (EDGE_BITS - 1)

export interface IntraModel {
  readonly width: number
  readonly hidden: number
  /** [192, 64] */
  readonly edges: Int32Array
  /** At this quality, 2^-10, [192]: from steps of symbols to common steps, and back with how far to trust. */
  readonly step: Int32Array
  readonly gain: Int32Array
  /** [width, 100] */
  readonly in: Int32Array
  /** By stage: [hidden, width + INTRA_STAGES[i]]. */
  readonly mid: readonly Int32Array[]
  /** By stage: [channels of the stage, hidden]. */
  readonly out: readonly Int32Array[]
  /** [hidden, 768] */
  readonly scaleWeights: Int32Array
}

/** Names and shapes of the integer tensors of intra prediction; none for a model without it. */
export function intraShapes({
  intraWidth,
  intraHidden,
}: CodecConfig): readonly (readonly [name: string, shape: readonly number[]])[] {
  if (intraWidth === undefined || intraHidden === undefined) return []
  const stages = INTRA_STAGES.slice(0, INTRA_STAGE_COUNT)
  return [
    ['intra_edges', [INTRA_CHANNELS, EDGES]],
    ['intra_step', [KNOTS, INTRA_CHANNELS]],
    ['intra_gain', [KNOTS, INTRA_CHANNELS]],
    ['intra_in', [intraWidth, INTRA_INPUTS]],
    ...stages.map((from, i) => [`intra_mid_${i}`, [intraHidden, intraWidth + from]] as const),
    ...stages.map((from, i) => [`intra_out_${i}`, [INTRA_STAGES[i + 1]! - from, intraHidden]] as const),
    ['scale_intra', [intraHidden, LATENTS]],
  ]
}

/** The predictions of one tile, position by position, stage by stage. */
export class IntraPrediction {
  #model: IntraModel
  readonly #active: number
  /** Edges of positions, [padded positions, EDGES]; those outside the tile stay zero. */
  readonly #edges: Int16Array
  readonly #inputs = new Int16Array(INTRA_INPUTS)
  readonly #first: Int16Array
  readonly #hidden: Int16Array
  /** Symbols of this position in common steps; zero where silent. */
  readonly #scaled = new Int16Array(INTRA_CHANNELS)
  /** Channels of this position that are in #scaled. */
  #known = 0
  readonly #foretold = new Int16Array(INTRA_CHANNELS)
  readonly #sums = new Int32Array(EDGES)

  /** `positions`: of the tile with those around it; `active`: channels that the tile codes. */
  constructor(model: IntraModel, positions: number, active: number) {
    this.#model = model
    this.#active = Math.min(INTRA_CHANNELS, active)
    this.#edges = new Int16Array(positions * EDGES)
    this.#first = new Int16Array(model.width)
    this.#hidden = new Int16Array(model.hidden)
  }

  /**
   * Goes to a position, whose split has the model, and foretells the channels of the first stage. `near`: west, north,
   * north-west and north-east. Gives the second layer of that stage, [hidden], in sixteenths; a view until the next stage.
   */
  start(model: IntraModel, near: Int32Array): Int16Array {
    this.#model = model
    const inputs = this.#inputs
    const take = (to: number, site: number, from: number, count: number): void => {
      const at = near[site]! * EDGES + from
      inputs.set(this.#edges.subarray(at, at + count), to)
    }
    take(0, 0, 0, EDGE)
    take(EDGE, 1, EDGE, EDGE)
    take(2 * EDGE, 2, EDGE - CORNER, CORNER)
    take(2 * EDGE + CORNER, 3, EDGE, EDGE)
    const weights = this.#model.in
    this.#first.forEach((_, a, first) => {
      first[a] = rectified(dot(weights, a * INTRA_INPUTS, inputs))
    })
    this.#known = 0
    this.#foretell(0)
    return this.#hidden
  }

  /** Foretells the channels of a later stage where one begins at channel c; symbols before c [c] lie from `at` on. */
  reach(c: number, symbols: Int16Array, at: number): void {
    const stage = INTRA_STAGES.indexOf(c as (typeof INTRA_STAGES)[number])
    if (stage < 1 || stage === INTRA_STAGE_COUNT) return
    this.#learn(c, symbols, at)
    this.#foretell(stage)
  }

  #foretell(stage: number): void {
    const { width, hidden, gain } = this.#model
    const [mid, out] = [this.#model.mid[stage]!, this.#model.out[stage]!]
    const [from, to] = [INTRA_STAGES[stage]!, INTRA_STAGES[stage + 1]!]
    const own = this.#scaled.subarray(0, from)
    const layer = this.#hidden
    for (let g = 0; g < hidden; g++) {
      const row = g * (width + from)
      layer[g] = rectified((dot(mid, row, this.#first) + dot(mid, row + width, own)) | 0)
    }
    for (let c = from; c < to; c++) {
      const common = dot(out, (c - from) * hidden, layer) >> INTRA_BITS
      this.#foretold[c] = saturate((Math.imul(common, gain[c]!) + INTRA_HALF) >> INTRA_BITS)
    }
  }

  #learn(to: number, symbols: Int16Array, at: number): void {
    const { step } = this.#model
    for (let c = this.#known; c < to; c++)
      this.#scaled[c] = saturate(Math.imul(symbols[at + c]!, step[c]!) >> INTRA_BITS)
    this.#known = to
  }

  /** What is foretold of a channel of the stage, in sixteenths. */
  of(c: number): number {
    return this.#foretold[c]!
  }

  /** The symbols of the position, from `at` on, have been turned to the whole transform: all may be other than zero. */
  turned(symbols: Int16Array, at: number): void {
    this.#known = 0
    this.#learn(INTRA_CHANNELS, symbols, at)
  }

  /** The position's edges become visible to its neighbours; its symbols [active] lie from `at` on. */
  finish(here: number, symbols: Int16Array, at: number): void {
    this.#learn(this.#active, symbols, at)
    const weights = this.#model.edges
    const sums = this.#sums.fill(EDGE_HALF)
    this.#scaled.forEach((value, c) => {
      if (value === 0) return
      for (let j = 0; j < EDGES; j++) sums[j] = sums[j]! + Math.imul(value, weights[c * EDGES + j]!)
    })
    sums.forEach((sum, j) => (this.#edges[here * EDGES + j] = saturate(sum >> EDGE_BITS)))
    this.#scaled.fill(0, this.#active)
  }
}

const rectified = (sum: number): number => saturate(Math.max(0, sum >> INTRA_BITS))
