/**
 * Trainable parameters by name: the tensors of a model file, with the context model's integers as floats. Layouts are
 * those of src/codec/transform.ts and src/codec/context-model.ts (inputs are rows).
 */
import { SLOPE_GROUP } from '../codec/chroma-prediction'
import { EDGE_BITS, INTRA_BITS, INTRA_CHANNELS, intraShapes } from '../codec/intra-prediction'
import { KNOTS, stepOf, QUALITY_MAX } from '../codec/quality'
import { SCALE_STAGES, STAGE_BITS, stageShapes } from '../codec/scale-stages'
import { BLOCK, LATENTS, type CodecConfig, type CodecWeights } from '../codec/weights'
import { blockTransform, latentStatistics, lumaEdges } from './block-transform'
import { Random } from './random'
import type { TrainConfig } from './train-config'

export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

export type Parameters = readonly Parameter[]

/** Fixed-point bits of the integer tensors of the context model. */
export const INTEGER_BITS: Readonly<Record<string, number>> = {
  scale_bias: 14,
  scale_same: 14,
  scale_dense: 14,
  feature: 12,
  scale_feature: 10,
  mean_weight: 10,
  mean_in: 10,
  mean_out: 10,
  mean_gain: 10,
  scale_hidden: 10,
  luma_gain: 10,
  first_gain: 10,
  luma_of: 0,
  first_of: 0,
  intra_edges: EDGE_BITS,
  intra_step: INTRA_BITS,
  intra_gain: INTRA_BITS,
  intra_in: INTRA_BITS,
  intra_mid_0: INTRA_BITS,
  intra_mid_1: INTRA_BITS,
  intra_mid_2: INTRA_BITS,
  intra_out_0: INTRA_BITS,
  intra_out_1: INTRA_BITS,
  intra_out_2: INTRA_BITS,
  scale_intra: 10,
  ...Object.fromEntries(
    SCALE_STAGES.flatMap((_, i) => [
      [`stage_in_${i}`, STAGE_BITS],
      [`stage_bias_${i}`, 14],
      [`stage_out_${i}`, STAGE_BITS],
    ]),
  ),
}

/** What a start decides and training leaves: which channel predicts which, and how channels draw the edges of blocks. */
export const FIXED: ReadonlySet<string> = new Set(['luma_of', 'first_of', 'intra_edges'])

/** The layers of intra prediction start so many times larger: the codec keeps sixteenths of them, which are too coarse at 1. */
const LAYER_UNITS = 4

/** Per-quality tables, kept as float32 in model files. */
export const QUALITY_TABLES: ReadonlySet<string> = new Set([
  'log_step',
  'analysis_gain',
  'analysis_scale',
  'synthesis_gain',
  'render_gain',
  'render_scale',
])

type NamedShape = readonly [name: string, shape: readonly number[]]

const CHROMA_SHAPES: readonly NamedShape[] = [
  ['luma_gain', [KNOTS, LATENTS]],
  ['first_gain', [KNOTS, LATENTS]],
  ['luma_of', [LATENTS]],
  ['first_of', [LATENTS]],
]

/** Names and shapes of all parameters of a configuration, in the order of model files. */
export function parameterShapes(c: CodecConfig): readonly NamedShape[] {
  const body = (side: string, width: number, count: number): NamedShape[] =>
    Array.from({ length: count }, (_, n) => n).flatMap((n): NamedShape[] => [
      [`${side}_${n}_depthwise`, [3, 3, width, 1]],
      [`${side}_${n}_depthwise_bias`, [width]],
      [`${side}_${n}_expand`, [width, 2 * width]],
      [`${side}_${n}_expand_bias`, [2 * width]],
      [`${side}_${n}_project`, [2 * width, width]],
      [`${side}_${n}_project_bias`, [width]],
    ])
  return [
    ['analysis_linear', [LATENTS, LATENTS]],
    ['synthesis_linear', [LATENTS, LATENTS]],
    ['analysis_in', [LATENTS, c.analysisWidth]],
    ['analysis_in_bias', [c.analysisWidth]],
    ...body('analysis', c.analysisWidth, c.analysisBlocks),
    ['analysis_out', [c.analysisWidth, c.analysisOut]],
    ['analysis_out_bias', [c.analysisOut]],
    ['synthesis_in', [c.synthesisIn, c.synthesisWidth]],
    ['synthesis_in_bias', [c.synthesisWidth]],
    ...body('synthesis', c.synthesisWidth, c.synthesisBlocks),
    ['synthesis_out', [c.synthesisWidth, 16 * c.renderFeatures]],
    ['synthesis_out_bias', [16 * c.renderFeatures]],
    ['render_pixels', [3, 3, 48, c.renderWidth]],
    ['render_features', [3, 3, c.renderFeatures, c.renderWidth]],
    ['render_bias', [c.renderWidth]],
    ['render_out', [c.renderWidth, 48]],
    ['render_out_bias', [48]],
    ['log_step', [KNOTS, LATENTS]],
    ['analysis_gain', [KNOTS, LATENTS]],
    ['analysis_scale', [KNOTS, c.analysisOut]],
    ['synthesis_gain', [KNOTS, c.synthesisIn]],
    ['render_gain', [KNOTS, 48]],
    ['render_scale', [KNOTS, 48]],
    ['scale_bias', [KNOTS, LATENTS]],
    ['scale_same', [4, LATENTS]],
    ['scale_dense', [c.contextDense, LATENTS]],
    ['feature', [LATENTS, c.contextFeatures]],
    ['scale_feature', [4 * c.contextFeatures, LATENTS]],
    ['mean_weight', [c.meanChannels, 4 * c.meanChannels]],
    ['mean_in', [c.meanHidden, 4 * c.meanChannels]],
    ['mean_out', [c.meanChannels, c.meanHidden]],
    ['mean_gain', [KNOTS, c.meanChannels]],
    ['scale_hidden', [c.meanHidden, LATENTS]],
    ...(c.chromaPrediction === undefined ? [] : CHROMA_SHAPES),
    ...intraShapes(c),
    ...stageShapes(c),
  ]
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** The parameters of a released model. Throws RangeError where the model lacks one. */
export function parametersOf(weights: CodecWeights): Parameters {
  return parameterShapes(weights.config).map(([name, shape]) => {
    const bits = INTEGER_BITS[name]
    const source = bits === undefined ? weights.tensors.get(name) : weights.integers.get(name)
    if (source?.length !== sizeOf(shape))
      throw new RangeError(`The model has no tensor ${name} of this shape.`)
    const unit = bits === undefined ? 1 : 2 ** -bits
    return { name, shape, values: Float32Array.from(source, (v) => v * unit) }
  })
}

/**
 * A fresh start: an orthonormal 16 x 16 cosine transform of an opponent colour space, latents ordered by their variance
 * on procedural crops, networks whose last layers are zero, entropy model fitted to the variances.
 */
export function freshParameters(config: TrainConfig): Parameters {
  const random = new Random(config.seed)
  const { order, deviation } = latentStatistics(config)
  const basis = blockTransform()
  const partners = chromaPartners(order)
  const steps = Array.from({ length: KNOTS }, (_, k) => stepOf(QUALITY_MAX * (1 - k / (KNOTS - 1))))
  return parameterShapes(config.codec).map(([name, shape]) => {
    const values = new Float32Array(sizeOf(shape))
    const fill = (value: (index: number) => number): void => values.forEach((_, i) => (values[i] = value(i)))
    const columns = shape[shape.length - 1]!
    const uniform = (fanIn: number, reach = 1): void =>
      fill(() => (random.between(-1, 1) * reach) / Math.sqrt(fanIn))
    const channel = (i: number): number => i % columns
    const stepAt = (i: number): number => steps[Math.floor(i / columns)]!
    if (name === 'luma_of' || name === 'first_of') values.set(partners[name])
    else if (name === 'luma_gain' || name === 'first_gain') values.fill(0.5)
    else if (name === 'intra_edges') values.set(lumaEdges(order.subarray(0, INTRA_CHANNELS)))
    else if (name === 'intra_in') uniform(columns, 1.2 * LAYER_UNITS)
    else if (name.startsWith('intra_mid')) {
      const isOwn = (i: number): boolean => i % columns >= config.codec.intraWidth!
      fill((i) => (random.between(-1, 1) * 1.5 * (isOwn(i) ? LAYER_UNITS : 1)) / Math.sqrt(columns))
    } else if (name === 'intra_gain') values.fill(1 / LAYER_UNITS)
    else if (name.startsWith('stage_in')) fill(() => random.normal() / Math.sqrt(columns))
    else if (name.startsWith('stage_')) values.fill(0)
    else if (name === 'analysis_linear')
      fill((i) => basis[order[channel(i)]! * LATENTS + Math.floor(i / LATENTS)]!)
    else if (name === 'synthesis_linear')
      fill((i) => basis[order[Math.floor(i / LATENTS)]! * LATENTS + channel(i)]!)
    else if (name === 'analysis_gain' || name === 'synthesis_gain')
      fill((i) => -Math.log(stepAt(i) + deviation[channel(i)]!))
    else if (name === 'render_gain') fill((i) => -Math.log(stepAt(i) + 40))
    else if (name === 'scale_bias')
      fill((i) => inverseSoftplus(deviation[channel(i)]! / stepAt(i) / Math.SQRT2))
    else if (name === 'scale_same') fill((i) => (i < 2 * LATENTS ? 0.2 : 0.05))
    else if (name === 'scale_dense')
      fill((i) => (Math.floor(i / LATENTS) < channel(i) ? random.normal() * 1e-3 : 0))
    else if (name === 'feature') fill(() => random.unit() * 0.02)
    else if (name === 'scale_feature') fill(() => (random.between(-1, 1) * 0.1) / Math.sqrt(shape[0]!))
    else if (name === 'mean_weight') {
      const m = config.codec.meanChannels
      for (const [tap, value] of [0.5, 0.5, -0.2, 0.15].entries()) values[tap * m] = value
    } else if (name === 'mean_in') fill(() => (random.normal() * 0.5) / Math.sqrt(config.codec.meanChannels))
    else if (name === 'mean_gain' || name === 'intra_step') values.fill(1)
    else if (/^(mean_out|scale_hidden|intra_out_.|scale_intra)$/.test(name)) values.fill(0)
    else if (name.endsWith('_depthwise'))
      fill((i) => (random.between(-1, 1) * 0.3) / 3 + (Math.floor(i / shape[2]!) === 4 ? 1 : 0))
    else if (shape.length === 2 && !QUALITY_TABLES.has(name) && !/_(project|out)$/.test(name))
      uniform(shape[0]!)
    else if (name === 'synthesis_out') uniform(shape[0]!)
    else if (shape.length === 4) uniform(9 * (48 + config.codec.renderFeatures))
    return { name, shape, values }
  })
}

/**
 * For every chroma channel its luma channel, and for every second chroma the first, of the same frequency; -1 elsewhere,
 * for the lowest frequency, and where a channel would be needed before its group is known.
 */
export function chromaPartners(order: Int32Array): Record<'luma_of' | 'first_of', Int32Array> {
  const frequencies = BLOCK * BLOCK
  const placeOf = new Int32Array(LATENTS)
  order.forEach((row, channel) => (placeOf[row] = channel))
  const [lumaOf, firstOf] = [new Int32Array(LATENTS).fill(-1), new Int32Array(LATENTS).fill(-1)]
  const groupOf = (channel: number): number => Math.floor(channel / SLOPE_GROUP)
  for (let frequency = 1; frequency < frequencies; frequency++) {
    const [luma, first, second] = [0, 1, 2].map((colour) => placeOf[colour * frequencies + frequency]!) as [
      number,
      number,
      number,
    ]
    if (groupOf(luma) >= groupOf(first)) continue
    lumaOf[first] = luma
    if (groupOf(first) >= groupOf(second)) continue
    lumaOf[second] = luma
    firstOf[second] = first
  }
  return { luma_of: lumaOf, first_of: firstOf }
}

function inverseSoftplus(scale: number): number {
  return Math.min(4, Math.log(Math.expm1(Math.min(20, Math.max(0.02, scale)))))
}
