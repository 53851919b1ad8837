/**
 * What a position's symbols say of the scales of its later channels: where each stage begins, a hidden layer sees the
 * magnitudes min(|symbol|, 15) of all channels before and the features of the four neighbours (context-model.ts), and
 * bears on the scales of all channels from there on.
 *
 *   relu(stage_in_i [hidden, before + 4 features] · (magnitudes ‖ features) + stage_bias_i [hidden]), at most 15
 *   times stage_out_i [hidden, 768], whose columns before the stage are zero and not read
 *
 * Magnitudes, features and the layer are in units of 2^-4, weights of 2^-10, biases and sums of 2^-14; sums wrap at 32
 * bits.
 */
import { dot } from './integers'
import { LATENTS, type CodecConfig } from './weights'

/** Channels at which stages begin; bounds of groups of 16 channels. */
export const SCALE_STAGES = [32, 96, 192, 320] as const
export const STAGE_BITS = 10
/** Magnitudes count in sixteenths. */
export const MAGNITUDE_BITS = 4
/** Neighbours whose features are seen. */
const TAPS = 4

export interface StageModel {
  readonly hidden: number
  /** By stage: [hidden, SCALE_STAGES[i] + 4 * features]. */
  readonly in: readonly Int32Array[]
  /** By stage: [hidden]. */
  readonly bias: readonly Int32Array[]
  /** By stage: [hidden, 768]. */
  readonly out: readonly Int32Array[]
}

/** Names and shapes of the integer tensors of the stages; none for a model without them. */
export function stageShapes({
  stageHidden,
  contextFeatures,
}: CodecConfig): readonly (readonly [name: string, shape: readonly number[]])[] {
  if (stageHidden === undefined) return []
  return SCALE_STAGES.flatMap((start, i) => [
    [`stage_in_${i}`, [stageHidden, start + TAPS * contextFeatures]] as const,
    [`stage_bias_${i}`, [stageHidden]] as const,
    [`stage_out_${i}`, [stageHidden, LATENTS]] as const,
  ])
}

/** The stages of one tile, position by position. */
export class ScaleStages {
  #model: StageModel
  readonly #inputs: readonly Int32Array[]
  readonly #layer: Int32Array
  #next = 0

  constructor(model: StageModel) {
    this.#model = model
    this.#inputs = model.in.map((weights) => new Int32Array(weights.length / model.hidden))
    this.#layer = new Int32Array(model.hidden)
  }

  /** Goes to a position, whose split has the model; `features` of its neighbours, [4, features]. */
  start(model: StageModel, features: Int32Array): void {
    this.#model = model
    this.#next = 0
    this.#inputs.forEach((inputs, i) => inputs.set(features, SCALE_STAGES[i]))
  }

  /**
   * Where a stage begins at channel c and is reached for the first time: its number and its layer [hidden], a view until
   * the next stage; else null. Magnitudes of the position's channels before c lie from `at` on.
   */
  reach(c: number, magnitudes: Uint8Array, at: number): { stage: number; layer: Int32Array } | null {
    const stage = this.#next
    if (SCALE_STAGES[stage] !== c) return null
    this.#next++
    const inputs = this.#inputs[stage]!
    for (let k = 0; k < c; k++) inputs[k] = magnitudes[at + k]! << MAGNITUDE_BITS
    const [weights, bias] = [this.#model.in[stage]!, this.#model.bias[stage]!]
    this.#layer.forEach((_, g, layer) => {
      layer[g] = Math.max(0, ((bias[g]! + dot(weights, g * inputs.length, inputs)) | 0) >> STAGE_BITS)
    })
    return { stage, layer: this.#layer }
  }
}
