/** The weights of a codec as plain arrays: what src/model loads, checks and personalises, and this room computes with. */

/** Pixels per side of a latent position. */
export const BLOCK = 16

/** Latent channels per position: the whole 16 x 16 x 3 block, ordered by falling variance. */
export const LATENTS = 768

export interface CodecConfig {
  readonly analysisWidth: number
  readonly analysisBlocks: number
  /** Latent channels that the analysis network corrects. */
  readonly analysisOut: number
  /** Latent channels that the synthesis network sees. */
  readonly synthesisIn: number
  readonly synthesisWidth: number
  readonly synthesisBlocks: number
  readonly renderFeatures: number
  readonly renderWidth: number
  /** Channels that the context model uses one by one. */
  readonly contextDense: number
  readonly contextFeatures: number
  /** Channels whose symbols are predicted from neighbours. */
  readonly meanChannels: number
  /** Width of the hidden layer of that prediction. */
  readonly meanHidden: number
  /** 1 where luma predicts chroma (chroma-prediction.ts); absent in models that do not. */
  readonly chromaPrediction?: number
  /** 1 where offsets of kinds of symbols drift (calibration.ts); absent in models without. */
  readonly calibration?: number
  /** 1 where positions choose their block transform (splits/); absent in models without. */
  readonly splits?: number
  /** Width of the layers of the scale stages (scale-stages.ts); absent in models without. */
  readonly stageHidden?: number
  /** Widths of the layers that predict from the edges of neighbours (intra-prediction.ts); both or neither. */
  readonly intraWidth?: number
  readonly intraHidden?: number
  /** Bits beside the sign of activations in a synthesis of whole numbers (exact/); where absent, it is in float32. */
  readonly wholeActivationBits?: number
}

export interface CodecWeights {
  readonly config: CodecConfig
  /** Float tensors by name; layouts are given where they are used (transform.ts). */
  readonly tensors: ReadonlyMap<string, Float32Array>
  /** Integer tensors of the context model by name (context-model.ts). */
  readonly integers: ReadonlyMap<string, Int32Array>
  /** Frequencies of the magnitude tables, each summing to 2^16 (entropy-tables.ts). */
  readonly tables: readonly Uint32Array[]
}
