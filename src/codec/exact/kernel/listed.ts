/**
 * The kernel's matrix products where most inputs are zero, as symbols are. Before a row of positions goes through the
 * columns, the pairs of rows in which any of four positions has something are listed, and only those are multiplied:
 *
 *     list: end of its entries int32 | 12 bytes | entries of a pair:
 *           inputs int16 [4 positions, 2] | offset of its weights in a panel int32
 *
 * The number of entries is made even by one of zeros.
 */
import {
  doWhile,
  giveBack,
  loopWhile,
  wasmFunction,
  when,
  type WasmFunction,
} from '../../../lib/wasm-assembler'
import type { Code } from '../../../lib/wasm-bytes'
import { constant, type I32, type V128 } from '../../../lib/wasm-values'
import { FINE_BITS } from '../layers'
import { GROUP, PANEL_WEIGHTS, TILE_POSITIONS, type StoreSums, type Sums } from './matrix'
import { shared } from './shared'

const HEADER = 16
const OFFSET = 4 * TILE_POSITIONS
const ENTRY = OFFSET + 4
const PAIR_WEIGHTS = 4 * GROUP

export const listBytes = (rows: number): number => HEADER + ENTRY * (Math.ceil(rows / 2) + 1)
/** Lists that so many positions have. */
export const listCount = (positions: number): number => Math.ceil(positions / TILE_POSITIONS)

/** list(input, inputStride, inputBytes, positions, lists, listBytes): makes the lists of positions. */
export function listFunction(): WasmFunction {
  return wasmFunction('list', 6, (given, scope) => {
    const [input, inputStride, inputBytes] = [given[0]!, given[1]!, given[2]!]
    const [left, list, bytes] = [given[3]!, given[4]!, given[5]!]
    const [end, entry, offset] = [scope.i32(), scope.i32(), scope.i32()]
    const [isOdd, isKept] = [scope.i32(), scope.i32()]
    const at = Array.from({ length: TILE_POSITIONS }, () => scope.i32())
    const values = at.map(() => scope.i32())

    /** Writes an entry, which the next one overwrites unless it is kept. */
    const write = (pairs: readonly (I32 | number)[], weights: I32 | number): Code => [
      pairs.map((pair, p) => entry.store32(pair, 4 * p)),
      entry.store32(weights, OFFSET),
    ]
    const keepIf = (condition: I32): Code => entry.increase(condition.times(ENTRY))
    return [
      doWhile(
        [
          at.map((each, p) => each.set(p === 0 ? input : at[p - 1]!.plus(inputStride))),
          [entry.set(list.plus(HEADER)), offset.set(0), isOdd.set(0), end.set(input.plus(inputBytes))],
          doWhile(
            [
              // Positions beyond the last are silent.
              values.map((value, p) => value.set(at[p]!.load32().and(constant(0).minus(left.above(p))))),
              isKept.set(
                values
                  .map((value): I32 => value)
                  .reduce((a, b) => a.or(b))
                  .isNot(0),
              ),
              write(values, offset),
              keepIf(isKept),
              isOdd.set(isOdd.plus(isKept).and(1)),
              at.map((each) => each.increase(4)),
              offset.increase(PAIR_WEIGHTS),
            ],
            at[0]!.below(end),
          ),
          write(
            values.map(() => 0),
            0,
          ),
          keepIf(isOdd),
          list.store32(entry),
          list.increase(bytes),
          input.increase(inputStride.times(TILE_POSITIONS)),
          left.increase(-TILE_POSITIONS),
        ],
        left.above(0),
      ),
      giveBack(0),
    ]
  })
}

/** What is made of the sums of a listed product. */
export interface ListedEnding {
  /** Whether weights, and so sums, are finer by FINE_BITS than bias and shift have it. */
  readonly isFine: boolean
  /** A second output, whose address and stride are the last two parameters. */
  readonly isDouble: boolean
  readonly store: StoreSums
}

/** A function for runProduct, whose inputs are lists. */
export function listedFunction(name: string, { isFine, isDouble, store }: ListedEnding): WasmFunction {
  return wasmFunction(name, 10, (given, scope) => {
    const [panel, panelBytes, groups, positions] = [given[0]!, given[1]!, given[2]!, given[3]!]
    const [lists, bytes, output, outputStride] = [given[4]!, given[5]!, given[6]!, given[7]!]
    const [first, second] = [given[8]!, given[9]!]
    const [list, entry, end, left] = [scope.i32(), scope.i32(), scope.i32(), scope.i32()]
    const [base, weights, to, alsoTo] = [scope.i32(), scope.i32(), scope.i32(), scope.i32()]
    const sums = Array.from({ length: TILE_POSITIONS }, (): Sums => [scope.v128(), scope.v128()])
    const columns = [scope.v128(), scope.v128()]
    const pair = scope.v128()

    const addEntry = (turn: number): Code => [
      weights.set(base.plus(entry.load32(ENTRY * turn + OFFSET))),
      columns.map((each, half) => each.set(weights.load128(16 * half))),
      sums.map((both, p) => [
        pair.set(entry.load32Splat(ENTRY * turn + 4 * p)),
        both.map((sum, half) => sum.set(sum.addI32(columns[half]!.dotI16(pair)))),
      ]),
    ]
    const set = (value: (half: number, sum: V128) => V128): Code =>
      sums.map((both) => both.map((sum, half) => sum.set(value(half, sum))))
    const bias = (half: number): V128 => panel.load128(16 * half)
    const storeAt = (p: number): Code => [
      store(sums[p]!, panel, to, isDouble ? alsoTo : first, second),
      to.increase(outputStride),
      isDouble ? alsoTo.increase(second) : [],
    ]
    return [
      loopWhile(groups.isNot(0), [
        [list.set(lists), left.set(positions), to.set(output), base.set(panel.plus(PANEL_WEIGHTS))],
        isDouble ? alsoTo.set(first) : [],
        loopWhile(left.above(0), [
          [entry.set(list.plus(HEADER)), end.set(list.load32())],
          set(isFine ? () => shared('fineHalf') : bias),
          loopWhile(entry.below(end), [addEntry(0), addEntry(1), entry.increase(2 * ENTRY)]),
          isFine ? set((half, sum) => sum.shiftRightI32(FINE_BITS).addI32(bias(half))) : [],
          storeAt(0),
          sums.slice(1).map((_, i) => when(left.above(i + 1), storeAt(i + 1))),
          [list.increase(bytes), left.increase(-TILE_POSITIONS)],
        ]),
        output.increase(2 * GROUP),
        isDouble ? first.increase(2 * GROUP) : [],
        [panel.increase(panelBytes), groups.increase(-1)],
      ]),
      giveBack(0),
    ]
  })
}
