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
import { constant, doubles, either, eitherReal, float } from './wasm-values'

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
  })

  it('turns bits', async () => {
    const f = await assembled(2, ([a, b]) => giveBack(a!.rotateRight(b!).xor(b!)))
    fc.assert(
      fc.property(fc.integer(), fc.nat(31), (a, b) => {
        expect(f(a, b)).toBe(((a >>> b) | (b === 0 ? 0 : a << (32 - b))) ^ b)
      }),
    )
  })

  it('computes doubles by lanes, and moves halves and lanes', async () => {
    const code = assembleModule(
      [
        wasmFunction('f', 0, (_, scope) => {
          const [a, b, c] = [scope.v128(), scope.v128(), scope.v128()]
          const results = [
            a.addF64(b),
            a.subF64(b),
            a.timesF64(b),
            a.lowerF64(b),
            b.lowerF64(a),
            a.absF64(),
            a.interleaveLow64(b),
            a.interleaveHigh64(b),
            a.swapped64(),
            constant(32).load64().promoteLowF32(),
            constant(0).load64Splat().addF64(doubles(1, -2)),
            c.lowI32ToF64(),
            constant(8).loadF64().times(2).splat(),
          ]
          const whole = [
            c.shiftLeftI32(3),
            c.belowI32(c.loadLaneI32(constant(16), 36, 0)),
            c.loadLaneI16(constant(40), 10, 7),
            a.belowF64(b).mask64().or(a.atLeastF64(b).mask64().shiftLeft(2)).or(c.laneI32(2)).splatI32(),
          ]
          return [
            [a.set(constant(0).load128()), b.set(constant(16).load128()), c.set(constant(40).load128())],
            [...results, ...whole].map((result, i) => constant(64).store128(result, 16 * i)),
            constant(56).storeF64(eitherReal(constant(1), 0.25, constant(0).loadF64())),
            giveBack(0),
          ]
        }),
      ],
      1,
    )
    const { instance } = await WebAssembly.instantiate(code)
    const { buffer } = instance.exports['memory'] as WebAssembly.Memory
    const [a, b, floats] = [[1.5, -2], [-0.1, -2], Float32Array.of(0.3, -7)]
    const c = [5, -6, 1 << 20, 2 ** 31 - 1]
    new Float64Array(buffer).set([...a, ...b])
    new Float32Array(buffer, 32).set(floats)
    new Int32Array(buffer, 40).set(c)
    ;(instance.exports['f'] as () => number)()
    const pairs = Array.from({ length: 13 }, (_, i) => [...new Float64Array(buffer, 64 + 16 * i, 2)])
    expect(pairs).toEqual([
      [1.4, -4],
      [1.6, 0],
      [1.5 * -0.1, 4],
      [-0.1, -2],
      [-0.1, -2],
      [1.5, 2],
      [1.5, -0.1],
      [-2, -2],
      [-2, 1.5],
      [...floats],
      [2.5, -0.5],
      [5, -6],
      [-4, -4],
    ])
    const wholes = [13, 14, 15, 16].map((i) => [...new Int32Array(buffer, 64 + 16 * i, 4)])
    expect(wholes[0]).toEqual(c.map((value) => value << 3))
    // The first lane is compared with the last one, the others with themselves.
    expect(wholes[1]).toEqual([-1, 0, 0, 0])
    // The upper half of the last lane becomes that of the one before.
    expect(wholes[2]).toEqual([5, -6, 1 << 20, (16 << 16) | 0xffff])
    expect(wholes[3]).toEqual(Array(4).fill((1 << 20) | 12))
    expect(new Float64Array(buffer, 56, 1)[0]).toBe(0.25)
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
