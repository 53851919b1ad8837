/** A model with all tensors of a real one and few channels, drawn from a seed: for vectors of what is done to weights. */
import { LATENTS, type CodecConfig, type CodecWeights } from '../codec/weights'
import { makePrng } from '../lib/prng'

const CONFIG: CodecConfig = {
  analysisWidth: 6,
  analysisBlocks: 1,
  analysisOut: 32,
  synthesisIn: 16,
  synthesisWidth: 4,
  synthesisBlocks: 2,
  renderFeatures: 3,
  renderWidth: 5,
  contextDense: 32,
  contextFeatures: 4,
  meanChannels: 8,
  meanHidden: 3,
}
const KNOTS = 2
const TABLES = 5

function blockSizes(side: string, blocks: number, width: number): [string, number][] {
  return Array.from({ length: blocks }, (_, n): [string, number][] => [
    [`${side}_${n}_depthwise`, 9 * width],
    [`${side}_${n}_depthwise_bias`, width],
    [`${side}_${n}_expand`, 2 * width * width],
    [`${side}_${n}_expand_bias`, 2 * width],
    [`${side}_${n}_project`, 2 * width * width],
    [`${side}_${n}_project_bias`, width],
  ]).flat()
}

function tensorSizes(c: CodecConfig): [string, number][] {
  return [
    ['analysis_linear', LATENTS * LATENTS],
    ['synthesis_linear', LATENTS * LATENTS],
    ['analysis_in', LATENTS * c.analysisWidth],
    ['analysis_in_bias', c.analysisWidth],
    ...blockSizes('analysis', c.analysisBlocks, c.analysisWidth),
    ['analysis_out', c.analysisWidth * c.analysisOut],
    ['analysis_out_bias', c.analysisOut],
    ['synthesis_in', c.synthesisIn * c.synthesisWidth],
    ['synthesis_in_bias', c.synthesisWidth],
    ...blockSizes('synthesis', c.synthesisBlocks, c.synthesisWidth),
    ['synthesis_out', c.synthesisWidth * 16 * c.renderFeatures],
    ['synthesis_out_bias', 16 * c.renderFeatures],
    ['render_pixels', 9 * 48 * c.renderWidth],
    ['render_features', 9 * c.renderFeatures * c.renderWidth],
    ['render_bias', c.renderWidth],
    ['render_out', c.renderWidth * 48],
    ['render_out_bias', 48],
    ['log_step', KNOTS * LATENTS],
    ['analysis_gain', KNOTS * LATENTS],
    ['analysis_scale', KNOTS * c.analysisOut],
    ['synthesis_gain', KNOTS * c.synthesisIn],
  ]
}

function integerSizes(c: CodecConfig): [string, number][] {
  return [
    ['scale_bias', KNOTS * LATENTS],
    ['scale_same', 4 * LATENTS],
    ['scale_dense', c.contextDense * LATENTS],
    ['feature', LATENTS * c.contextFeatures],
    ['scale_feature', 4 * c.contextFeatures * LATENTS],
    ['mean_weight', 4 * c.meanChannels ** 2],
    ['mean_in', 4 * c.meanHidden * c.meanChannels],
    ['mean_out', c.meanHidden * c.meanChannels],
    ['mean_gain', KNOTS * c.meanChannels],
    ['scale_hidden', c.meanHidden * LATENTS],
    ['thresholds', TABLES - 1],
  ]
}

/** Floats are multiples of 2^-10 in (-1, 1), as float16 holds them; some are negative zero. */
export function tinyModel(seed: number): CodecWeights {
  const prng = makePrng(seed)
  const sign = (): number => (prng.nextBelow(2) === 0 ? 1 : -1)
  const float = (): number => (sign() * prng.nextBelow(1024)) / 1024
  const integer = (): number => prng.nextBelow(4001) - 2000
  return {
    config: CONFIG,
    tensors: new Map(
      tensorSizes(CONFIG).map(([name, length]) => [name, Float32Array.from({ length }, float)]),
    ),
    integers: new Map(
      integerSizes(CONFIG).map(([name, length]) => [name, Int32Array.from({ length }, integer)]),
    ),
    tables: Array.from({ length: TABLES }, (_, i) =>
      Uint32Array.of(...Array.from({ length: i + 2 }, () => 1), 65536 - (i + 2)),
    ),
  }
}
