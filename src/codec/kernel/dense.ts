/**
 * Dense layers in the kernel: int16 inputs side by side, weights in the order they are read. Outputs come in passes of 32,
 * whose sums stay in registers; a pass is its pairs of inputs, a pair the two weights of each of the 32 outputs.
 */
import { doWhile, type FunctionScope, type I32Local, type V128Local } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, type V128 } from '../../lib/wasm-values'

/** Outputs of a pass. */
export const PASS = 32
const PASS_BYTES = 4 * PASS
const LANES = 4
/** Pairs of inputs to a turn of the loop. */
const UNROLL = 2

/** A layer's weights: outputs are a multiple of PASS, inputs of four. */
export interface DenseLayout {
  readonly at: number
  readonly inputs: number
  readonly outputs: number
}

export const denseBytes = ({ inputs, outputs }: Omit<DenseLayout, 'at'>): number => 2 * inputs * outputs

/** The code of dense layers in a function. */
export class DenseSums {
  readonly #input: I32Local
  readonly #weights: I32Local
  readonly #output: I32Local
  readonly #splat: V128Local
  readonly #sums: readonly V128Local[]

  constructor(scope: FunctionScope) {
    this.#input = scope.i32()
    this.#weights = scope.i32()
    this.#output = scope.i32()
    this.#splat = scope.v128()
    this.#sums = Array.from({ length: PASS / LANES }, () => scope.v128())
  }

  /**
   * The layer over the inputs at an address. `keep` stores eight outputs, whose sums are `low` and `high`: `output` plus
   * `shift` is the first of them.
   */
  layer(
    { at, inputs, outputs }: DenseLayout,
    from: number,
    keep: (low: V128, high: V128, output: I32Local, shift: number) => Code,
  ): Code {
    const [input, weights, output] = [this.#input, this.#weights, this.#output]
    const splat = this.#splat
    const sums = this.#sums
    const addPair = (pair: number): Code => [
      splat.set(input.load32Splat(4 * pair)),
      sums.map((sum, i) => sum.set(sum.addI32(weights.load128(PASS_BYTES * pair + 16 * i).dotI16(splat)))),
    ]
    return [
      [weights.set(at), output.set(0)],
      doWhile(
        [
          sums.map((sum) => sum.set(constant(0).splatI32())),
          input.set(from),
          doWhile(
            [
              Array.from({ length: UNROLL }, (_, pair) => addPair(pair)),
              input.increase(4 * UNROLL),
              weights.increase(PASS_BYTES * UNROLL),
            ],
            input.below(from + 2 * inputs),
          ),
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

/** Packs a layer of any size that the layout has room for; the rest stays zero. `weightOf`: of an output and an input. */
export function packDense(
  memory: ArrayBuffer,
  { at, inputs, outputs }: DenseLayout,
  weightOf: (output: number, input: number) => number,
): void {
  const packed = new Int16Array(memory, at, inputs * outputs)
  for (let output = 0; output < outputs; output++)
    for (let k = 0; k < inputs; k++) {
      const pair = Math.floor(output / PASS) * (inputs / 2) + (k >> 1)
      packed[2 * (pair * PASS + (output % PASS)) + (k & 1)] = weightOf(output, k)
    }
}
