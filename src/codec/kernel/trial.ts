/** What a position would cost in a split, in the kernel: the best encoder tries several and codes the cheapest. */
import { giveBack, loopWhile, wasmFunction, when, type WasmFunction } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, either, type F64, type I32 } from '../../lib/wasm-values'
import { SYMBOL_UNIT } from '../context-model'
import { SPLIT_BITS, type SplitModel } from '../splits/split-model'
import { LATENTS } from '../weights'
import { STATE, type KernelLayout, type TrialLayout } from './layout'
import { chooseMagnitude } from './magnitude'
import { Position, sizeOf, state } from './position'

/** Costs are given in parts of a bit. */
export const TRIAL_UNIT = 64
const MOST = 2 ** 30

/**
 * trial(here, active, y) -> bits, and what squared grey levels of error are worth in bits, in units of 2^-6. Chooses symbols
 * as encode does, from a begun position; leaves its traces in the offsets, which the caller puts back.
 */
export function trialFunction(at: KernelLayout, { weights }: TrialLayout): WasmFunction {
  return wasmFunction('trial', 3, (given, scope) => {
    const position = new Position(at, given, scope)
    const y = given[2]!
    const { channel, table, entry, magnitude, residual } = position
    const escape = scope.i32()
    const [value, distance, worth, cost] = [scope.f64(), scope.f64(), scope.f64(), scope.f64()]
    const weight = channel.shiftLeft(2).loadF32(weights)
    const lost = (rest: F64): Code => [
      value.set(rest),
      cost.set(cost.plus(value.times(value).times(weight).times(worth))),
    ]
    const bitsOf = (of: I32): F64 => table.plus(of.shiftLeft(2)).loadF32(at.bitsAfter)
    /** Of the exponential Golomb code of what goes beyond the table. */
    const golombBits = constant(63).minus(magnitude.minus(escape).plus(1).leadingZeros().shiftLeft(1)).toF64()
    const tryOne: Code = [
      value.set(
        y.loadF32().minus(
          position
            .mean()
            .toF64()
            .times(1 / SYMBOL_UNIT),
        ),
      ),
      distance.set(value.magnitude()),
      when(distance.below(0.5), magnitude.set(0), [
        chooseMagnitude(at, position, distance, worth, scope),
        residual.set(either(value.below(0), constant(0).minus(magnitude), magnitude)),
      ]),
      y.increase(4),
      lost(distance.minus(magnitude.toF64())),
      when(
        magnitude,
        [
          escape.set(sizeOf(table).minus(1)),
          entry.set(either(magnitude.below(escape), magnitude, escape)),
          cost.set(cost.plus(bitsOf(entry)).plus(1)),
          when(entry.is(escape), cost.set(cost.plus(golombBits))),
          position.put(),
        ],
        [cost.set(cost.plus(bitsOf(constant(0)))), position.putZero()],
      ),
    ]
    return [
      [worth.set(state.loadF32(STATE.worth)), position.channels(tryOne)],
      // Silent channels are lost.
      loopWhile(channel.below(LATENTS), [lost(y.loadF32()), y.increase(4), channel.increase(1)]),
      giveBack(cost.times(TRIAL_UNIT).least(MOST).truncated()),
    ]
  })
}

export function useTrial(memory: ArrayBuffer, { weights }: TrialLayout, { step }: SplitModel): void {
  new Float32Array(memory, weights, LATENTS).set(Float32Array.from(step, (s) => (s / (1 << SPLIT_BITS)) ** 2))
}
