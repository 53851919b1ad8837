/**
 * The random media transform: an invertible relabelling of every channel of a codec, drawn from a seed and folded into
 * the weights. The function stays the same; the weights, and the symbols of a bitstream, become the seed's own.
 *
 *   latents            sign of those that neighbours do not predict (luma and the chroma that it predicts have one);
 *                      order of those that predict no other, in groups that fall silent together
 *   trunks             order and power of two of the channels that the residual blocks share (both follow a relu)
 *   block spreads      sign and power of two between a depthwise layer and the pointwise one after it
 *   block hidden       order and power of two (relu)
 *   render features    order, sign and power of two (linear)
 *   render hidden      order and power of two (relu)
 *   context features, prediction hidden   order (their caps and shifts are not homogeneous); also of the layers on edges
 *                      and of scale stages
 *   magnitude tables   order, with the map from scales to tables
 *
 * Units of activations (codec/exact), where the model has them, follow their channels: whole weights are the base model's in
 * another order, and restore the same pixels.
 *
 * Powers of two and signs are exact in floating point, and no integer of the context model is rounded otherwise: what is
 * left is the order of float sums, so pictures come back within 1 in 255 of the base model's. (A predicted latent keeps
 * its sign: predictions round half up, which a sign would turn round, and one sixteenth of a step runs on through all
 * predictions after it.) None of this is a lock: it carries no secrecy claim.
 */
import { unitName } from '../codec/exact/whole-synthesis'
import { INTRA_CHANNELS, INTRA_STAGES, intraShapes } from '../codec/intra-prediction'
import { SCALE_STAGES, stageShapes } from '../codec/scale-stages'
import { SPLIT_TENSORS, splitName, SPLITS } from '../codec/splits/split-model'
import { ACTIVE_UNIT } from '../codec/tile-coder'
import { ACTIVATION } from '../codec/transform'
import { LATENTS, type CodecWeights } from '../codec/weights'
import { present } from '../lib/assert'
import type { Draws } from './draws'
import { fold, identity, invert, type Relabelling } from './fold'

const LARGEST_POWER = 2

export interface MediaTransform {
  readonly latents: Relabelling
  readonly analysis: Trunk
  readonly synthesis: Trunk
  readonly renderFeatures: Relabelling
  readonly render: Relabelling
  readonly contextFeatures: Relabelling
  readonly meanHidden: Relabelling
  readonly tables: Relabelling
  /** null where the edges of neighbours predict nothing. */
  readonly intra: IntraTransform | null
  /** Of the layer of every scale stage; empty where there are none. */
  readonly stages: readonly Relabelling[]
}

interface IntraTransform {
  readonly first: Relabelling
  /** Of every stage. */
  readonly second: readonly Relabelling[]
}

interface Trunk {
  readonly channels: Relabelling
  readonly blocks: readonly { readonly spread: Float32Array; readonly hidden: Relabelling }[]
}

/** For models of the same architecture as these weights, and in which the same latents predict others. */
export function drawMediaTransform(weights: CodecWeights, draws: Draws): MediaTransform {
  const { config } = weights
  const lumaOf = config.chromaPrediction === undefined ? undefined : weights.integers.get('luma_of')
  const sign = (): number => (draws.below(2) === 0 ? 1 : -1)
  const power = (): number => 2 ** (draws.below(2 * LARGEST_POWER + 1) - LARGEST_POWER)
  const gains = (count: number, gain: () => number): Float32Array =>
    Float32Array.from({ length: count }, gain)
  const ordered = (count: number): Relabelling => ({ ...identity(count), order: draws.permutation(count) })
  const rectified = (count: number): Relabelling => ({
    order: draws.permutation(count),
    gain: gains(count, power),
  })
  const signed = (): number => sign() * power()
  const trunk = (width: number, blocks: number): Trunk => ({
    channels: rectified(width),
    blocks: Array.from({ length: blocks }, () => ({
      spread: gains(width, signed),
      hidden: rectified(2 * width),
    })),
  })

  const latents = identity(LATENTS)
  const { intraWidth, intraHidden, stageHidden, contextDense, analysisOut, synthesisIn } = config
  const predictsFromEdges = intraWidth !== undefined && intraHidden !== undefined
  const predicted = Math.max(config.meanChannels, predictsFromEdges ? INTRA_CHANNELS : 0)
  for (let c = predicted; c < LATENTS; c++) latents.gain[c] = sign()
  const staged = stageHidden === undefined ? 0 : SCALE_STAGES.at(-1)!
  const free = Math.max(contextDense, analysisOut, synthesisIn, predicted, staged)
  for (let at = Math.ceil(free / ACTIVE_UNIT) * ACTIVE_UNIT; at < LATENTS; at += ACTIVE_UNIT)
    draws.permutation(ACTIVE_UNIT).forEach((from, i) => (latents.order[at + i] = at + from))
  const placeOf = inverse(latents.order)
  latents.order.forEach((from, i) => {
    const luma = lumaOf?.[from] ?? -1
    if (luma >= 0) latents.gain[i] = latents.gain[placeOf[luma]!]!
  })
  return {
    latents,
    analysis: trunk(config.analysisWidth, config.analysisBlocks),
    synthesis: trunk(config.synthesisWidth, config.synthesisBlocks),
    renderFeatures: {
      order: draws.permutation(config.renderFeatures),
      gain: gains(config.renderFeatures, signed),
    },
    render: rectified(config.renderWidth),
    contextFeatures: ordered(config.contextFeatures),
    meanHidden: ordered(config.meanHidden),
    tables: ordered(weights.tables.length),
    intra: predictsFromEdges
      ? { first: ordered(intraWidth), second: INTRA_STAGES.slice(1).map(() => ordered(intraHidden)) }
      : null,
    stages: stageHidden === undefined ? [] : SCALE_STAGES.map(() => ordered(stageHidden)),
  }
}

/** Weights that compute the same function in the transform's labels. */
export function foldMediaTransform(weights: CodecWeights, t: MediaTransform): CodecWeights {
  const { config } = weights
  const knots = weights.tensors.get('log_step')!.length / LATENTS
  const tensors = new Map(weights.tensors)
  const integers = new Map(weights.integers)
  const onFloats = (name: string, shape: readonly number[], ...steps: readonly Step[]): void => {
    tensors.set(name, applied(tensors.get(name), name, shape, steps))
  }
  const onIntegers = (name: string, shape: readonly number[], ...steps: readonly Step[]): void => {
    integers.set(name, applied(integers.get(name), name, shape, steps))
    if (config.splits === undefined || !SPLIT_TENSORS.includes(name)) return
    for (let split = 1; split < SPLITS; split++) {
      const own = splitName(split, name)
      integers.set(own, applied(integers.get(own), own, shape, steps))
    }
  }

  /** Units of activations, [KNOTS, channels], in models that have them: whole numbers keep their signs. */
  const onUnits = (activation: string, channels: Relabelling): void => {
    if (config.wholeActivationBits === undefined) return
    onFloats(unitName(activation), [knots, channels.order.length], [1, channels])
  }

  const { latents } = t
  const first = (count: number): Relabelling => ({
    order: latents.order.subarray(0, count),
    gain: latents.gain.subarray(0, count),
  })
  const order: Relabelling = { ...latents, gain: identity(LATENTS).gain }
  const orderOf = (count: number): Relabelling => ({
    ...identity(count),
    order: order.order.subarray(0, count),
  })

  const body = (side: 'analysis' | 'synthesis', trunk: Trunk): void => {
    const { channels } = trunk
    const width = channels.order.length
    trunk.blocks.forEach(({ spread, hidden }, n) => {
      const block = `${side}_${n}`
      const both = spreadOf(channels, spread)
      onFloats(`${block}_depthwise`, [9, width], [1, { order: channels.order, gain: spread }])
      onFloats(`${block}_depthwise_bias`, [width], [0, both])
      onFloats(`${block}_expand`, [width, 2 * width], [0, invert(both)], [1, hidden])
      onFloats(`${block}_expand_bias`, [2 * width], [0, hidden])
      onFloats(`${block}_project`, [2 * width, width], [0, invert(hidden)], [1, channels])
      onFloats(`${block}_project_bias`, [width], [0, channels])
    })
  }

  const { analysisWidth, analysisOut, synthesisIn, synthesisWidth, renderFeatures, renderWidth } = config
  const [intoAnalysis, intoSynthesis] = [t.analysis.channels, t.synthesis.channels]
  onFloats('analysis_linear', [LATENTS, LATENTS], [1, latents])
  onFloats('analysis_in', [LATENTS, analysisWidth], [0, latents], [1, intoAnalysis])
  onFloats('analysis_in_bias', [analysisWidth], [0, intoAnalysis])
  body('analysis', t.analysis)
  onFloats('analysis_out', [analysisWidth, analysisOut], [0, invert(intoAnalysis)], [1, first(analysisOut)])
  onFloats('analysis_out_bias', [analysisOut], [0, first(analysisOut)])
  onFloats('synthesis_linear', [LATENTS, LATENTS], [0, latents])
  onFloats('synthesis_in', [synthesisIn, synthesisWidth], [0, first(synthesisIn)], [1, intoSynthesis])
  onFloats('synthesis_in_bias', [synthesisWidth], [0, intoSynthesis])
  body('synthesis', t.synthesis)
  onFloats(
    'synthesis_out',
    [synthesisWidth, 16, renderFeatures],
    [0, invert(intoSynthesis)],
    [2, t.renderFeatures],
  )
  onFloats('synthesis_out_bias', [16, renderFeatures], [1, t.renderFeatures])
  onFloats('render_features', [9, renderFeatures, renderWidth], [1, invert(t.renderFeatures)], [2, t.render])
  onFloats('render_pixels', [9, 48, renderWidth], [2, t.render])
  onFloats('render_bias', [renderWidth], [0, t.render])
  onFloats('render_out', [renderWidth, 48], [0, invert(t.render)])
  onUnits(ACTIVATION.trunk, intoSynthesis)
  t.synthesis.blocks.forEach(({ spread, hidden }, n) => {
    onUnits(ACTIVATION.depthwise(n), spreadOf(intoSynthesis, spread))
    onUnits(ACTIVATION.expand(n), hidden)
  })
  onUnits(ACTIVATION.features, t.renderFeatures)
  onUnits(ACTIVATION.drawn, t.render)
  onFloats('log_step', [knots, LATENTS], [1, order])
  onFloats('analysis_gain', [knots, LATENTS], [1, order])
  onFloats('analysis_scale', [knots, analysisOut], [1, orderOf(analysisOut)])
  onFloats('synthesis_gain', [knots, synthesisIn], [1, orderOf(synthesisIn)])

  const { contextDense, contextFeatures, meanChannels, meanHidden } = config
  onIntegers('scale_bias', [knots, LATENTS], [1, order])
  onIntegers('scale_same', [4, LATENTS], [1, order])
  onIntegers('scale_dense', [contextDense, LATENTS], [0, orderOf(contextDense)], [1, order])
  onIntegers('feature', [LATENTS, contextFeatures], [0, order], [1, t.contextFeatures])
  onIntegers('scale_feature', [4, contextFeatures, LATENTS], [1, t.contextFeatures], [2, order])
  onIntegers('mean_in', [meanHidden, 4, meanChannels], [0, t.meanHidden])
  onIntegers('mean_out', [meanChannels, meanHidden], [1, t.meanHidden])
  onIntegers('scale_hidden', [meanHidden, LATENTS], [0, t.meanHidden], [1, order])

  if (config.chromaPrediction !== undefined) {
    for (const gain of ['luma_gain', 'first_gain']) onIntegers(gain, [knots, LATENTS], [1, order])
    const placeOf = inverse(order.order)
    for (const name of ['luma_of', 'first_of']) {
      onIntegers(name, [LATENTS], [0, order])
      integers.set(
        name,
        integers.get(name)!.map((from) => (from < 0 ? from : placeOf[from]!)),
      )
    }
  }

  if (t.intra !== null) {
    const { first: units, second } = t.intra
    const shapes = new Map(intraShapes(config))
    const onIntra = (name: string, ...steps: readonly Step[]): void =>
      onIntegers(name, present(shapes.get(name), `no shape of ${name}`), ...steps)
    onIntra('intra_in', [0, units])
    second.forEach((stage, i) => {
      onIntra(`intra_mid_${i}`, [0, stage], [1, before(units, INTRA_STAGES[i]!)])
      onIntra(`intra_out_${i}`, [1, stage])
    })
    onIntra('scale_intra', [0, second[0]!], [1, order])
  }

  if (t.stages.length > 0) {
    const shapes = new Map(stageShapes(config))
    const onStage = (name: string, ...steps: readonly Step[]): void =>
      onIntegers(name, present(shapes.get(name), `no shape of ${name}`), ...steps)
    t.stages.forEach((units, i) => {
      onStage(`stage_in_${i}`, [0, units], [1, after(SCALE_STAGES[i]!, repeated(t.contextFeatures, 4))])
      onStage(`stage_bias_${i}`, [0, units])
      onStage(`stage_out_${i}`, [0, units], [1, order])
    })
  }

  if (config.splits !== undefined) {
    for (const name of ['split_step', 'split_unstep']) onIntegers(name, [knots, LATENTS], [1, order])
    const placeOf = inverse(latents.order)
    const places = integers.get('split_place')!.map((from) => placeOf[from]!)
    const signs = integers.get('split_sign')!.map((sign, i) => sign * latents.gain[places[i]!]!)
    integers.set('split_place', places)
    integers.set('split_sign', signs)
  }

  for (const [name, values] of tensors)
    if (values === weights.tensors.get(name)) tensors.set(name, withoutNegativeZero(values))

  integers.set('table_of_scale', inverse(t.tables.order))
  const tables = Array.from(t.tables.order, (from) => weights.tables[from]!)
  return { config, tensors, integers, tables }
}

/** Channels between a depthwise layer and the pointwise one after it. */
const spreadOf = ({ order, gain }: Relabelling, spread: Float32Array): Relabelling => ({
  order,
  gain: gain.map((g, i) => g * spread[i]!),
})

/** What comes before so many that stay as they are. */
const before = ({ order, gain }: Relabelling, count: number): Relabelling => ({
  order: Uint16Array.of(...order, ...identity(count).order.map((i) => order.length + i)),
  gain: Float32Array.of(...gain, ...identity(count).gain),
})

/** What comes after so many that stay as they are. */
const after = (count: number, { order, gain }: Relabelling): Relabelling => ({
  order: Uint16Array.of(...identity(count).order, ...order.map((i) => count + i)),
  gain: Float32Array.of(...identity(count).gain, ...gain),
})

/** The same in so many blocks one after another. */
const repeated = ({ order, gain }: Relabelling, times: number): Relabelling => ({
  order: Uint16Array.from(
    { length: times * order.length },
    (_, i) => i - (i % order.length) + order[i % order.length]!,
  ),
  gain: Float32Array.from({ length: times * gain.length }, (_, i) => gain[i % gain.length]!),
})

/** Where each went. */
function inverse(order: Uint16Array): Int32Array {
  const places = new Int32Array(order.length)
  order.forEach((from, i) => (places[from] = i))
  return places
}

const withoutNegativeZero = (values: Float32Array): Float32Array => values.map((value) => value + 0)

/** An axis and how it is relabelled. */
type Step = readonly [axis: number, relabelling: Relabelling]

function applied<T extends Float32Array | Int32Array>(
  values: T | undefined,
  name: string,
  shape: readonly number[],
  steps: readonly Step[],
): T {
  if (values === undefined) throw new RangeError(`The model has no tensor ${name}.`)
  return steps.reduce((current, [axis, relabelling]) => fold(current, shape, axis, relabelling), values)
}
