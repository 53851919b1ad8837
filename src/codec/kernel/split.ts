/** Splitting latents in the kernel, and guessing what splits would cost: the arithmetic of splits/split-choice.ts, in float32. */
import {
  doWhile,
  giveBack,
  wasmFunction,
  when,
  type FunctionScope,
  type I32Local,
  type WasmFunction,
} from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, float, type V128, type Whole } from '../../lib/wasm-values'
import { GUESS_ROWS, GUESS_SHIFT, stepsByFrequency } from '../splits/split-choice'
import { SPLIT_BITS, type SplitModel } from '../splits/split-model'
import { BLOCK, LATENTS } from '../weights'
import type { SplitLayout } from './layout'
import { four, type Four } from './lists'

const ROW_BYTES = 4 * BLOCK
export const BLOCK_BYTES = BLOCK * ROW_BYTES
const SIXTEEN = Array.from({ length: BLOCK }, (_, i) => i)
/** Bits of the exponent of 1. */
const ONE = 127 << (23 - GUESS_SHIFT)

/** What both functions do with blocks of 16 x 16 coefficients. */
class BlockCode {
  readonly #at: SplitLayout
  readonly #index: I32Local
  readonly #sums: Four

  constructor(at: SplitLayout, scope: FunctionScope) {
    this.#at = at
    this.#index = scope.i32()
    this.#sums = four(scope)
  }

  /** The coefficients of a colour, its first one at so many bytes of the tables, from y at the first block. */
  gather(y: I32Local, colour: Whole): Code {
    const { place, steps, blocks } = this.#at
    const index = this.#index
    const from = index.plus(colour)
    return this.#every(16, [
      [0, 4, 8, 12].map((next) => index.store32(y.plus(from.load32(place + next)).load32(), blocks + next)),
      index.store128(index.load128(blocks).timesF32(from.load128(steps)), blocks),
    ])
  }

  /** The way back, from a block. */
  scatter(block: number, out: I32Local, colour: Whole): Code {
    const { place, unsteps } = this.#at
    const index = this.#index
    const from = index.plus(colour)
    return this.#every(16, [
      index.store128(index.load128(block).timesF32(from.load128(unsteps)), block),
      [0, 4, 8, 12].map((next) => out.plus(from.load32(place + next)).store32(index.load32(block + next))),
    ])
  }

  rows(from: number, to: number): Code {
    return this.#combined(
      (k) => this.#index.load32Splat(this.#at.halves + 4 * k),
      (k, quarter) => constant(0).load128(from + ROW_BYTES * k + 16 * quarter),
      to,
    )
  }

  columns(from: number, to: number): Code {
    return this.#combined(
      (k) => this.#index.load32Splat(from + 4 * k),
      (k, quarter) => constant(0).load128(this.#at.halvesAcross + ROW_BYTES * k + 16 * quarter),
      to,
    )
  }

  /** Every row of a block: the sum over k of a factor times four columns. */
  #combined(factor: (k: number) => V128, of: (k: number, quarter: number) => V128, to: number): Code {
    const [index, sums] = [this.#index, this.#sums]
    return this.#every(ROW_BYTES, [
      sums.map((sum) => sum.set(constant(0).splatI32())),
      SIXTEEN.map((k) => sums.map((sum, quarter) => sum.set(sum.addF32(factor(k).timesF32(of(k, quarter)))))),
      sums.map((sum, quarter) => index.store128(sum, to + 16 * quarter)),
    ])
  }

  /** What the luma in a block would cost, in four parts. */
  cost(block: number, to: number): Code {
    const [index, [product, cost]] = [this.#index, this.#sums]
    const one = float(1).splatF32()
    const each = (row: number): Code =>
      product.set(
        product.timesF32(
          index
            .load128(block + ROW_BYTES * row)
            .timesF32(index.load128(this.#at.guessed + ROW_BYTES * row))
            .absF32()
            .addF32(one),
        ),
      )
    const part = (first: number): Code => [
      product.set(one),
      Array.from({ length: GUESS_ROWS }, (_, row) => each(first + row)),
      cost.set(cost.addI32(product.shiftRightI32(GUESS_SHIFT).subI32(constant(ONE).splatI32()))),
    ]
    return [
      cost.set(constant(0).splatI32()),
      index.set(0),
      doWhile([part(0), part(GUESS_ROWS), index.increase(16)], index.below(ROW_BYTES)),
      constant(0).store128(cost, to),
    ]
  }

  #every(bytes: number, code: Code): Code {
    const index = this.#index
    return [index.set(0), doWhile([code, index.increase(bytes)], index.below(BLOCK_BYTES))]
  }
}

/** guess(y) -> 0: what the position would cost in each split, at `costs`, in four parts each. */
export function guessFunction(at: SplitLayout): WasmFunction {
  return wasmFunction('guess', 1, (given, scope) => {
    const code = new BlockCode(at, scope)
    const [whole, quarters, columns, rows] = blocksOf(at)
    return [
      code.gather(given[0]!, 0),
      [code.rows(whole, rows), code.columns(whole, columns), code.columns(rows, quarters)],
      [whole, quarters, columns, rows].map((block, split) => code.cost(block, at.costs + 16 * split)),
      giveBack(0),
    ]
  })
}

/** split(y, split, out) -> 0: the latents of a whole position in a split; out may be y. */
export function splitFunction(at: SplitLayout): WasmFunction {
  return wasmFunction('split', 3, (given, scope) => {
    const [y, split, out] = [given[0]!, given[1]!, given[2]!]
    const colour = scope.i32()
    const code = new BlockCode(at, scope)
    const [whole, quarters, columns, rows] = blocksOf(at)
    return [
      colour.set(0),
      doWhile(
        [
          code.gather(y, colour),
          when(
            split.is(2),
            [code.columns(whole, columns), code.scatter(columns, out, colour)],
            [
              code.rows(whole, rows),
              when(split.is(3), code.scatter(rows, out, colour), [
                code.columns(rows, quarters),
                code.scatter(quarters, out, colour),
              ]),
            ],
          ),
          colour.increase(BLOCK_BYTES),
        ],
        colour.below(4 * LATENTS),
      ),
      giveBack(0),
    ]
  })
}

/** Blocks by split. */
const blocksOf = ({ blocks }: SplitLayout): readonly [number, number, number, number] => [
  blocks,
  blocks + BLOCK_BYTES,
  blocks + 2 * BLOCK_BYTES,
  blocks + 3 * BLOCK_BYTES,
]

/** What does not depend on the quality; the rest is taken over by useSplit. */
export function packSplitting(memory: ArrayBuffer, at: SplitLayout, { halves, place }: SplitModel): void {
  new Int32Array(memory, at.place, LATENTS).set(place.map((c) => 4 * c))
  const [down, across] = [at.halves, at.halvesAcross].map(
    (address) => new Float32Array(memory, address, halves.length),
  )
  halves.forEach((factor, i) => {
    const [a, k] = [Math.floor(i / BLOCK), i % BLOCK]
    down![i] = factor / (1 << SPLIT_BITS)
    across![k * BLOCK + a] = factor / (1 << SPLIT_BITS)
  })
}

export function useSplitting(memory: ArrayBuffer, at: SplitLayout, model: SplitModel): void {
  const { steps, unsteps, guessed } = stepsByFrequency(model)
  new Float32Array(memory, at.steps, LATENTS).set(steps)
  new Float32Array(memory, at.unsteps, LATENTS).set(unsteps)
  new Float32Array(memory, at.guessed, BLOCK * BLOCK).set(guessed)
}
