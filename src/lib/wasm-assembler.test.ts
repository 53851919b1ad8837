import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  assembleModule,
  giveBack,
  loopWhile,
  wasmFunction,
  when,
  type I32Local,
  type FunctionScope,
} from './wasm-assembler'
import type { Code } from './wasm-bytes'
import { constant, either, float } from './wasm-values'

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

  it('computes int16, int32 and float32 by lanes', async () => {
    const code = assembleModule(
      [
        wasmFunction('f', 0, (_, scope) => {
          const [a, b] = [scope.v128(), scope.v128()]
          const results = [
            a.addSaturatedI16(b),
            a.minI16(b),
            a.maxI16(b),
            a.shiftRightI16(3),
            a.extendLowI16(),
            a.extendHighI16(),
            a.extendHighI16().subI32(b.extendHighI16()),
            a
              .extendLowI16()
              .toF32()
              .timesF32(b.extendLowI16().toF32())
              .addF32(float(0.25).splatF32())
              .floorF32(),
            a.extendLowI16().shiftLeftI32(3),
          ]
          return [
            [a.set(constant(0).load128()), b.set(constant(16).load128())],
            results.map((result, i) => constant(32).store128(result, 16 * i)),
            giveBack(0),
          ]
        }),
      ],
      1,
    )
    const { instance } = await WebAssembly.instantiate(code)
    const { buffer } = instance.exports['memory'] as WebAssembly.Memory
    const a = [-32768, 32767, -5, 12, 0, 300, -301, 32767]
    const b = [-1, 1, -7, 2, 0, -300, 299, -32768]
    new Int16Array(buffer).set([...a, ...b])
    ;(instance.exports['f'] as () => number)()
    const int16 = (i: number): number[] => [...new Int16Array(buffer, 32 + 16 * i, 8)]
    const int32 = (i: number): number[] => [...new Int32Array(buffer, 32 + 16 * i, 4)]
    const pairs = a.map((value, i) => [value, b[i]!] as const)
    expect(int16(0)).toEqual(pairs.map(([x, y]) => Math.max(-32768, Math.min(32767, x + y))))
    expect(int16(1)).toEqual(pairs.map(([x, y]) => Math.min(x, y)))
    expect(int16(2)).toEqual(pairs.map(([x, y]) => Math.max(x, y)))
    expect(int16(3)).toEqual(a.map((x) => x >> 3))
    expect(int32(4)).toEqual(a.slice(0, 4))
    expect(int32(5)).toEqual(a.slice(4))
    expect(int32(6)).toEqual(pairs.slice(4).map(([x, y]) => x - y))
    expect([...new Float32Array(buffer, 32 + 16 * 7, 4)]).toEqual(pairs.slice(0, 4).map(([x, y]) => x * y))
    expect(int32(8)).toEqual(a.slice(0, 4).map((x) => x << 3))
  })

  it('lets memory grow as far as it is told', async () => {
    const code = assembleModule([wasmFunction('f', 1, ([at]) => giveBack(at!.load32()))], 1, 3)
    const { instance } = await WebAssembly.instantiate(code)
    const memory = instance.exports['memory'] as WebAssembly.Memory
    const f = instance.exports['f'] as (at: number) => number
    expect(() => f(65536)).toThrow(WebAssembly.RuntimeError)
    memory.grow(2)
    expect(f(65536)).toBe(0)
    expect(() => memory.grow(1)).toThrow(RangeError)
  })
})
