/**
 * Stages of scale in the kernel (scale-stages.ts). What features say of the hidden layers is summed as a position begins;
 * channels that are not zero are listed, and so are the units of a layer that are not.
 */
import { when, type FunctionScope, type I32Local } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, either, type I32, type V128 } from '../../lib/wasm-values'
import { HIDDEN_CAP, NEIGHBOURS } from '../context-model'
import { MAGNITUDE_BITS, SCALE_STAGES, STAGE_BITS, type StageModel } from '../scale-stages'
import { LayerSums, packListed, PASS, UnitList } from './layers'
import type { StageLayout } from './layout'
import { endList } from './lists'

interface List {
  readonly at: number
  readonly values: number
  readonly count: I32Local
}

/** Sums what the listed features of the neighbours say, and the biases, for the stages that active channels reach. */
export function beginStages(at: StageLayout, layers: LayerSums, features: List, active: I32): Code {
  const reached = SCALE_STAGES.map((start) => either(active.above(start), at.units, 0))
  const keep = (sum: V128, output: I32Local, shift: number): Code => {
    const bias = output.shiftLeft(2).load128(at.bias + 4 * shift)
    return output.shiftLeft(2).store128(sum.addI32(bias), at.known + 4 * shift)
  }
  return layers.layer(
    reached.reduce((all, units) => all.plus(units)),
    [layers.listed(at.fromFeatures, features)],
    (low, high, output, shift) => [keep(low, output, shift), keep(high, output, shift + 4)],
  )
}

/** The code of a position. */
export class StageCode {
  readonly #at: StageLayout
  readonly #layers: LayerSums
  readonly #units: UnitList

  constructor(at: StageLayout, scope: FunctionScope) {
    this.#at = at
    this.#layers = new LayerSums(scope)
    this.#units = new UnitList(scope)
  }

  /** Before the group that begins at `channel`: what the stages have added to its scales is in `late`, from the first on. */
  startGroup(channel: I32, active: I32, seen: List): Code {
    return SCALE_STAGES.map((start, stage) => when(channel.is(start), this.#run(stage, active, seen)))
  }

  #run(stage: number, active: I32, seen: List): Code {
    const at = this.#at
    const layers = this.#layers
    const out = at.out[stage]!
    const rectified = (sum: V128, output: I32Local, shift: number): V128 =>
      sum
        .shiftLeftI32(MAGNITUDE_BITS)
        .addI32(output.shiftLeft(2).load128(at.known + 4 * (stage * at.units + shift)))
        .shiftRightI32(STAGE_BITS)
        .maxI32(constant(0).splatI32())
        .minI32(constant(HIDDEN_CAP).splatI32())
    const add = (sum: V128, output: I32Local, shift: number): Code => {
      const late = at.late + 4 * (SCALE_STAGES[stage]! + shift)
      const before = output.shiftLeft(2).load128(late)
      return output.shiftLeft(2).store128(stage === 0 ? sum : sum.addI32(before), late)
    }
    return [
      endList(seen.values, seen.count),
      layers.layer(at.units, [layers.listed(at.fromSeen[stage]!, seen)], (low, high, output, shift) =>
        output
          .shiftLeft(1)
          .store128(
            rectified(low, output, shift).narrowI32(rectified(high, output, shift + 4)),
            at.hidden + 2 * shift,
          ),
      ),
      this.#units.of(at.hidden, at.units, at.hiddenAt, at.hiddenValues),
      layers.layer(
        active.minus(SCALE_STAGES[stage]!),
        [layers.listed(out, { at: at.hiddenAt, values: at.hiddenValues, count: this.#units.count })],
        (low, high, output, shift) => [add(low, output, shift), add(high, output, shift + 4)],
      ),
    ]
  }
}

/** What must fit in 16 bits. */
export const narrowStages = (model: StageModel): Int32Array[] => [...model.in, ...model.out]

export function packStages(memory: ArrayBuffer, at: StageLayout, model: StageModel): void {
  const { hidden } = model
  packStageBias(memory, at, model)
  /** Features of a neighbour in the list, and in the model. */
  const listed = at.fromFeatures.inputs / NEIGHBOURS
  const features = (model.in[0]!.length / hidden - SCALE_STAGES[0]) / NEIGHBOURS
  packListed(memory, at.fromFeatures, (output, input) => {
    const [stage, g] = [Math.floor(output / at.units), output % at.units]
    const [tap, f] = [Math.floor(input / listed), input % listed]
    if (g >= hidden || f >= features) return 0
    const start = SCALE_STAGES[stage]!
    return model.in[stage]![g * (start + NEIGHBOURS * features) + start + tap * features + f]!
  })
  SCALE_STAGES.forEach((start, stage) => {
    const row = start + NEIGHBOURS * features
    packListed(memory, at.fromSeen[stage]!, (g, c) => (g < hidden ? model.in[stage]![g * row + c]! : 0))
    const out = at.out[stage]!
    const columns = model.out[stage]!.length / hidden
    packListed(memory, out, (c, g) => (g < hidden ? model.out[stage]![g * columns + start + c]! : 0))
  })
  if (SCALE_STAGES.some((start) => start % PASS !== 0)) throw new RangeError('A stage begins within a pass.')
}

/** Of that, what a split has of its own. */
export function packStageBias(memory: ArrayBuffer, at: StageLayout, model: StageModel): void {
  const bias = new Int32Array(memory, at.bias, SCALE_STAGES.length * at.units)
  model.bias.forEach((values, stage) => {
    bias.set(values, stage * at.units)
  })
}
