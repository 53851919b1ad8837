/** Decoding of a position in the kernel: rANS, raw bits, symbols. */
import { giveBack, loopWhile, wasmFunction, when, type WasmFunction } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant } from '../../lib/wasm-values'
import { LOWER, PRECISION_BITS } from '../rans'
import { LATENTS } from '../weights'
import { STATE, type KernelLayout } from './layout'
import { Position, bound, sizeOf, state } from './position'

/** What decode gives back. */
export const DECODED = { ok: 0, rawCut: 1, rawRange: 2 } as const

/** decode(here, active, out) -> DECODED. */
export function decodeFunction(at: KernelLayout): WasmFunction {
  return wasmFunction('decode', 3, (given, scope) => {
    const position = new Position(at, given, scope)
    const out = given[2]!
    const { table, entry, magnitude, residual, active } = position
    const [coder, from, end] = [scope.i32(), scope.i32(), scope.i32()]
    const [slot, first, high, middle] = [scope.i32(), scope.i32(), scope.i32(), scope.i32()]
    const [rawBit, rawEnd, raw] = [scope.i32(), scope.i32(), scope.i32()]
    const [bit, zeros, excess] = [scope.i32(), scope.i32(), scope.i32()]

    const readBit: Code = [
      when(rawBit.atLeast(rawEnd), giveBack(DECODED.rawCut)),
      bit.set(
        raw
          .plus(rawBit.shiftRight(3))
          .loadU8()
          .shiftRight(constant(7).minus(rawBit.and(7)))
          .and(1),
      ),
      rawBit.increase(1),
    ]
    const readGolomb: Code = [
      zeros.set(0),
      readBit,
      loopWhile(bit.is(0), [zeros.increase(1), when(zeros.atLeast(17), giveBack(DECODED.rawRange)), readBit]),
      excess.set(1),
      loopWhile(zeros.isNot(0), [readBit, excess.set(excess.shiftLeft(1).or(bit)), zeros.increase(-1)]),
      residual.increase(excess.minus(1)),
    ]
    // The first few entries hold nearly all the mass; a long alphabet is searched by halves.
    const search: Code = [
      entry.set(1),
      loopWhile(entry.below(4).and(slot.atLeast(bound(table, entry, 1))), entry.increase(1)),
      when(entry.is(4), [
        high.set(sizeOf(table).minus(1)),
        loopWhile(entry.below(high), [
          middle.set(entry.plus(high).shiftRight(1)),
          when(slot.atLeast(bound(table, middle, 1)), entry.set(middle.plus(1)), high.set(middle)),
        ]),
      ]),
    ]
    const renormalise: Code = loopWhile(coder.below(LOWER), [
      coder.set(coder.shiftLeft(8)),
      // Past the end zeros are read: the caller then finds that more was read than there is.
      when(from.below(end), coder.set(coder.or(from.loadU8()))),
      from.increase(1),
    ])
    const decodeOne: Code = [
      slot.set(coder.and((1 << PRECISION_BITS) - 1)),
      first.set(bound(table, 1)),
      when(
        slot.below(first),
        [
          coder.set(first.times(coder.shiftRight(PRECISION_BITS)).plus(slot)),
          renormalise,
          position.putZero(),
        ],
        [
          search,
          first.set(bound(table, entry)),
          coder.set(
            bound(table, entry, 1)
              .minus(first)
              .times(coder.shiftRight(PRECISION_BITS))
              .plus(slot)
              .minus(first),
          ),
          renormalise,
          residual.set(entry),
          when(entry.is(sizeOf(table).minus(1)), readGolomb),
          magnitude.set(residual),
          readBit,
          when(bit, residual.set(constant(0).minus(residual))),
          position.put(),
        ],
      ),
    ]
    const index = zeros
    return [
      [
        coder.set(state.load32(STATE.coder)),
        from.set(state.load32(STATE.at)),
        end.set(state.load32(STATE.end)),
      ],
      [rawBit.set(state.load32(STATE.rawBit)), rawEnd.set(state.load32(STATE.rawEnd))],
      raw.set(state.load32(STATE.rawBytes)),
      [position.channels(decodeOne), position.finish()],
      [state.store32(coder, STATE.coder), state.store32(from, STATE.at), state.store32(rawBit, STATE.rawBit)],
      index.set(0),
      // Turned back, silent channels too may be other than zero.
      loopWhile(index.below(at.turn === null ? active.shiftLeft(1) : 2 * LATENTS), [
        out.plus(index).store128(index.load128(at.symbols)),
        index.increase(16),
      ]),
      giveBack(DECODED.ok),
    ]
  })
}
