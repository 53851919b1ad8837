/**
 * Just enough of the WebAssembly binary format (core specification 2.0 with SIMD) to write a small kernel as a
 * TypeScript table: no build step, no binary in the repository. Functions return nothing and take i32 parameters.
 */

/** Instruction bytes, nested as they are composed. */
export type Code = number | readonly Code[]

export interface WasmFunction {
  readonly name: string
  /** Number of i32 parameters, the first locals. */
  readonly parameters: number
  readonly i32Locals: number
  readonly v128Locals: number
  readonly body: Code
}

const I32 = 0x7f
const V128 = 0x7b
const VOID = 0x40
const END = 0x0b

function flatten(code: Code, into: number[] = []): number[] {
  if (typeof code === 'number') into.push(code)
  else for (const part of code) flatten(part, into)
  return into
}

/** LEB128, unsigned. */
function unsigned(value: number): number[] {
  const bytes: number[] = []
  do {
    const more = value > 0x7f
    bytes.push((value & 0x7f) | (more ? 0x80 : 0))
    value >>>= 7
  } while (value > 0)
  return bytes
}

/** LEB128, signed. */
function signed(value: number): number[] {
  const bytes: number[] = []
  for (;;) {
    const byte = value & 0x7f
    value >>= 7
    if ((value === 0 && (byte & 0x40) === 0) || (value === -1 && (byte & 0x40) !== 0)) return [...bytes, byte]
    bytes.push(byte | 0x80)
  }
}

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)]
const memory = (opcode: number, offset: number): number[] => [...simd(opcode), 0, ...unsigned(offset)]

export const get = (local: number): Code => [0x20, unsigned(local)]
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)]
export const i32 = (value: number): Code => [0x41, signed(value)]
export const addI32 = (a: Code, b: Code): Code => [a, b, 0x6a]
export const increase = (local: number, by: number): Code => set(local, addI32(get(local), i32(by)))

/** Runs the body, then takes `by` from the counter and repeats while it is above zero. */
export const repeat = (counter: number, by: number, body: Code): Code => [
  ...[0x03, VOID, body],
  ...[increase(counter, -by), get(counter), i32(0), 0x4a, 0x0d, 0, END],
]

export const load = (address: Code, offset: number): Code => [address, memory(0x00, offset)]
export const load32Splat = (address: Code, offset: number): Code => [address, memory(0x09, offset)]
export const store = (address: Code, offset: number, value: Code): Code => [
  address,
  value,
  memory(0x0b, offset),
]
export const splatI32x4 = (value: Code): Code => [value, simd(0x11)]
export const addI32x4 = (a: Code, b: Code): Code => [a, b, simd(0xae)]
export const shiftRightI32x4 = (a: Code, bits: Code): Code => [a, bits, simd(0xac)]
export const dotI16x8 = (a: Code, b: Code): Code => [a, b, simd(0xba)]
export const and = (a: Code, b: Code): Code => [a, b, simd(0x4e)]
export const narrowI32x4 = (a: Code, b: Code): Code => [a, b, simd(0x85)]
export const narrowI16x8Unsigned = (a: Code, b: Code): Code => [a, b, simd(0x66)]
export const extendLowU8 = (a: Code): Code => [a, simd(0x89)]
export const extendHighU8 = (a: Code): Code => [a, simd(0x8a)]
export const addI8x16 = (a: Code, b: Code): Code => [a, b, simd(0x6e)]
export const subI8x16 = (a: Code, b: Code): Code => [a, b, simd(0x71)]

const vector = (items: readonly Code[]): Code => [unsigned(items.length), items]
const sized = (code: Code): Code => {
  const bytes = flatten(code)
  return [unsigned(bytes.length), bytes]
}
const text = (value: string): Code => vector([...new TextEncoder().encode(value)])
const section = (id: number, content: Code): Code => [id, sized(content)]

function functionBody(fn: WasmFunction): Code {
  const locals = vector([
    [unsigned(fn.i32Locals), I32],
    [unsigned(fn.v128Locals), V128],
  ])
  return sized([locals, fn.body, END])
}

/** A module that exports its functions by name and its memory, of a fixed number of 64 KiB pages, as `memory`. */
export function assembleModule(functions: readonly WasmFunction[], pages: number): Uint8Array<ArrayBuffer> {
  const types = functions.map((fn) => [0x60, vector(Array<number>(fn.parameters).fill(I32)), 0])
  const exports = functions.map((fn, index) => [text(fn.name), 0x00, unsigned(index)])
  return Uint8Array.from(
    flatten([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, vector(types)),
      section(3, vector(functions.map((_, index) => unsigned(index)))),
      section(5, vector([[0x01, unsigned(pages), unsigned(pages)]])),
      section(7, vector([...exports, [text('memory'), 0x02, 0]])),
      section(10, vector(functions.map(functionBody))),
    ]),
  )
}
