/**
 * The learned transforms on TensorFlow.js. Latent positions stand for 16 x 16 pixels; a block of pixels is laid out
 * as [4 sub-rows, 4 sub-columns, 4 rows, 4 columns, 3 colours] = 768 values, so that one transpose of long rows leads
 * to the grid of quarters [H/4, W/4, 48] on which the renderer works.
 *
 * Per-quality gains and quantization steps are folded into the weights once per image: the networks take and give
 * symbols (latents in quantization steps).
 *
 * Tensors (rows are inputs): analysis_linear [768 pixels, 768], synthesis_linear [768, 768 pixels],
 * analysis_in [768, A], analysis_out [A, analysisOut], synthesis_in [synthesisIn, S], synthesis_out [S, 16 F],
 * block n: *_depthwise [3, 3, C, 1], *_expand [C, 2C], *_project [2C, C], each with *_bias;
 * render_pixels [3, 3, 48, R], render_features [3, 3, F, R], render_out [R, 48]; gains [KNOTS, channels] in logarithms.
 */
import * as tf from '@tensorflow/tfjs-core'
import { atQuality, stepOf } from './quality'
import { LATENTS, type CodecConfig, type CodecWeights } from './weights'

const QUARTER = 48

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

/** Everything the networks need at one quality, on the backend. Dispose when the image is done. */
export interface QualityTransform {
  readonly analysisLinear: tf.Tensor4D
  readonly analysisIn: Layer
  readonly analysisBlocks: readonly Block[]
  readonly analysisOut: Layer
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

/** Multiplies rows (inputs) and columns (outputs) of a [rows, columns] matrix. */
function scaled(
  matrix: Float32Array,
  rows: number,
  columns: number,
  row: ScaleOf,
  column: ScaleOf,
): Float32Array {
  const out = new Float32Array(matrix.length)
  for (let r = 0; r < rows; r++) {
    const factor = row(r)
    for (let c = 0; c < columns; c++) out[r * columns + c] = matrix[r * columns + c]! * factor * column(c)
  }
  return out
}

type ScaleOf = (index: number) => number
const one: ScaleOf = () => 1

export function transformAt(weights: CodecWeights, quality: number): QualityTransform {
  const { config } = weights
  const tensor = (name: string): Float32Array => {
    const found = weights.tensors.get(name)
    if (found === undefined) throw new RangeError(`The model has no tensor ${name}.`)
    return found
  }
  const gain = (name: string, channels: number): Float32Array =>
    atQuality(tensor(name), channels, quality).map(Math.exp)
  const common = stepOf(quality)
  const steps = gain('log_step', LATENTS).map((g) => g * common)
  const owned: tf.Tensor[] = []
  const linearRows = new Map<number, tf.Tensor4D>()
  const keep = <T extends tf.Tensor>(t: T): T => {
    owned.push(t)
    return t
  }
  const matrix = (values: Float32Array, rows: number, columns: number): tf.Tensor4D =>
    keep(tf.tensor4d(values, [1, 1, rows, columns]))
  const bias = (values: Float32Array): tf.Tensor1D => keep(tf.tensor1d(values))
  const pointwise = (name: string, rows: number, columns: number): Layer => ({
    weight: matrix(tensor(name), rows, columns),
    bias: bias(tensor(`${name}_bias`)),
  })
  const blocks = (side: string, count: number, width: number): Block[] =>
    Array.from({ length: count }, (_, n) => ({
      depthwise: {
        weight: keep(tf.tensor4d(tensor(`${side}_${n}_depthwise`), [3, 3, width, 1])),
        bias: bias(tensor(`${side}_${n}_depthwise_bias`)),
      },
      expand: pointwise(`${side}_${n}_expand`, width, 2 * width),
      project: pointwise(`${side}_${n}_project`, 2 * width, width),
    }))

  const { analysisWidth, analysisOut, synthesisIn, synthesisWidth, renderFeatures, renderWidth } = config
  const analysisGain = gain('analysis_gain', LATENTS)
  const analysisScale = gain('analysis_scale', analysisOut)
  const residualScale = analysisScale.map((g, c) => (g * common) / steps[c]!)
  const synthesisGain = gain('synthesis_gain', synthesisIn)
  const renderGain = gain('render_gain', QUARTER)
  const renderScale = gain('render_scale', QUARTER).map((g) => g * common)
  const renderPixels = tensor('render_pixels')
  const foldedPixels = renderPixels.map((w, i) => w * renderGain[Math.floor(i / renderWidth) % QUARTER]!)
  const column =
    (scale: Float32Array): ScaleOf =>
    (c) =>
      scale[c]!

  return {
    analysisLinear: matrix(
      scaled(tensor('analysis_linear'), LATENTS, LATENTS, one, (c) => 1 / steps[c]!),
      LATENTS,
      LATENTS,
    ),
    analysisIn: {
      weight: matrix(
        scaled(tensor('analysis_in'), LATENTS, analysisWidth, (r) => analysisGain[r]! * steps[r]!, one),
        LATENTS,
        analysisWidth,
      ),
      bias: bias(tensor('analysis_in_bias')),
    },
    analysisBlocks: blocks('analysis', config.analysisBlocks, analysisWidth),
    analysisOut: {
      weight: matrix(
        scaled(tensor('analysis_out'), analysisWidth, analysisOut, one, column(residualScale)),
        analysisWidth,
        analysisOut,
      ),
      bias: bias(tensor('analysis_out_bias').map((b, c) => b * residualScale[c]!)),
    },
    synthesisLinear: matrix(
      scaled(tensor('synthesis_linear'), LATENTS, LATENTS, column(steps), one),
      LATENTS,
      LATENTS,
    ),
    synthesisIn: {
      weight: matrix(
        scaled(
          tensor('synthesis_in'),
          synthesisIn,
          synthesisWidth,
          (r) => synthesisGain[r]! * steps[r]!,
          one,
        ),
        synthesisIn,
        synthesisWidth,
      ),
      bias: bias(tensor('synthesis_in_bias')),
    },
    synthesisBlocks: blocks('synthesis', config.synthesisBlocks, synthesisWidth),
    synthesisOut: pointwise('synthesis_out', synthesisWidth, 16 * renderFeatures),
    renderPixels: keep(tf.tensor4d(foldedPixels, [3, 3, QUARTER, renderWidth])),
    renderFeatures: {
      weight: keep(tf.tensor4d(tensor('render_features'), [3, 3, renderFeatures, renderWidth])),
      bias: bias(tensor('render_bias')),
    },
    renderOut: {
      weight: matrix(
        scaled(tensor('render_out'), renderWidth, QUARTER, one, column(renderScale)),
        renderWidth,
        QUARTER,
      ),
      bias: bias(tensor('render_out_bias').map((b, c) => b * renderScale[c]!)),
    },
    linearRows,
    dispose: () => tf.dispose([...owned, ...linearRows.values()]),
  }
}

function convolve(
  x: tf.Tensor4D,
  { weight, bias }: Layer,
  activation: 'linear' | 'relu' = 'linear',
): tf.Tensor4D {
  return tf.fused.conv2d({ x, filter: weight, strides: 1, pad: 'same', bias, activation })
}

function applyBlocks(start: tf.Tensor4D, blocks: readonly Block[]): tf.Tensor4D {
  return blocks.reduce(
    (x, { depthwise: { weight: filter, bias }, expand, project }) =>
      tf.tidy(() => {
        const spread = tf.fused.depthwiseConv2d({ x, filter, strides: 1, pad: 'same', bias })
        return tf.add(x, convolve(convolve(spread, expand, 'relu'), project))
      }),
    start,
  )
}

/** Pixel blocks [1, h, w, 768] (8-bit values less 128) -> symbols before rounding [1, h, w, 768], by the linear part alone. */
export function analyzeLinear(t: QualityTransform, blocks: tf.Tensor4D): tf.Tensor4D {
  return tf.conv2d(blocks, t.analysisLinear, 1, 'valid')
}

/** The linear part and a correction [1, h, w, analysisOut] of its first channels, which sees a halo around. */
export function analyze(t: QualityTransform, blocks: tf.Tensor4D): [tf.Tensor4D, tf.Tensor4D] {
  const linear = analyzeLinear(t, blocks)
  const hidden = applyBlocks(convolve(linear, t.analysisIn, 'relu'), t.analysisBlocks)
  return [linear, convolve(hidden, t.analysisOut)]
}

/** [1, h, w, 16 * n] in sub-block order -> [1, 4h, 4w, n]. */
function toQuarters(x: tf.Tensor4D, n: number): tf.Tensor4D {
  const [, h, w] = x.shape
  const rows = tf.reshape(x, [h, w, 4, 4 * n])
  return tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [1, 4 * h, 4 * w, n])
}

/** Rows of a matrix that meet the first channels; the others would meet zeros. */
function firstRows(weight: tf.Tensor4D, count: number): tf.Tensor4D {
  return count === weight.shape[2] ? weight : tf.slice(weight, [0, 0, 0, 0], [1, 1, count, weight.shape[3]])
}

function firstLinearRows({ synthesisLinear, linearRows }: QualityTransform, count: number): tf.Tensor4D {
  const cut = linearRows?.get(count) ?? firstRows(synthesisLinear, count)
  if (cut !== synthesisLinear) linearRows?.set(count, tf.keep(cut))
  return cut
}

/**
 * Symbols [1, h, w, active] -> pixels [1, 4h, 4w, 48] less 128, each quarter laid out as [4 rows, 4 columns, RGB].
 * Channels that are missing count as zero.
 */
export function synthesize(t: QualityTransform, symbols: tf.Tensor4D): tf.Tensor4D {
  const [, h, w, active] = symbols.shape
  const seen = Math.min(active, t.synthesisIn.weight.shape[2])
  const visible = seen === active ? symbols : tf.slice(symbols, [0, 0, 0, 0], [1, h, w, seen])
  return synthesizeWindow(t, visible, symbols, { x: 0, y: 0 })
}

/** The linear part of the same alone, which is the picture but for what the networks correct. */
export function synthesizeLinear(t: QualityTransform, symbols: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() =>
    toQuarters(tf.conv2d(symbols, firstLinearRows(t, symbols.shape[3]), 1, 'valid'), QUARTER),
  )
}

/**
 * The same for a window [1, h, w, active] of a region, whose first channels [1, H, W, seen] the network sees. The
 * window is at (x, y) of the region; its outermost quarters are only right at the edge of the image.
 */
export function synthesizeWindow(
  t: QualityTransform,
  region: tf.Tensor4D,
  window: tf.Tensor4D,
  { x, y }: { readonly x: number; readonly y: number },
): tf.Tensor4D {
  const [, h, w] = window.shape
  // Each step in a tidy of its own: a run's tensors are large, and few are needed at once.
  const pixels = synthesizeLinear(t, window)
  const features = tf.tidy(() => {
    const { weight, bias } = t.synthesisIn
    const first = convolve(region, { weight: firstRows(weight, region.shape[3]), bias }, 'relu')
    const hidden = applyBlocks(first, t.synthesisBlocks)
    const isWhole = hidden.shape[1] === h && hidden.shape[2] === w
    const inside = isWhole ? hidden : tf.slice(hidden, [0, y, x, 0], [1, h, w, hidden.shape[3]])
    return toQuarters(convolve(inside, t.synthesisOut), t.renderFeatures.weight.shape[2])
  })
  const drawn = tf.tidy(() =>
    tf.relu<tf.Tensor4D>(
      tf.add(tf.conv2d(pixels, t.renderPixels, 1, 'same'), convolve(features, t.renderFeatures)),
    ),
  )
  return tf.tidy(() => tf.add(pixels, convolve(drawn, t.renderOut)))
}
