/**
 * Layers in the kernel. Outputs come in passes of 32, whose sums stay in registers. What feeds a pass is either *dense*,
 * int16 inputs side by side, with the two weights of each of the 32 outputs by pairs of inputs; or a list of the inputs
 * that are not zero, each with a row of 32 weights (lists.ts), which pays after a relu.
 */
import { doWhile, type FunctionScope, type I32Local, type V128Local } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, type V128, type Whole } from '../../lib/wasm-values'
import { append, endList, RowSums } from './lists'

/** Outputs of a pass. */
export const PASS = 32
const LANES = 4
const PAIR_BYTES = 4 * PASS
/** Weights of one input in a pass. */
export const INPUT_BYTES = 2 * PASS

/** Weights of a layer, of int16: outputs are a multiple of PASS; dense inputs are even. */
export interface WeightsLayout {
  readonly at: number
  readonly inputs: number
  readonly outputs: number
}

/** Inputs of a layer: `start` goes before its passes, `pass` adds to the sums. */
interface Source {
  readonly start: Code
  readonly pass: Code
}

export const inPasses = (units: number): number => Math.ceil(units / PASS) * PASS

/** The code of layers in a function. */
export class LayerSums {
  readonly #input: I32Local
  readonly #dense: I32Local
  readonly #rows: I32Local
  readonly #output: I32Local
  readonly #splat: V128Local
  readonly #sums: readonly V128Local[]
  readonly #rowSums: RowSums

  constructor(scope: FunctionScope) {
    this.#input = scope.i32()
    this.#dense = scope.i32()
    this.#rows = scope.i32()
    this.#output = scope.i32()
    this.#splat = scope.v128()
    this.#sums = Array.from({ length: PASS / LANES }, () => scope.v128())
    this.#rowSums = new RowSums(scope)
  }

  /** Dense inputs at an address. */
  dense({ at, inputs }: WeightsLayout, from: number): Source {
    const [input, weights, splat] = [this.#input, this.#dense, this.#splat]
    return {
      start: weights.set(at),
      pass: [
        input.set(from),
        doWhile(
          [
            splat.set(input.load32Splat()),
            this.#sums.map((sum, i) => sum.set(sum.addI32(weights.load128(16 * i).dotI16(splat)))),
            [input.increase(4), weights.increase(PAIR_BYTES)],
          ],
          input.below(from + 2 * inputs),
        ),
      ],
    }
  }

  /** The list of inputs that are not zero, whose addresses are input times INPUT_BYTES. */
  listed({ at, inputs }: WeightsLayout, list: { at: number; values: number; count: I32Local }): Source {
    const rows = this.#rows
    return {
      start: rows.set(at),
      pass: [
        this.#rowSums.add(this.#sums, rows, list.at, list.values, list.count),
        rows.increase(INPUT_BYTES * inputs),
      ],
    }
  }

  /**
   * `keep` stores eight outputs, whose sums are `low` and `high`; `output` plus `shift` is the first of them. A last pass
   * that is not full gives more outputs than asked for.
   */
  layer(
    outputs: Whole,
    sources: readonly Source[],
    keep: (low: V128, high: V128, output: I32Local, shift: number) => Code,
  ): Code {
    const output = this.#output
    const sums = this.#sums
    return [
      sources.map(({ start }) => start),
      output.set(0),
      doWhile(
        [
          sums.map((sum) => sum.set(constant(0).splatI32())),
          sources.map(({ pass }) => pass),
          Array.from({ length: PASS / (2 * LANES) }, (_, eight) =>
            keep(sums[2 * eight]!, sums[2 * eight + 1]!, output, 2 * LANES * eight),
          ),
          output.increase(PASS),
        ],
        output.below(outputs),
      ),
    ]
  }
}

/** The code that lists the outputs of a layer that are not zero, as inputs of the next one. */
export class UnitList {
  /** Entries of the list that was made last. */
  readonly count: I32Local
  readonly #index: I32Local
  readonly #value: I32Local

  constructor(scope: FunctionScope) {
    this.count = scope.i32()
    this.#index = scope.i32()
    this.#value = scope.i32()
  }

  /** `layer`: so many int16 units, none below zero; the list has one entry more for its end. */
  of(layer: number, units: number, at: number, values: number): Code {
    const [index, value, count] = [this.#index, this.#value, this.count]
    return [
      [index.set(0), count.set(0)],
      doWhile(
        [
          value.set(index.shiftLeft(1).loadU16(layer)),
          append({ at, values, count }, index.times(INPUT_BYTES), value),
          index.increase(1),
        ],
        index.below(units),
      ),
      endList(values, count),
    ]
  }
}

type WeightOf = (output: number, input: number) => number

/** Packs weights for dense inputs. */
export function packDense(memory: ArrayBuffer, layout: WeightsLayout, weightOf: WeightOf): void {
  pack(memory, layout, weightOf, (pass, k, column) => ((pass + k) >> 1) * 2 * PASS + 2 * column + (k & 1))
}

/** Packs weights for listed inputs. */
export function packListed(memory: ArrayBuffer, layout: WeightsLayout, weightOf: WeightOf): void {
  pack(memory, layout, weightOf, (pass, k, column) => (pass + k) * PASS + column)
}

/** `placeOf`: of the first input of a pass, counted through all passes, an input, and an output of the pass. */
function pack(
  memory: ArrayBuffer,
  { at, inputs, outputs }: WeightsLayout,
  weightOf: WeightOf,
  placeOf: (pass: number, input: number, column: number) => number,
): void {
  const packed = new Int16Array(memory, at, inputs * outputs)
  for (let output = 0; output < outputs; output++)
    for (let k = 0; k < inputs; k++)
      packed[placeOf(Math.floor(output / PASS) * inputs, k, output % PASS)] = weightOf(output, k)
}
