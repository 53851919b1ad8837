/**
 * The states of dependent quantization in the kernel (dependent-quantization.ts). A state is two quantizers: the one that
 * serves, and the one after it if the symbol is even; an even symbol swaps both. So they stand in a word, bit for bit in
 * turns, which an even symbol rotates; an odd one also turns those bits that tell who serves after it.
 */
import type { FunctionScope, I32Local } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, type I32 } from '../../lib/wasm-values'
import { HALF_STEP } from '../dependent-quantization'

/** The bits of the quantizer that serves, two to any odd power. */
const SERVING = 0xaaaaaaaa

export class States {
  /** Its lowest two bits are the state. */
  readonly word: I32Local
  readonly #lift: number

  constructor(lift: number, scope: FunctionScope) {
    this.#lift = lift
    this.word = scope.i32()
  }

  start(): Code {
    return this.word.set(0)
  }

  afterZero(): Code {
    return this.word.set(this.word.rotateRight(1))
  }

  after(magnitude: I32): Code {
    const isOdd = constant(0).minus(magnitude.and(1))
    return this.word.set(this.word.rotateRight(1).xor(isOdd.and(SERVING)))
  }

  /** What the record of a rank lies after that of the first quantizer. */
  get lift(): I32 {
    return this.word.and(this.#lift)
  }

  /** 1 where the second quantizer serves. */
  get isSecond(): I32 {
    return this.word.shiftRightUnsigned(1).and(1)
  }

  /** A residual, not zero, in sixteenths. */
  restored(residual: I32): I32 {
    const sign = residual.shiftRight(31).or(1)
    return residual.shiftLeft(1).minus(sign.times(this.isSecond)).times(HALF_STEP)
  }
}
