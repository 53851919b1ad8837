import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  assembleModule,
  constant,
  either,
  float,
  giveBack,
  loopWhile,
  wasmFunction,
  when,
  type Code,
  type I32Local,
  type FunctionScope,
} from './wasm-assembler'

type Write = (given: readonly I32Local[], scope: FunctionScope) => Code

async function assembled(parameters: number, write: Write): Promise<(...given: number[]) => number> {
  const code = assembleModule([wasmFunction('f', parameters, write)], 1)
  const { instance } = await WebAssembly.instantiate(code)
  return instance.exports['f'] as (...given: number[]) => number
}

describe('the WebAssembly assembler', () => {
  it('writes every constant', async () => {
    const borders = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8192, -8193, 2 ** 31 - 1, -(2 ** 31)]
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constantFrom(...borders), fc.maxSafeInteger()), async (value) => {
        const f = await assembled(0, () => giveBack(value))
        expect(f()).toBe(value | 0)
      }),
      { numRuns: 60 },
    )
  })

  it('computes as JavaScript does', async () => {
    const f = await assembled(2, ([a, b]) =>
      giveBack(
        either(a!.below(b!), a!.plus(b!).times(3), a!.minus(b!).shiftRight(1))
          .or(a!.and(b!))
          .plus(b!.shiftLeft(3).shiftRightUnsigned(2)),
      ),
    )
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        const chosen = a < b ? Math.imul((a + b) | 0, 3) : ((a - b) | 0) >> 1
        expect(f(a, b)).toBe(((chosen | (a & b)) + ((b << 3) >>> 2)) | 0)
      }),
    )
  })

  it('multiplies 64 bits wide', async () => {
    const f = await assembled(3, ([a, b, bits]) => giveBack(a!.timesShifted(b!, bits!)))
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.nat(2 ** 32 - 1), fc.nat(63), (a, b, bits) => {
        const product = (BigInt(a) * BigInt(b)) >> BigInt(bits)
        expect(f(a, b, bits)).toBe(Number(BigInt.asIntN(32, product)))
      }),
    )
  })

  it('loops, branches, and returns from within', async () => {
    const f = await assembled(1, ([n], scope) => {
      const steps = scope.i32()
      return [
        loopWhile(n!.isNot(1), [
          when(n!.and(1), n!.set(n!.times(3).plus(1)), n!.set(n!.shiftRight(1))),
          steps.increase(1),
          when(steps.above(1000), giveBack(-1)),
        ]),
        giveBack(steps),
      ]
    })
    expect(f(27)).toBe(111)
    expect(f(0)).toBe(-1)
  })

  it('keeps memory, floats and lanes', async () => {
    const f = await assembled(1, ([x], scope) => {
      const lanes = scope.v128()
      const half = scope.f64()
      return [
        half.set(x!.toF64().times(float(0.5))),
        lanes.set(half.truncated().splatI32()),
        constant(16).store128(lanes.addI32(constant(5).splatI32()), 16),
        constant(8).store16(-3),
        giveBack(constant(0).load32(44).plus(constant(8).loadS16())),
      ]
    })
    expect(f(9)).toBe(4 + 5 - 3)
  })
})
