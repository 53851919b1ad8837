/**
 * Turning the symbols of a split position back into those of the whole transform in the kernel (splits/): they come into
 * natural order, unscaled, where eight columns are side by side; are combined as frequencies of the halves are; and return.
 */
import {
  doWhile,
  loopWhile,
  type FunctionScope,
  type I32Local,
  type V128Local,
} from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, type I32, type V128, type Whole } from '../../lib/wasm-values'
import { SYMBOL_LIMIT } from '../context-model'
import { SPLIT_BITS, SPLIT_HALF, type SplitModel } from '../splits/split-model'
import { BLOCK, LATENTS } from '../weights'
import type { TurnLayout } from './layout'
import { four, type Four } from './lists'

const SYMBOL_BYTES = 2 * LATENTS
/** A row of the block, two of them, and a colour. */
const ROW_BYTES = 2 * BLOCK
const TWO_ROWS = 2 * ROW_BYTES
const COLOUR_BYTES = BLOCK * ROW_BYTES
const PAIRS = Array.from({ length: BLOCK / 2 }, (_, pair) => pair)
const EIGHT = [0, 1, 2, 3, 4, 5, 6, 7] as const
const HALVES = [0, 1] as const

/** The code of a position. */
export class TurnCode {
  readonly #at: TurnLayout
  readonly #symbols: number
  /** Bytes from the start of a region. */
  readonly #index: I32Local
  readonly #from: I32Local
  readonly #eight: V128Local
  readonly #half: V128Local
  readonly #splat: V128Local
  readonly #sums: Four

  /** `symbols`: where the symbols of the position are. */
  constructor(at: TurnLayout, symbols: number, scope: FunctionScope) {
    this.#at = at
    this.#symbols = symbols
    this.#index = scope.i32()
    this.#from = scope.i32()
    this.#eight = scope.v128()
    this.#half = scope.v128()
    this.#splat = scope.v128()
    this.#sums = four(scope)
  }

  /** Turns the symbols back in place; those of silent channels count as zero, and may be other than zero thereafter. */
  back(active: I32): Code {
    const { rows, columns } = this.#at
    return [
      this.#half.set(constant(SPLIT_HALF).splatI32()),
      this.#intoBlock(active),
      rows ? this.#joinRows() : [],
      columns ? this.#joinColumns() : [],
      this.#outOfBlock(),
    ]
  }

  /** Eight symbols at a time, as far as `bytes`. */
  #eights(bytes: Whole, code: Code): Code {
    return [this.#index.set(0), loopWhile(this.#index.below(bytes), [code, this.#index.increase(16)])]
  }

  /** Eight symbols times their factors. */
  #scaled(factors: number): V128 {
    const [index, eight] = [this.#index, this.#eight]
    const product = (values: V128, part: number): V128 =>
      this.#rounded(values.timesI32(index.shiftLeft(1).load128(factors + part)).addI32(this.#half))
    return product(eight.extendLowI16(), 0).narrowI32(product(eight.extendHighI16(), 16))
  }

  /** Sums that hold the half already. */
  #rounded(sums: V128): V128 {
    return sums.shiftRightI32(SPLIT_BITS)
  }

  #intoBlock(active: I32): Code {
    const { natural, step, block } = this.#at
    const [index, eight] = [this.#index, this.#eight]
    const bytes = active.shiftLeft(1)
    const symbols = this.#symbols
    return [
      this.#eights(SYMBOL_BYTES, index.store128(constant(0).splatI32(), block)),
      this.#eights(bytes, [eight.set(index.load128(symbols)), index.store128(this.#scaled(step), symbols)]),
      this.#eights(
        bytes,
        EIGHT.map((n) => index.loadU16(natural + 2 * n).store16(index.loadS16(symbols + 2 * n), block)),
      ),
    ]
  }

  #outOfBlock(): Code {
    const { natural, unstep, negative, block } = this.#at
    const [index, eight] = [this.#index, this.#eight]
    const symbols = this.#symbols
    const limit = (bound: number): V128 => constant(bound).splatI16()
    return [
      this.#eights(
        SYMBOL_BYTES,
        EIGHT.map((n) => index.store16(index.loadU16(natural + 2 * n).loadS16(block), symbols + 2 * n)),
      ),
      this.#eights(SYMBOL_BYTES, [
        eight.set(index.load128(symbols)),
        eight.set(this.#scaled(unstep).minI16(limit(SYMBOL_LIMIT)).maxI16(limit(-SYMBOL_LIMIT))),
        // The sign comes last: halves are rounded up before it.
        index.store128(
          constant(0).splatI16().subSaturatedI16(eight).where(index.load128(negative), eight),
          symbols,
        ),
      ]),
    ]
  }

  /** A row of the block from sums that hold the half already. */
  #storeRow(): Code {
    const sums = this.#sums
    return HALVES.map((half) =>
      this.#index.store128(
        this.#rounded(sums[2 * half]!).narrowI32(this.#rounded(sums[2 * half + 1]!)),
        this.#at.block + 16 * half,
      ),
    )
  }

  /** A row of sums: `pair` of two inputs, splat, times what `of` gives for four columns. */
  #sumRow(pair: (n: number) => V128, of: (n: number, quarter: number) => V128): Code {
    const [splat, sums] = [this.#splat, this.#sums]
    return [
      sums.map((sum) => sum.set(this.#half)),
      PAIRS.map((n) => [
        splat.set(pair(n)),
        sums.map((sum, quarter) => sum.set(sum.addI32(of(n, quarter).dotI16(splat)))),
      ]),
    ]
  }

  #everyRow(step: number, code: Code): Code {
    const index = this.#index
    return [index.set(0), doWhile([code, index.increase(step)], index.below(SYMBOL_BYTES))]
  }

  #joinRows(): Code {
    const { rowHalves, block, pairs } = this.#at
    const [index, from] = [this.#index, this.#from]
    const row = (which: 0 | 1, half: number): V128 => index.load128(block + ROW_BYTES * which + 16 * half)
    return [
      // A column's values of two rows side by side.
      this.#everyRow(
        TWO_ROWS,
        HALVES.map((half) => [
          index.store128(row(0, half).interleaveLowI16(row(1, half)), pairs + 32 * half),
          index.store128(row(0, half).interleaveHighI16(row(1, half)), pairs + 32 * half + 16),
        ]),
      ),
      this.#everyRow(ROW_BYTES, [
        from.set(index.and(-COLOUR_BYTES)),
        this.#sumRow(
          (n) => index.and(COLOUR_BYTES - 1).load32Splat(rowHalves + 4 * n),
          (n, quarter) => from.load128(pairs + TWO_ROWS * n + 16 * quarter),
        ),
        this.#storeRow(),
      ]),
    ]
  }

  #joinColumns(): Code {
    const { columnHalves, block } = this.#at
    return this.#everyRow(ROW_BYTES, [
      this.#sumRow(
        (n) => this.#index.load32Splat(block + 4 * n),
        (n, quarter) => constant(0).load128(columnHalves + TWO_ROWS * n + 16 * quarter),
      ),
      this.#storeRow(),
    ])
  }
}

/** What must fit in 16 bits. */
export const narrowTurn = ({ halves }: SplitModel): Int32Array[] => [halves]

/** What does not depend on the quality; the rest is taken over by useTurn. */
export function packTurn(memory: ArrayBuffer, at: TurnLayout, { halves, place, sign }: SplitModel): void {
  const natural = new Uint16Array(memory, at.natural, LATENTS)
  const negative = new Int16Array(memory, at.negative, LATENTS)
  place.forEach((c, i) => {
    natural[c] = 2 * i
    negative[c] = sign[i]! < 0 ? -1 : 0
  })
  const rows = new Int16Array(memory, at.rowHalves, BLOCK * BLOCK)
  const columns = new Int16Array(memory, at.columnHalves, BLOCK * BLOCK)
  for (let a = 0; a < BLOCK; a++)
    for (let b = 0; b < BLOCK; b++) {
      const weight = halves[a * BLOCK + b]!
      rows[b * BLOCK + a] = weight
      columns[(a >> 1) * 2 * BLOCK + 2 * b + (a & 1)] = weight
    }
}

export function useTurn(
  memory: ArrayBuffer,
  at: TurnLayout,
  { place, sign, step, unstep }: SplitModel,
): void {
  const signed = new Int32Array(memory, at.step, LATENTS)
  place.forEach((c, i) => (signed[c] = sign[i]! * step[c]!))
  new Int32Array(memory, at.unstep, LATENTS).set(unstep)
}
