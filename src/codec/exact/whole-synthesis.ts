/**
 * The synthesis in whole numbers at one quality. Units of activations come with the model, tensors [KNOTS, channels], from what the float32 synthesis was seen to need (src/training/whole-units.ts); models without them are restored in float32.
 */
import { foldSynthesis, QUARTER, type FoldedLayer } from '../folded'
import { atQuality } from '../quality'
import { ACTIVATION } from '../transform'
import { LATENTS, type CodecConfig, type CodecWeights } from '../weights'
import { FINE_BITS, PIXEL_BITS, SEEN_MOST, SEEN_SHIFT, type WholeBlock, type WholeSynthesis } from './layers'
import { symbolEnergyOf, symbolInputs, type SymbolEnergy } from './symbol-energy'
import {
  clippedInputs,
  fineLayer,
  wholeLayer,
  wholeLayers,
  type FloatFilter,
  type Inputs,
} from './whole-layer'

/** The tensor with the units of an activation. */
export const unitName = (activation: string): string => `unit_${activation}`

/** Activations that have units, and their channels. */
export function activationChannels(config: CodecConfig): Map<string, number> {
  const { synthesisWidth, synthesisBlocks, renderFeatures, renderWidth } = config
  const blocks = Array.from({ length: synthesisBlocks }, (_, n): [string, number][] => [
    [ACTIVATION.depthwise(n), synthesisWidth],
    [ACTIVATION.expand(n), 2 * synthesisWidth],
  ])
  return new Map([
    [ACTIVATION.trunk, synthesisWidth],
    ...blocks.flat(),
    [ACTIVATION.features, renderFeatures],
    [ACTIVATION.drawn, renderWidth],
  ])
}

/** What activations are clipped to: 2^bits - 1. */
export const mostOf = (bits: number): number => (1 << bits) - 1

export interface WholeModel {
  readonly synthesis: WholeSynthesis
  readonly energy: SymbolEnergy
}

/** Throws RangeError where the model has no units or its weights are too large. */
export function wholeModelAt(weights: CodecWeights, quality: number): WholeModel {
  const { config, tensors } = weights
  const { synthesisIn, synthesisWidth, renderFeatures, renderWidth, wholeActivationBits } = config
  if (wholeActivationBits === undefined) throw new RangeError('The model is none in whole numbers.')
  const channels = activationChannels(config)
  const unitsOf = (activation: string): Float64Array => {
    const found = tensors.get(unitName(activation))
    if (found === undefined) throw new RangeError(`The model has no tensor ${unitName(activation)}.`)
    return Float64Array.from(atQuality(found, channels.get(activation)!, quality))
  }
  const most = mostOf(wholeActivationBits)
  const folded = foldSynthesis(weights, quality)
  const energy = symbolEnergyOf(folded.linear)
  const symbols = symbolInputs(energy)
  const pointwise = ({ weight, bias }: FoldedLayer, rows: number, inputs: Inputs, outUnits: Float64Array) =>
    wholeLayer({ taps: 1, rows, values: weight, inputs }, bias, outUnits)

  const pixelUnits = new Float64Array(LATENTS).fill(1 / (1 << PIXEL_BITS))
  const linearFilter: FloatFilter = { taps: 1, rows: LATENTS, values: folded.linear, inputs: symbols }
  const linear = fineLayer(linearFilter, FINE_BITS, pixelUnits)

  const trunkUnits = unitsOf(ACTIVATION.trunk)
  const trunk = clippedInputs(trunkUnits, most)
  const blocks = folded.blocks.map(({ depthwise, expand, project }, n): WholeBlock => {
    const spread = clippedInputs(unitsOf(ACTIVATION.depthwise(n)), most)
    const hidden = clippedInputs(unitsOf(ACTIVATION.expand(n)), most)
    const around: FloatFilter = { taps: 9, rows: 1, values: depthwise.weight, inputs: trunk }
    return {
      depthwise: wholeLayer(around, depthwise.bias, spread.units),
      expand: pointwise(expand, synthesisWidth, spread, hidden.units),
      project: pointwise(project, 2 * synthesisWidth, hidden, trunkUnits),
    }
  })

  const features = clippedInputs(unitsOf(ACTIVATION.features), most)
  const sixteenTimes = Float64Array.from(
    { length: 16 * renderFeatures },
    (_, i) => features.units[i % renderFeatures]!,
  )
  const drawn = clippedInputs(unitsOf(ACTIVATION.drawn), most)
  const seen = clippedInputs(new Float64Array(QUARTER).fill((1 << SEEN_SHIFT) / (1 << PIXEL_BITS)), SEEN_MOST)
  // Colours keep the sums of their weights: a slope of brightness is a long way from zero.
  const render = wholeLayers(
    [
      { taps: 9, rows: QUARTER, values: folded.renderPixels, inputs: seen, kinds: 3 },
      { taps: 9, rows: renderFeatures, values: folded.renderFeatures.weight, inputs: features },
    ],
    folded.renderFeatures.bias,
    drawn.units,
  )
  const synthesis: WholeSynthesis = {
    most,
    linear: linear.layer,
    linearFiner: linear.finer,
    first: pointwise(folded.first, synthesisIn, symbols, trunkUnits),
    blocks,
    features: pointwise(folded.features, synthesisWidth, trunk, sixteenTimes),
    renderPixels: render[0]!,
    renderFeatures: render[1]!,
    finish: pointwise(folded.finish, renderWidth, drawn, pixelUnits.subarray(0, QUARTER)),
  }
  return { synthesis, energy }
}

/** Qualities whose whole weights are kept, 4 MB each: photos and their thumbnails take turns. */
const KEPT = 2

/** wholeModelAt, which takes as long as a small picture, once for the qualities that were asked for last. */
export function wholeModelsOf(weights: CodecWeights): (quality: number) => WholeModel {
  const kept = new Map<number, WholeModel>()
  return (quality) => {
    const model = kept.get(quality) ?? wholeModelAt(weights, quality)
    kept.delete(quality)
    kept.set(quality, model)
    for (const oldest of kept.keys()) if (kept.size > KEPT) kept.delete(oldest)
    return model
  }
}
