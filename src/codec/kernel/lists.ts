/**
 * Sparse sums in the kernel: what is not zero stands in a list of addresses (i32) and one of values (i16), and sixteen
 * outputs, or more, take their weights over the list, two rows to an instruction.
 */
import { loopWhile, type FunctionScope, type I32Local, type V128Local } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import type { I32 } from '../../lib/wasm-values'

export type Four = readonly [V128Local, V128Local, V128Local, V128Local]
export const four = (scope: FunctionScope): Four => [scope.v128(), scope.v128(), scope.v128(), scope.v128()]

/** Adds to 16 or more sums the rows at `weights` + at[i] times values[i]; the list has an even length, padded by a zero value. */
export class RowSums {
  readonly #first: I32Local
  readonly #second: I32Local
  readonly #index: I32Local
  readonly #pair: V128Local
  readonly #low: V128Local
  readonly #high: V128Local

  constructor(scope: FunctionScope) {
    this.#first = scope.i32()
    this.#second = scope.i32()
    this.#index = scope.i32()
    this.#pair = scope.v128()
    this.#low = scope.v128()
    this.#high = scope.v128()
  }

  add(sums: readonly V128Local[], weights: I32, at: number, values: number, count: I32): Code {
    const [first, second, index] = [this.#first, this.#second, this.#index]
    const [pair, low, high] = [this.#pair, this.#low, this.#high]
    const eight = (n: number): Code => {
      const [a, b] = [sums[2 * n]!, sums[2 * n + 1]!]
      return [
        low.set(first.load128(16 * n)),
        high.set(second.load128(16 * n)),
        a.set(a.addI32(low.interleaveLowI16(high).dotI16(pair))),
        b.set(b.addI32(low.interleaveHighI16(high).dotI16(pair))),
      ]
    }
    return [
      index.set(0),
      loopWhile(index.below(count), [
        pair.set(index.shiftLeft(1).load32Splat(values)),
        first.set(weights.plus(index.shiftLeft(2).load32(at))),
        second.set(weights.plus(index.shiftLeft(2).load32(at + 4))),
        Array.from({ length: sums.length / 2 }, (_, n) => eight(n)),
        index.increase(2),
      ]),
    ]
  }
}

/** Appends to a list without a branch; an entry of value zero is overwritten by the next. */
export function append(
  list: { at: number; values: number; count: I32Local },
  address: I32,
  value: I32Local,
): Code {
  return [
    list.count.shiftLeft(2).store32(address, list.at),
    list.count.shiftLeft(1).store16(value, list.values),
    list.count.increase(value.isNot(0)),
  ]
}

/** The list's length may be odd: the entry after the last counts for nothing. */
export const endList = (values: number, count: I32Local): Code => count.shiftLeft(1).store16(0, values)
