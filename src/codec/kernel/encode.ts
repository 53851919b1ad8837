/** Encoding in the kernel: what is to be coded, the choice of symbols, rANS. The same bytes as rans.ts writes. */
import { doWhile, giveBack, loopWhile, wasmFunction, when, type WasmFunction } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, either, float, type I32 } from '../../lib/wasm-values'
import { SYMBOL_MAX, SYMBOL_UNIT } from '../context-model'
import { LOWER, PRECISION_BITS } from '../rans'
import { LATENTS } from '../weights'
import { GROUP, STATE, type KernelLayout } from './layout'
import { chooseMagnitude } from './magnitude'
import { Position, bound, sizeOf, state } from './position'

const QUARTERS = [0, 1, 2, 3] as const

/**
 * prepare(y, end) -> channels that are coded: all up to the last with some |y| of at least 0.5, in groups. Clips y to
 * what can be coded; NaN, which no picture gives, becomes a symbol too.
 */
export function prepareFunction(): WasmFunction {
  return wasmFunction('prepare', 2, (given, scope) => {
    const [y, end] = [given[0]!, given[1]!]
    const [active, channel] = [scope.i32(), scope.i32()]
    const [low, high, half] = [scope.v128(), scope.v128(), scope.v128()]
    const [seen, values] = [scope.v128(), scope.v128()]
    const clip = (quarter: number): Code => [
      values.set(high.lowerF32(low.higherF32(y.load128(16 * quarter)))),
      y.store128(values, 16 * quarter),
      seen.set(quarter === 0 ? values.absF32() : seen.maxF32(values.absF32())),
    ]
    return [
      [active.set(0), low.set(float(-SYMBOL_MAX).splatF32()), high.set(float(SYMBOL_MAX).splatF32())],
      half.set(float(0.5).splatF32()),
      loopWhile(y.below(end), [
        channel.set(0),
        doWhile(
          [
            QUARTERS.map(clip),
            y.increase(4 * GROUP),
            channel.increase(GROUP),
            when(channel.above(active), when(seen.atLeastF32(half).hasAny(), active.set(channel))),
          ],
          channel.below(LATENTS),
        ),
      ]),
      giveBack(active),
    ]
  })
}

/**
 * encode(here, active, y, chosen, entries) -> address after the entries, each start | frequency << 16. Chooses from y, in
 * steps, or takes the residuals at `chosen` where that is not 0.
 */
export function encodeFunction(at: KernelLayout): WasmFunction {
  return wasmFunction('encode', 5, (given, scope) => {
    const position = new Position(at, given, scope)
    const [y, chosen, entries] = [given[2]!, given[3]!, given[4]!]
    const { channel, table, entry, magnitude, residual } = position
    const [escape, start, length] = [scope.i32(), scope.i32(), scope.i32()]
    const [pending, count, raw] = [scope.i32(), scope.i32(), scope.i32()]
    const [value, distance, worth] = [scope.f64(), scope.f64(), scope.f64()]

    const writeBits = (bits: I32, n: I32 | number): Code => [
      pending.set(pending.shiftLeft(n).or(bits)),
      count.increase(n),
      loopWhile(count.atLeast(8), [
        count.increase(-8),
        raw.store8(pending.shiftRightUnsigned(count)),
        raw.increase(1),
      ]),
    ]
    const writeGolomb = (excess: I32): Code => [
      start.set(excess.plus(1)),
      length.set(constant(32).minus(start.leadingZeros())),
      writeBits(constant(0), length.minus(1)),
      writeBits(start, length),
    ]
    const take: Code = [
      residual.set(channel.shiftLeft(1).plus(chosen).loadS16()),
      magnitude.set(either(residual.below(0), constant(0).minus(residual), residual)),
    ]
    const mean = position.mean().toF64()
    const encodeOne: Code = [
      when(chosen, take, [
        value.set(y.loadF32().minus(mean.times(1 / SYMBOL_UNIT))),
        distance.set(value.magnitude()),
        when(distance.below(0.5), magnitude.set(0), [
          chooseMagnitude(at, position, distance, worth, scope),
          residual.set(either(value.below(0), constant(0).minus(magnitude), magnitude)),
        ]),
      ]),
      y.increase(4),
      when(
        magnitude,
        [
          escape.set(sizeOf(table).minus(1)),
          entry.set(either(magnitude.below(escape), magnitude, escape)),
          start.set(bound(table, entry)),
          entries.store32(bound(table, entry, 1).minus(start).shiftLeft(16).or(start)),
          when(entry.is(escape), writeGolomb(magnitude.minus(escape))),
          writeBits(residual.below(0), 1),
          position.put(),
        ],
        [entries.store32(bound(table, 1).shiftLeft(16)), position.putZero()],
      ),
      entries.increase(4),
    ]
    return [
      [pending.set(state.load32(STATE.rawPending)), count.set(state.load32(STATE.rawCount))],
      [raw.set(state.load32(STATE.rawBytes)), worth.set(state.loadF32(STATE.worth))],
      [position.channels(encodeOne), position.finish()],
      [state.store32(pending, STATE.rawPending), state.store32(count, STATE.rawCount)],
      state.store32(raw, STATE.rawBytes),
      giveBack(entries),
    ]
  })
}

const INVERSE_BITS = 31

/**
 * For every frequency f of 16 bits, 2^(31 + s) / f rounded up, s being the bits of f - 1: state / f is the product of both
 * shifted right by 31 + s, exactly for states below 2^31 (Alverson 1991, Integer division using reciprocals).
 */
export function inverseFrequencies(): Uint32Array {
  return Uint32Array.from({ length: 1 << PRECISION_BITS }, (_, f) =>
    f === 0 ? 0 : Math.ceil(2 ** (INVERSE_BITS + 32 - Math.clz32(f - 1)) / f),
  )
}

/** code(entries, end, out) -> address of the first byte: ransEncode, written backwards to end at `out`. */
export function codeFunction(at: KernelLayout): WasmFunction {
  return wasmFunction('code', 3, (given, scope) => {
    const [entries, end, out] = [given[0]!, given[1]!, given[2]!]
    const [coder, frequency, quotient, entry] = [scope.i32(), scope.i32(), scope.i32(), scope.i32()]
    const writeByte: Code = [out.increase(-1), out.store8(coder), coder.set(coder.shiftRightUnsigned(8))]
    return [
      coder.set(LOWER),
      loopWhile(entries.below(end), [
        end.increase(-4),
        entry.set(end.load32()),
        frequency.set(entry.shiftRightUnsigned(16)),
        loopWhile(coder.atLeastUnsigned(frequency.shiftLeft(15)), writeByte),
        quotient.set(
          coder.timesShifted(
            frequency.shiftLeft(2).load32(at.inverses),
            constant(INVERSE_BITS + 32).minus(frequency.minus(1).leadingZeros()),
          ),
        ),
        // quotient · 2^16 + remainder + start, with the division's result needed once.
        coder.set(
          coder.plus(entry.and(0xffff)).plus(quotient.times(constant(1 << PRECISION_BITS).minus(frequency))),
        ),
      ]),
      QUARTERS.map(() => writeByte),
      giveBack(out),
    ]
  })
}
