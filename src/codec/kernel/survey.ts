/** The survey of a position with dependent quantization (codec/trellis.ts). */
import { giveBack, wasmFunction, when, type WasmFunction } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, either } from '../../lib/wasm-values'
import { SYMBOL_UNIT } from '../context-model'
import { GROUP, RANK, STATE, type KernelLayout, type TrellisLayout } from './layout'
import { chooseMagnitude } from './magnitude'
import { Position, state } from './position'
import { HALF, STEP, TrellisCode } from './trellis'

/**
 * survey(here, active, y) -> 0. Passes over a position that has begun with the first quantizer alone, plans by what it
 * sees, and begins the position again.
 */
export function surveyFunction(at: KernelLayout, trellis: TrellisLayout): WasmFunction {
  return wasmFunction('survey', 3, (given, scope) => {
    const position = new Position(at, given, scope)
    const y = given[2]!
    const { channel, table, magnitude, residual } = position
    const code = new TrellisCode(at, trellis, position, scope)
    const [distance, worth, ownWorth] = [scope.f64(), scope.f64(), scope.f64()]
    const copyMeans = (from: number, to: number): Code =>
      Array.from({ length: at.means / 8 }, (_, eight) =>
        constant(0).store128(constant(0).load128(from + 16 * eight), to + 16 * eight),
      )
    const mean = position.mean().toF64()
    const isNegative = y
      .plus(channel.and(GROUP - 1).shiftLeft(2))
      .loadF32()
      .minus(mean.times(1 / SYMBOL_UNIT))
      .below(0)
    const surveyOne: Code = [
      code.keepRank(),
      distance.set(code.distance),
      when(distance.below(HALF).is(0), [
        table.set(code.record.load32(RANK.table)),
        distance.set(distance.dividedBy(STEP)),
        chooseMagnitude(at, position, distance, ownWorth, scope),
        when(magnitude, [
          residual.set(either(isNegative, constant(0).minus(magnitude), magnitude)),
          position.putForSurvey(),
        ]),
      ]),
    ]
    return [
      [worth.set(state.loadF32(STATE.worth)), ownWorth.set(worth.times(STEP * STEP))],
      copyMeans(at.symbols, trellis.means),
      position.groups([
        code.see(y),
        when(code.far, position.eachOfGroup(surveyOne), channel.increase(GROUP)),
        y.increase(4 * GROUP),
      ]),
      copyMeans(trellis.means, at.symbols),
      position.startAgain(),
      code.planAll(worth),
      giveBack(0),
    ]
  })
}
