/**
 * Just enough of WebAssembly (core specification 2.0 with SIMD) to write a small kernel in TypeScript: no build step, no
 * binary in the repository. Values are expressions with a type (wasm-values.ts); a local is an expression that can be
 * set; whatever acts is Code, and Code is composed by listing it.
 */
import { unsigned, type Code } from './wasm-bytes'
import { F64, I32, V128, real, whole, type Real, type Whole } from './wasm-values'

const I32_TYPE = 0x7f
const V128_TYPE = 0x7b
const F64_TYPE = 0x7c
const VOID = 0x40
const END = 0x0b

const getLocal = (index: number): Code => [0x20, unsigned(index)]
const setLocal = (index: number, value: Code): Code => [value, 0x21, unsigned(index)]

export class I32Local extends I32 {
  readonly #index: number
  constructor(index: number) {
    super(getLocal(index))
    this.#index = index
  }
  set(value: Whole): Code {
    return setLocal(this.#index, whole(value))
  }
  increase(by: Whole): Code {
    return this.set(this.plus(by))
  }
}

export class F64Local extends F64 {
  readonly #index: number
  constructor(index: number) {
    super(getLocal(index))
    this.#index = index
  }
  set(value: Real): Code {
    return setLocal(this.#index, real(value))
  }
}

export class V128Local extends V128 {
  readonly #index: number
  constructor(index: number) {
    super(getLocal(index))
    this.#index = index
  }
  set(value: V128): Code {
    return setLocal(this.#index, value.code)
  }
}

export const when = (condition: I32, then: Code, otherwise?: Code): Code => [
  ...[condition.code, 0x04, VOID, then],
  ...(otherwise === undefined ? [] : [0x05, otherwise]),
  END,
]
/** At least once, then again while the condition holds. */
export const doWhile = (body: Code, condition: I32): Code => [
  ...[0x03, VOID, body],
  ...[condition.code, 0x0d, 0, END],
]
export const loopWhile = (condition: I32, body: Code): Code => when(condition, doWhile(body, condition))
/** Ends the function with this result. */
export const giveBack = (value: Whole): Code => [whole(value), 0x0f]

export interface WasmFunction {
  readonly name: string
  readonly parameters: number
  readonly locals: readonly number[]
  readonly body: Code
}

/** What a function's author takes parameters and locals from. */
export interface FunctionScope {
  readonly i32: () => I32Local
  readonly f64: () => F64Local
  readonly v128: () => V128Local
}

/** An exported function of i32 parameters, whose body ends in giveBack: an i32. */
export function wasmFunction(
  name: string,
  parameters: number,
  write: (given: readonly I32Local[], scope: FunctionScope) => Code,
): WasmFunction {
  const locals: number[] = []
  const next = (type: number): number => parameters + locals.push(type) - 1
  const body = write(
    Array.from({ length: parameters }, (_, i) => new I32Local(i)),
    {
      i32: () => new I32Local(next(I32_TYPE)),
      f64: () => new F64Local(next(F64_TYPE)),
      v128: () => new V128Local(next(V128_TYPE)),
    },
  )
  return { name, parameters, locals, body }
}

function flatten(code: Code, into: number[] = []): number[] {
  if (typeof code === 'number') into.push(code)
  else for (const part of code) flatten(part, into)
  return into
}

const vector = (items: readonly Code[]): Code => [unsigned(items.length), items]
const sized = (code: Code): Code => {
  const bytes = flatten(code)
  return [unsigned(bytes.length), bytes]
}
const text = (value: string): Code => vector([...new TextEncoder().encode(value)])
const section = (id: number, content: Code): Code => [id, sized(content)]

function functionBody({ locals, body }: WasmFunction): Code {
  // Every path ends in giveBack, so what follows is unreachable and may be anything.
  return sized([vector(locals.map((type) => [1, type])), body, 0x00, END])
}

/** A module that exports its functions by name and its memory, of so many 64 KiB pages, as `memory`; it may grow to `mostPages`. */
export function assembleModule(
  functions: readonly WasmFunction[],
  pages: number,
  mostPages = pages,
): Uint8Array<ArrayBuffer> {
  const types = functions.map((fn) => [
    0x60,
    vector(Array<number>(fn.parameters).fill(I32_TYPE)),
    1,
    I32_TYPE,
  ])
  const exports = functions.map((fn, index) => [text(fn.name), 0x00, unsigned(index)])
  return Uint8Array.from(
    flatten([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, vector(types)),
      section(3, vector(functions.map((_, index) => unsigned(index)))),
      section(5, vector([[0x01, unsigned(pages), unsigned(mostPages)]])),
      section(7, vector([...exports, [text('memory'), 0x02, 0]])),
      section(10, vector(functions.map(functionBody))),
    ]),
  )
}
