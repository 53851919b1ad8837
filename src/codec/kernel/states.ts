/** The states of dependent quantization in the kernel (dependent-quantization.ts), two bits as masks of all ones or none. */
import type { FunctionScope, I32Local } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, type I32 } from '../../lib/wasm-values'
import { HALF_STEP } from '../dependent-quantization'

/** A state is 2 `now` + `then`. An even magnitude swaps both bits, an odd one also turns the one that is `now` after it. */
export class States {
  /** The quantizer that serves. */
  readonly now: I32Local
  /** The one after this symbol if it is even. */
  readonly then: I32Local
  readonly #kept: I32Local
  readonly #lift: number

  constructor(lift: number, scope: FunctionScope) {
    this.#lift = lift
    this.now = scope.i32()
    this.then = scope.i32()
    this.#kept = scope.i32()
  }

  start(): Code {
    return [this.now.set(0), this.then.set(0)]
  }

  afterZero(): Code {
    const { now, then } = this
    const kept = this.#kept
    return [kept.set(now), now.set(then), then.set(kept)]
  }

  after(magnitude: I32): Code {
    return [this.afterZero(), this.now.set(this.now.xor(constant(0).minus(magnitude.and(1))))]
  }

  /** What the record of a rank lies after that of the first quantizer. */
  get lift(): I32 {
    return this.now.and(this.#lift)
  }

  /** A residual, not zero, in sixteenths. */
  restored(residual: I32): I32 {
    const sign = residual.shiftRight(31).or(1)
    return residual.times(2 * HALF_STEP).minus(sign.times(HALF_STEP).and(this.now))
  }
}
