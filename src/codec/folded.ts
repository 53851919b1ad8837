/**
 * Both transforms as plain arrays at one quality, gains and quantization steps folded into the weights: the networks take
 * and give symbols (latents in quantization steps). The same bits on every engine.
 *
 * Tensors of a model (rows are inputs): analysis_linear [768 pixels, 768], synthesis_linear [768, 768 pixels],
 * analysis_in [768, A], analysis_out [A, analysisOut], synthesis_in [synthesisIn, S], synthesis_out [S, 16 F],
 * block n: *_depthwise [3, 3, C, 1], *_expand [C, 2C], *_project [2C, C], each with *_bias;
 * render_pixels [3, 3, 48, R], render_features [3, 3, F, R], render_out [R, 48]; gains [KNOTS, channels] in logarithms.
 */
import { exp } from '../lib/exact-exp'
import { atQuality, stepOf } from './quality'
import { LATENTS, type CodecWeights } from './weights'

/** Values of a quarter of a block. */
export const QUARTER = 48

/** Weights [taps, rows, columns] and [columns]. */
export interface FoldedLayer {
  readonly weight: Float32Array
  readonly bias: Float32Array
}

export interface FoldedBlock {
  readonly depthwise: FoldedLayer
  readonly expand: FoldedLayer
  readonly project: FoldedLayer
}

export interface FoldedAnalysis {
  readonly linear: Float32Array
  readonly first: FoldedLayer
  readonly blocks: readonly FoldedBlock[]
  readonly last: FoldedLayer
}

export interface FoldedSynthesis {
  readonly linear: Float32Array
  readonly first: FoldedLayer
  readonly blocks: readonly FoldedBlock[]
  readonly features: FoldedLayer
  readonly renderPixels: Float32Array
  readonly renderFeatures: FoldedLayer
  readonly finish: FoldedLayer
}

export function foldAnalysis(weights: CodecWeights, quality: number): FoldedAnalysis {
  const { analysisWidth, analysisOut, analysisBlocks } = weights.config
  const { tensor, gain, layer, blocks } = readerOf(weights, quality)
  const steps = stepsAt(weights, quality)
  const inputGain = gain('analysis_gain', LATENTS)
  const common = stepOf(quality)
  const outputGain = gain('analysis_scale', analysisOut).map((g, c) => (g * common) / steps[c]!)
  return {
    linear: scaled(tensor('analysis_linear'), LATENTS, one, (c) => 1 / steps[c]!),
    first: {
      weight: scaled(tensor('analysis_in'), analysisWidth, (r) => inputGain[r]! * steps[r]!, one),
      bias: tensor('analysis_in_bias'),
    },
    blocks: blocks('analysis', analysisBlocks),
    last: scaledOutputs(layer('analysis_out'), outputGain),
  }
}

export function foldSynthesis(weights: CodecWeights, quality: number): FoldedSynthesis {
  const { synthesisIn, synthesisWidth, synthesisBlocks, renderWidth } = weights.config
  const { tensor, gain, layer, blocks } = readerOf(weights, quality)
  const steps = stepsAt(weights, quality)
  const inputGain = gain('synthesis_gain', synthesisIn)
  const pixelGain = gain('render_gain', QUARTER)
  const common = stepOf(quality)
  const outputGain = gain('render_scale', QUARTER).map((g) => g * common)
  return {
    linear: scaled(tensor('synthesis_linear'), LATENTS, (r) => steps[r]!, one),
    first: {
      weight: scaled(tensor('synthesis_in'), synthesisWidth, (r) => inputGain[r]! * steps[r]!, one),
      bias: tensor('synthesis_in_bias'),
    },
    blocks: blocks('synthesis', synthesisBlocks),
    features: layer('synthesis_out'),
    renderPixels: scaled(tensor('render_pixels'), renderWidth, (r) => pixelGain[r % QUARTER]!, one),
    renderFeatures: { weight: tensor('render_features'), bias: tensor('render_bias') },
    finish: scaledOutputs(layer('render_out'), outputGain),
  }
}

/** Quantization step of every channel, in grey levels. */
function stepsAt(weights: CodecWeights, quality: number): Float32Array {
  const common = stepOf(quality)
  return readerOf(weights, quality)
    .gain('log_step', LATENTS)
    .map((g) => g * common)
}

interface Reader {
  readonly tensor: (name: string) => Float32Array
  /** A row of gains at the quality, out of their logarithms. */
  readonly gain: (name: string, channels: number) => Float32Array
  readonly layer: (name: string) => FoldedLayer
  readonly blocks: (side: string, count: number) => FoldedBlock[]
}

function readerOf({ tensors }: CodecWeights, quality: number): Reader {
  const tensor = (name: string): Float32Array => {
    const found = tensors.get(name)
    if (found === undefined) throw new RangeError(`The model has no tensor ${name}.`)
    return found
  }
  const layer = (name: string): FoldedLayer => ({ weight: tensor(name), bias: tensor(`${name}_bias`) })
  return {
    tensor,
    gain: (name, channels) => atQuality(tensor(name), channels, quality).map((g) => exp(g)),
    layer,
    blocks: (side, count) =>
      Array.from({ length: count }, (_, n) => ({
        depthwise: layer(`${side}_${n}_depthwise`),
        expand: layer(`${side}_${n}_expand`),
        project: layer(`${side}_${n}_project`),
      })),
  }
}

type ScaleOf = (index: number) => number
const one: ScaleOf = () => 1

/** Multiplies rows (inputs) and columns (outputs) of a [rows, columns] matrix. */
function scaled(matrix: Float32Array, columns: number, row: ScaleOf, column: ScaleOf): Float32Array {
  const out = new Float32Array(matrix.length)
  for (let r = 0; r * columns < matrix.length; r++) {
    const factor = row(r)
    for (let c = 0; c < columns; c++) out[r * columns + c] = matrix[r * columns + c]! * factor * column(c)
  }
  return out
}

function scaledOutputs({ weight, bias }: FoldedLayer, gain: Float32Array): FoldedLayer {
  return {
    weight: scaled(weight, gain.length, one, (c) => gain[c]!),
    bias: bias.map((b, c) => b * gain[c]!),
  }
}
