/** The fast choice of a magnitude in the kernel (symbol-choice.ts). */
import { when, type F64Local, type FunctionScope } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { either, type F64 } from '../../lib/wasm-values'
import { SYMBOL_MAX } from '../context-model'
import type { KernelLayout } from './layout'
import { sizeOf, type Position } from './position'

/** Sets the magnitude as chooseMagnitude does from 0.5 on; the position's table is known. */
export function chooseMagnitude(
  at: KernelLayout,
  { table, magnitude }: Position,
  value: F64Local,
  worth: F64,
  scope: FunctionScope,
): Code {
  const rest = scope.f64()
  const bits = (after: number): F64 => table.plus(magnitude.shiftLeft(2)).loadF32(at.bitsAfter + 4 * after)
  return [
    magnitude.set(value.truncated()),
    when(
      magnitude.plus(1).atLeast(sizeOf(table).minus(1)),
      [
        magnitude.set(value.plus(0.5).truncated()),
        magnitude.set(either(magnitude.below(SYMBOL_MAX), magnitude, SYMBOL_MAX)),
      ],
      [
        rest.set(value.minus(magnitude.toF64())),
        magnitude.increase(
          rest
            .times(2)
            .minus(1)
            .times(worth)
            .above(bits(1).minus(bits(0))),
        ),
      ],
    ),
  ]
}
