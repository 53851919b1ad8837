/**
 * The kernel's matrix products: at every position, inputs [rows] of int16 times weights [rows, columns] of int16, summed in
 * int32. A tile of four positions by eight columns stays in registers while a pair of rows at a time goes by; what is made
 * of the sums is the ending's. Columns come in groups of eight, and the weights of a group lie in a panel, in the order in
 * which they are read:
 *
 *     bias int32 [8] | scale float32 [8] | weights int16 [rows / 2, 8, 2]
 */
import {
  doWhile,
  giveBack,
  loopWhile,
  wasmFunction,
  when,
  type FunctionScope,
  type I32Local,
  type V128Local,
  type WasmFunction,
} from '../../../lib/wasm-assembler'
import type { Code } from '../../../lib/wasm-bytes'
import type { I32 } from '../../../lib/wasm-values'

/** Bytes of a page of memory. */
export const PAGE = 65536
/** Columns of a group: two registers of sums. */
export const GROUP = 8
export const PANEL_SCALE = 4 * GROUP
export const PANEL_WEIGHTS = PANEL_SCALE + 4 * GROUP
/** Inputs come in multiples of so many rows; the weights of those that are made up are zero. */
export const ROW_UNIT = 8
export const rounded = (count: number): number => Math.ceil(count / GROUP) * GROUP

export const TILE_POSITIONS = 4
/** Pairs of rows that a turn of the innermost loop takes. */
const UNROLLED = 2

export type Sums = readonly [V128Local, V128Local]

/** Stores eight columns of a position, given the last two parameters of the function; may use up the sums. */
export type StoreSums = (sums: Sums, panel: I32, output: I32, first: I32, second: I32) => Code

/** What a function makes of the sums. */
export interface Ending {
  /** Bytes of eight columns of the output. */
  readonly outputBytes: number
  /** Pieces of inputs that a position has, one after another in the panel: rows of a window of 3 x 3. */
  readonly segments: number
  readonly store: StoreSums
}

/** Where the panels of a matrix lie. */
export interface Panels {
  readonly at: number
  /** Bytes from one to the next. */
  readonly bytes: number
  readonly groups: number
}

/** Of a product with a whole matrix, or with lists of the inputs that are not zero. */
export interface ProductJob {
  readonly panels: Panels
  readonly positions: number
  /** Address of the first position's inputs, or of the first list; and bytes from one to the next. */
  readonly input: number
  readonly inputStride: number
  readonly output: number
  readonly outputStride: number
  /** Unless they are listed: bytes of inputs that count, two for each row. */
  readonly inputBytes?: number
  /** Bytes from one segment of a position to the next. */
  readonly segmentStride?: number
}

export type MatrixCall = (...given: number[]) => number

/** Without arrays and copies of objects: there are thousands of calls in a run. */
export const runProduct = (call: MatrixCall, job: ProductJob, first = 0, second = 0): number =>
  call(
    job.panels.at,
    job.panels.bytes,
    job.panels.groups,
    job.positions,
    job.input,
    job.inputStride,
    job.output,
    job.outputStride,
    first,
    second,
    job.inputBytes ?? 0,
    job.segmentStride ?? 0,
  )

export function matrixFunction(name: string, { outputBytes, segments, store }: Ending): WasmFunction {
  return wasmFunction(name, 12, (given, scope) => {
    const [panel, panelBytes, groups, positions] = [given[0]!, given[1]!, given[2]!, given[3]!]
    const [input, inputStride, output, outputStride] = [given[4]!, given[5]!, given[6]!, given[7]!]
    const [first, second, inputBytes, segmentStride] = [given[8]!, given[9]!, given[10]!, given[11]!]
    const [from, to, end, left, weights] = [scope.i32(), scope.i32(), scope.i32(), scope.i32(), scope.i32()]
    const at = Array.from({ length: TILE_POSITIONS }, () => scope.i32())
    const sums = Array.from({ length: TILE_POSITIONS }, (): Sums => [scope.v128(), scope.v128()])
    const addProducts = productsOver(scope, weights, end)

    const tile = (count: number): Code => {
      const here = at.slice(0, count)
      const tileSums = sums.slice(0, count)
      const start = here.map((each, p) => each.set(p === 0 ? from : here[p - 1]!.plus(inputStride)))
      const addSegment = [end.set(here[0]!.plus(inputBytes)), addProducts(here, tileSums)]
      return [
        [start, weights.set(panel.plus(PANEL_WEIGHTS))],
        tileSums.map((pair) => pair.map((sum, half) => sum.set(panel.load128(16 * half)))),
        addSegment,
        Array.from({ length: segments - 1 }, () => [
          here.map((each) => each.set(each.plus(segmentStride).minus(inputBytes))),
          addSegment,
        ]),
        tileSums.map((pair) => [store(pair, panel, to, first, second), to.increase(outputStride)]),
        from.set(from.plus(inputStride.times(count))),
      ]
    }

    return [
      loopWhile(groups.isNot(0), [
        [from.set(input), to.set(output), left.set(positions)],
        loopWhile(left.atLeast(TILE_POSITIONS), [tile(TILE_POSITIONS), left.increase(-TILE_POSITIONS)]),
        when(left.and(2), tile(2)),
        when(left.and(1), tile(1)),
        output.increase(outputBytes),
        [panel.increase(panelBytes), groups.increase(-1)],
      ]),
      giveBack(0),
    ]
  })
}

/** Adds to the sums the products of what follows at `weights` and of the inputs at each position, until `end` of the first. */
function productsOver(
  scope: FunctionScope,
  weights: I32Local,
  end: I32Local,
): (at: readonly I32Local[], sums: readonly Sums[]) => Code {
  const columns = [scope.v128(), scope.v128()]
  const pair = scope.v128()
  return (at, sums) => {
    const step = (turn: number): Code => [
      columns.map((each, half) => each.set(weights.load128(4 * GROUP * turn + 16 * half))),
      at.map((each, p) => [
        pair.set(each.load32Splat(4 * turn)),
        sums[p]!.map((sum, half) => sum.set(sum.addI32(columns[half]!.dotI16(pair)))),
      ]),
    ]
    return doWhile(
      [
        Array.from({ length: UNROLLED }, (_, turn) => step(turn)),
        weights.increase(4 * GROUP * UNROLLED),
        at.map((each) => each.increase(4 * UNROLLED)),
      ],
      at[0]!.below(end),
    )
  }
}
