/**
 * The learned transforms on TensorFlow.js, in float32. Latent positions stand for 16 x 16 pixels; a block of pixels is
 * laid out as [4 sub-rows, 4 sub-columns, 4 rows, 4 columns, 3 colours] = 768 values, so that one transpose of long rows
 * leads to the grid of quarters [H/4, W/4, 48] on which the renderer works. Weights at one quality are folded.ts.
 */
import * as tf from '@tensorflow/tfjs-core'
import { foldAnalysis, foldSynthesis, QUARTER, type FoldedBlock, type FoldedLayer } from './folded'
import { LATENTS, type CodecConfig, type CodecWeights } from './weights'

/** Blocks around a window that the renderer sees: a quarter of one. */
export const RENDER_HALO = 1

/** Blocks beyond the edge that a result depends on, one for each 3 x 3 layer at that size. */
export function haloOf(config: CodecConfig): { readonly analysis: number; readonly synthesis: number } {
  return { analysis: config.analysisBlocks, synthesis: config.synthesisBlocks + RENDER_HALO }
}

interface Layer {
  readonly weight: tf.Tensor4D
  readonly bias: tf.Tensor1D
}

interface Block {
  readonly depthwise: Layer
  readonly expand: Layer
  readonly project: Layer
}

/** What the analysis needs at one quality, on the backend. Dispose when the image is done. */
export interface AnalysisTransform {
  readonly analysisLinear: tf.Tensor4D
  readonly analysisIn: Layer
  readonly analysisBlocks: readonly Block[]
  readonly analysisOut: Layer
  dispose(): void
}

/** What the synthesis needs. */
export interface SynthesisTransform {
  readonly synthesisLinear: tf.Tensor4D
  readonly synthesisIn: Layer
  readonly synthesisBlocks: readonly Block[]
  readonly synthesisOut: Layer
  readonly renderPixels: tf.Tensor4D
  readonly renderFeatures: Layer
  readonly renderOut: Layer
  /**
   * First rows of synthesisLinear by their count, cut once each: a backend prepares every new filter, which costs a
   * thumbnail a tenth of its time. Absent where the weights are trained.
   */
  readonly linearRows?: Map<number, tf.Tensor4D>
  dispose(): void
}

export type QualityTransform = AnalysisTransform & SynthesisTransform

interface LayerMaker {
  readonly matrix: (values: Float32Array, rows: number, columns: number) => tf.Tensor4D
  /** 3 x 3. */
  readonly around: (values: Float32Array, rows: number, columns: number) => tf.Tensor4D
  readonly pointwise: (layer: FoldedLayer, rows: number, columns: number) => Layer
  readonly bias: (values: Float32Array) => tf.Tensor1D
  readonly blocks: (blocks: readonly FoldedBlock[], width: number) => Block[]
  readonly dispose: () => void
}

function makeLayers(): LayerMaker {
  const owned: tf.Tensor[] = []
  const keep = <T extends tf.Tensor>(t: T): T => {
    owned.push(t)
    return t
  }
  const bias: LayerMaker['bias'] = (values) => keep(tf.tensor1d(values))
  const matrix: LayerMaker['matrix'] = (values, rows, columns) =>
    keep(tf.tensor4d(values, [1, 1, rows, columns]))
  const around: LayerMaker['around'] = (values, rows, columns) =>
    keep(tf.tensor4d(values, [3, 3, rows, columns]))
  const pointwise: LayerMaker['pointwise'] = (layer, rows, columns) => ({
    weight: matrix(layer.weight, rows, columns),
    bias: bias(layer.bias),
  })
  return {
    ...{ matrix, around, pointwise, bias },
    blocks: (blocks, width) =>
      blocks.map(({ depthwise, expand, project }) => ({
        depthwise: { weight: around(depthwise.weight, width, 1), bias: bias(depthwise.bias) },
        expand: pointwise(expand, width, 2 * width),
        project: pointwise(project, 2 * width, width),
      })),
    dispose: () => tf.dispose(owned),
  }
}

export function analysisAt(weights: CodecWeights, quality: number): AnalysisTransform {
  const { analysisWidth, analysisOut } = weights.config
  const { linear, first, blocks, last } = foldAnalysis(weights, quality)
  const make = makeLayers()
  return {
    analysisLinear: make.matrix(linear, LATENTS, LATENTS),
    analysisIn: make.pointwise(first, LATENTS, analysisWidth),
    analysisBlocks: make.blocks(blocks, analysisWidth),
    analysisOut: make.pointwise(last, analysisWidth, analysisOut),
    dispose: make.dispose,
  }
}

export function synthesisAt(weights: CodecWeights, quality: number): SynthesisTransform {
  const { synthesisIn, synthesisWidth, renderFeatures, renderWidth } = weights.config
  const folded = foldSynthesis(weights, quality)
  const make = makeLayers()
  const linearRows = new Map<number, tf.Tensor4D>()
  return {
    synthesisLinear: make.matrix(folded.linear, LATENTS, LATENTS),
    synthesisIn: make.pointwise(folded.first, synthesisIn, synthesisWidth),
    synthesisBlocks: make.blocks(folded.blocks, synthesisWidth),
    synthesisOut: make.pointwise(folded.features, synthesisWidth, 16 * renderFeatures),
    renderPixels: make.around(folded.renderPixels, QUARTER, renderWidth),
    renderFeatures: {
      weight: make.around(folded.renderFeatures.weight, renderFeatures, renderWidth),
      bias: make.bias(folded.renderFeatures.bias),
    },
    renderOut: make.pointwise(folded.finish, renderWidth, QUARTER),
    linearRows,
    dispose: () => {
      make.dispose()
      tf.dispose([...linearRows.values()])
    },
  }
}

export function transformAt(weights: CodecWeights, quality: number): QualityTransform {
  const [analysis, synthesis] = [analysisAt(weights, quality), synthesisAt(weights, quality)]
  return {
    ...analysis,
    ...synthesis,
    dispose: () => {
      analysis.dispose()
      synthesis.dispose()
    },
  }
}

function convolve(
  x: tf.Tensor4D,
  { weight, bias }: Layer,
  activation: 'linear' | 'relu' = 'linear',
): tf.Tensor4D {
  return tf.fused.conv2d({ x, filter: weight, strides: 1, pad: 'same', bias, activation })
}

/** Sees every activation of the synthesis that has units of its own (exact/whole-synthesis.ts). */
export type Watch = (activation: string, x: tf.Tensor4D) => void

export const ACTIVATION = {
  /** Between blocks. */
  trunk: 'trunk',
  depthwise: (block: number) => `${block}_depthwise`,
  expand: (block: number) => `${block}_expand`,
  features: 'features',
  drawn: 'drawn',
} as const

function applyBlocks(start: tf.Tensor4D, blocks: readonly Block[], watch?: Watch): tf.Tensor4D {
  return blocks.reduce(
    (x, { depthwise: { weight: filter, bias }, expand, project }, n) =>
      tf.tidy(() => {
        const spread = tf.fused.depthwiseConv2d({ x, filter, strides: 1, pad: 'same', bias })
        watch?.(ACTIVATION.depthwise(n), spread)
        const hidden = convolve(spread, expand, 'relu')
        watch?.(ACTIVATION.expand(n), hidden)
        const sum = tf.add<tf.Tensor4D>(x, convolve(hidden, project))
        watch?.(ACTIVATION.trunk, sum)
        return sum
      }),
    start,
  )
}

/** Pixel blocks [1, h, w, 768] (8-bit values less 128) -> symbols before rounding [1, h, w, 768], by the linear part alone. */
export function analyzeLinear(t: AnalysisTransform, blocks: tf.Tensor4D): tf.Tensor4D {
  return tf.conv2d(blocks, t.analysisLinear, 1, 'valid')
}

/** The linear part and a correction [1, h, w, analysisOut] of its first channels, which sees a halo around. */
export function analyze(t: AnalysisTransform, blocks: tf.Tensor4D): [tf.Tensor4D, tf.Tensor4D] {
  const linear = analyzeLinear(t, blocks)
  const hidden = applyBlocks(convolve(linear, t.analysisIn, 'relu'), t.analysisBlocks)
  return [linear, convolve(hidden, t.analysisOut)]
}

/** [1, h, w, 16 * n] in sub-block order -> [1, 4h, 4w, n]. */
export function toQuarters(x: tf.Tensor4D, n: number): tf.Tensor4D {
  const [, h, w] = x.shape
  const rows = tf.reshape(x, [h, w, 4, 4 * n])
  return tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [1, 4 * h, 4 * w, n])
}

/** Rows of a matrix that meet the first channels; the others would meet zeros. */
function firstRows(weight: tf.Tensor4D, count: number): tf.Tensor4D {
  return count === weight.shape[2] ? weight : tf.slice(weight, [0, 0, 0, 0], [1, 1, count, weight.shape[3]])
}

function firstLinearRows({ synthesisLinear, linearRows }: SynthesisTransform, count: number): tf.Tensor4D {
  const cut = linearRows?.get(count) ?? firstRows(synthesisLinear, count)
  if (cut !== synthesisLinear) linearRows?.set(count, tf.keep(cut))
  return cut
}

/**
 * Symbols [1, h, w, active] -> pixels [1, 4h, 4w, 48] less 128, each quarter laid out as [4 rows, 4 columns, RGB].
 * Channels that are missing count as zero.
 */
export function synthesize(t: SynthesisTransform, symbols: tf.Tensor4D, watch?: Watch): tf.Tensor4D {
  const [, h, w, active] = symbols.shape
  const seen = Math.min(active, t.synthesisIn.weight.shape[2])
  const visible = seen === active ? symbols : tf.slice(symbols, [0, 0, 0, 0], [1, h, w, seen])
  return synthesizeWindow(t, visible, symbols, { x: 0, y: 0 }, watch)
}

/** The linear part of the same alone, which is the picture but for what the networks correct. */
export function synthesizeLinear(t: SynthesisTransform, symbols: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() =>
    toQuarters(tf.conv2d(symbols, firstLinearRows(t, symbols.shape[3]), 1, 'valid'), QUARTER),
  )
}

/**
 * The same for a window [1, h, w, active] of a region, whose first channels [1, H, W, seen] the network sees. The
 * window is at (x, y) of the region; its outermost quarters are only right at the edge of the image.
 */
export function synthesizeWindow(
  t: SynthesisTransform,
  region: tf.Tensor4D,
  window: tf.Tensor4D,
  { x, y }: { readonly x: number; readonly y: number },
  watch?: Watch,
): tf.Tensor4D {
  const [, h, w] = window.shape
  // Each step in a tidy of its own: a run's tensors are large, and few are needed at once.
  const pixels = synthesizeLinear(t, window)
  const features = tf.tidy(() => {
    const { weight, bias } = t.synthesisIn
    const first = convolve(region, { weight: firstRows(weight, region.shape[3]), bias }, 'relu')
    watch?.(ACTIVATION.trunk, first)
    const hidden = applyBlocks(first, t.synthesisBlocks, watch)
    const isWhole = hidden.shape[1] === h && hidden.shape[2] === w
    const inside = isWhole ? hidden : tf.slice(hidden, [0, y, x, 0], [1, h, w, hidden.shape[3]])
    return toQuarters(convolve(inside, t.synthesisOut), t.renderFeatures.weight.shape[2])
  })
  watch?.(ACTIVATION.features, features)
  const drawn = tf.tidy(() =>
    tf.relu<tf.Tensor4D>(
      tf.add(tf.conv2d(pixels, t.renderPixels, 1, 'same'), convolve(features, t.renderFeatures)),
    ),
  )
  watch?.(ACTIVATION.drawn, drawn)
  return tf.tidy(() => tf.add(pixels, convolve(drawn, t.renderOut)))
}
