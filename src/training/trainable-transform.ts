/** The transforms at one quality as differentiable functions of the parameters: transformAt of src/codec in tensors. */
import * as tf from '@tensorflow/tfjs-core'
import { KNOTS, knotPosition, stepOf } from '../codec/quality'
import type { QualityTransform } from '../codec/transform'
import { LATENTS, type CodecConfig } from '../codec/weights'

export type TensorOf = (name: string) => tf.Tensor

/** Row of a [KNOTS, channels] table at a real quality, linear between knots: [channels]. */
export function rowAt(table: tf.Tensor, quality: number): tf.Tensor1D {
  const position = knotPosition(quality)
  const low = Math.min(KNOTS - 2, Math.floor(position))
  const share = position - low
  const rows = tf.slice(table as tf.Tensor2D, [low, 0], [2, table.shape[1]!])
  return tf.sum(tf.mul(rows, tf.tensor2d([1 - share, share], [2, 1])), 0)
}

export function trainableTransform(tensor: TensorOf, config: CodecConfig, quality: number): QualityTransform {
  const common = stepOf(quality)
  const gain = (name: string): tf.Tensor1D => tf.exp(rowAt(tensor(name), quality))
  const steps = tf.mul<tf.Tensor1D>(gain('log_step'), common)
  const inputs = (scale: tf.Tensor1D): tf.Tensor2D => tf.reshape(scale, [scale.shape[0], 1])
  const kernel = (matrix: tf.Tensor): tf.Tensor4D =>
    tf.reshape(matrix, [1, 1, ...matrix.shape] as [1, 1, number, number])
  const bias = (name: string): tf.Tensor1D => tensor(`${name}_bias`) as tf.Tensor1D
  const pointwise = (name: string) => ({ weight: kernel(tensor(name)), bias: bias(name) })
  const blocks = (side: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({
      depthwise: {
        weight: tensor(`${side}_${n}_depthwise`) as tf.Tensor4D,
        bias: bias(`${side}_${n}_depthwise`),
      },
      expand: pointwise(`${side}_${n}_expand`),
      project: pointwise(`${side}_${n}_project`),
    }))
  const first = (row: tf.Tensor1D, count: number): tf.Tensor1D => tf.slice(row, [0], [count])
  const residualScale = tf.div<tf.Tensor1D>(
    tf.mul(gain('analysis_scale'), common),
    first(steps, config.analysisOut),
  )
  const renderScale = tf.mul<tf.Tensor1D>(gain('render_scale'), common)
  const renderGain = tf.reshape(gain('render_gain'), [1, 1, 48, 1])
  const seen = config.synthesisIn
  return {
    analysisLinear: kernel(tf.div(tensor('analysis_linear'), tf.reshape(steps, [1, LATENTS]))),
    analysisIn: {
      weight: kernel(tf.mul(tensor('analysis_in'), inputs(tf.mul(gain('analysis_gain'), steps)))),
      bias: bias('analysis_in'),
    },
    analysisBlocks: blocks('analysis', config.analysisBlocks),
    analysisOut: {
      weight: kernel(tf.mul(tensor('analysis_out'), residualScale)),
      bias: tf.mul(bias('analysis_out'), residualScale),
    },
    synthesisLinear: kernel(tf.mul(tensor('synthesis_linear'), inputs(steps))),
    synthesisIn: {
      weight: kernel(
        tf.mul(tensor('synthesis_in'), inputs(tf.mul(gain('synthesis_gain'), first(steps, seen)))),
      ),
      bias: bias('synthesis_in'),
    },
    synthesisBlocks: blocks('synthesis', config.synthesisBlocks),
    synthesisOut: pointwise('synthesis_out'),
    renderPixels: tf.mul(tensor('render_pixels'), renderGain),
    renderFeatures: { weight: tensor('render_features') as tf.Tensor4D, bias: bias('render') },
    renderOut: {
      weight: kernel(tf.mul(tensor('render_out'), renderScale)),
      bias: tf.mul(bias('render_out'), renderScale),
    },
    dispose: () => undefined,
  }
}
