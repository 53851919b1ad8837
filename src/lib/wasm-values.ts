/**
 * The values of a WebAssembly kernel: expressions with a type, that bring the code which computes them. Long, as a table
 * of instructions is: three lines each, as methods, because a kernel is thousands of values, and none should bring its own.
 */
import { signed, unsigned, type Code } from './wasm-bytes'

const simd = (opcode: number): Code => [0xfd, unsigned(opcode)]
/** Alignment is only a hint; the offset is a constant added to the address. */
const memory = (offset: number): Code => [0, unsigned(offset)]

export type Whole = I32 | number
export type Real = F64 | number

export const whole = (value: Whole): Code =>
  typeof value === 'number' ? [0x41, signed(value | 0)] : value.code
export const real = (value: Real): Code =>
  typeof value === 'number' ? [0x44, [...new Uint8Array(Float64Array.of(value).buffer)]] : value.code

export class I32 {
  readonly code: Code
  constructor(code: Code) {
    this.code = code
  }
  #with(other: Whole, opcode: number): I32 {
    return new I32([this.code, whole(other), opcode])
  }
  plus(other: Whole): I32 {
    return this.#with(other, 0x6a)
  }
  minus(other: Whole): I32 {
    return this.#with(other, 0x6b)
  }
  times(other: Whole): I32 {
    return this.#with(other, 0x6c)
  }
  /** This times the other, 64 bits wide and without signs, shifted right by so many bits. */
  timesShifted(other: Whole, bits: Whole): I32 {
    return new I32([this.code, 0xad, whole(other), 0xad, 0x7e, whole(bits), 0xad, 0x88, 0xa7])
  }
  and(other: Whole): I32 {
    return this.#with(other, 0x71)
  }
  or(other: Whole): I32 {
    return this.#with(other, 0x72)
  }
  shiftLeft(bits: Whole): I32 {
    return this.#with(bits, 0x74)
  }
  /** Keeps the sign. */
  shiftRight(bits: Whole): I32 {
    return this.#with(bits, 0x75)
  }
  shiftRightUnsigned(bits: Whole): I32 {
    return this.#with(bits, 0x76)
  }
  leadingZeros(): I32 {
    return new I32([this.code, 0x67])
  }
  is(other: Whole): I32 {
    return this.#with(other, 0x46)
  }
  isNot(other: Whole): I32 {
    return this.#with(other, 0x47)
  }
  below(other: Whole): I32 {
    return this.#with(other, 0x48)
  }
  above(other: Whole): I32 {
    return this.#with(other, 0x4a)
  }
  atLeast(other: Whole): I32 {
    return this.#with(other, 0x4e)
  }
  atLeastUnsigned(other: Whole): I32 {
    return this.#with(other, 0x4f)
  }
  toF64(): F64 {
    return new F64([this.code, 0xb7])
  }
  /** The value is an address from here on. */
  #load(opcode: number, offset: number): Code {
    return [this.code, opcode, memory(offset)]
  }
  loadU8(offset = 0): I32 {
    return new I32(this.#load(0x2d, offset))
  }
  loadS16(offset = 0): I32 {
    return new I32(this.#load(0x2e, offset))
  }
  loadU16(offset = 0): I32 {
    return new I32(this.#load(0x2f, offset))
  }
  load32(offset = 0): I32 {
    return new I32(this.#load(0x28, offset))
  }
  loadF32(offset = 0): F64 {
    return new F64([this.#load(0x2a, offset), 0xbb])
  }
  load128(offset = 0): V128 {
    return new V128([this.code, simd(0x00), memory(offset)])
  }
  load32Splat(offset = 0): V128 {
    return new V128([this.code, simd(0x09), memory(offset)])
  }
  store8(value: Whole, offset = 0): Code {
    return [this.code, whole(value), 0x3a, memory(offset)]
  }
  store16(value: Whole, offset = 0): Code {
    return [this.code, whole(value), 0x3b, memory(offset)]
  }
  store32(value: Whole, offset = 0): Code {
    return [this.code, whole(value), 0x36, memory(offset)]
  }
  store128(value: V128, offset = 0): Code {
    return [this.code, value.code, simd(0x0b), memory(offset)]
  }
  splatI16(): V128 {
    return new V128([this.code, simd(0x10)])
  }
  splatI32(): V128 {
    return new V128([this.code, simd(0x11)])
  }
}

/** A double; 32-bit floats become doubles as they are loaded. */
export class F64 {
  readonly code: Code
  constructor(code: Code) {
    this.code = code
  }
  #with(other: Real, opcode: number): F64 {
    return new F64([this.code, real(other), opcode])
  }
  plus(other: Real): F64 {
    return this.#with(other, 0xa0)
  }
  minus(other: Real): F64 {
    return this.#with(other, 0xa1)
  }
  times(other: Real): F64 {
    return this.#with(other, 0xa2)
  }
  dividedBy(other: Real): F64 {
    return this.#with(other, 0xa3)
  }
  least(other: Real): F64 {
    return this.#with(other, 0xa4)
  }
  most(other: Real): F64 {
    return this.#with(other, 0xa5)
  }
  magnitude(): F64 {
    return new F64([this.code, 0x99])
  }
  below(other: Real): I32 {
    return new I32([this.code, real(other), 0x63])
  }
  above(other: Real): I32 {
    return new I32([this.code, real(other), 0x64])
  }
  splatF32(): V128 {
    return new V128([this.code, 0xb6, simd(0x13)])
  }
  /** Towards zero; the value must fit. */
  truncated(): I32 {
    return new I32([this.code, 0xaa])
  }
}

export class V128 {
  readonly code: Code
  constructor(code: Code) {
    this.code = code
  }
  #with(other: V128, opcode: number): V128 {
    return new V128([this.code, other.code, simd(opcode)])
  }
  #lanes(other: V128, lanes: readonly number[]): V128 {
    return new V128([this.code, other.code, simd(0x0d), lanes])
  }
  and(other: V128): V128 {
    return this.#with(other, 0x4e)
  }
  andNot(other: V128): V128 {
    return this.#with(other, 0x4f)
  }
  or(other: V128): V128 {
    return this.#with(other, 0x50)
  }
  /** Bits of this where the mask has ones, else of the other. */
  where(mask: V128, other: V128): V128 {
    return new V128([this.code, other.code, mask.code, simd(0x52)])
  }
  addI8(other: V128): V128 {
    return this.#with(other, 0x6e)
  }
  subI8(other: V128): V128 {
    return this.#with(other, 0x71)
  }
  /** int16 lanes, saturating. */
  addSaturatedI16(other: V128): V128 {
    return this.#with(other, 0x8f)
  }
  subSaturatedI16(other: V128): V128 {
    return this.#with(other, 0x92)
  }
  minI16(other: V128): V128 {
    return this.#with(other, 0x96)
  }
  maxI16(other: V128): V128 {
    return this.#with(other, 0x98)
  }
  shiftRightI16(bits: Whole): V128 {
    return new V128([this.code, whole(bits), simd(0x8c)])
  }
  shiftLeftI32(bits: Whole): V128 {
    return new V128([this.code, whole(bits), simd(0xab)])
  }
  addI32(other: V128): V128 {
    return this.#with(other, 0xae)
  }
  subI32(other: V128): V128 {
    return this.#with(other, 0xb1)
  }
  timesI32(other: V128): V128 {
    return this.#with(other, 0xb5)
  }
  minI32(other: V128): V128 {
    return this.#with(other, 0xb6)
  }
  maxI32(other: V128): V128 {
    return this.#with(other, 0xb8)
  }
  shiftRightI32(bits: Whole): V128 {
    return new V128([this.code, whole(bits), simd(0xac)])
  }
  /** Eight int16 products, neighbours summed: four int32. */
  dotI16(other: V128): V128 {
    return this.#with(other, 0xba)
  }
  productLowI16(other: V128): V128 {
    return this.#with(other, 0xbc)
  }
  productHighI16(other: V128): V128 {
    return this.#with(other, 0xbd)
  }
  /** int32 lanes to floats. */
  toF32(): V128 {
    return new V128([this.code, simd(0xfa)])
  }
  addF32(other: V128): V128 {
    return this.#with(other, 0xe4)
  }
  timesF32(other: V128): V128 {
    return this.#with(other, 0xe6)
  }
  floorF32(): V128 {
    return new V128([this.code, simd(0x68)])
  }
  absF32(): V128 {
    return new V128([this.code, simd(0xe0)])
  }
  /** The other where it is below (above) this, else this: also where the other is no number. */
  lowerF32(other: V128): V128 {
    return this.#with(other, 0xea)
  }
  higherF32(other: V128): V128 {
    return this.#with(other, 0xeb)
  }
  atLeastF32(other: V128): V128 {
    return this.#with(other, 0x46)
  }
  maxF32(other: V128): V128 {
    return this.#with(other, 0xe9)
  }
  hasAny(): I32 {
    return new I32([this.code, simd(0x53)])
  }
  /** int32 lanes of this and of the other to int16, saturating. */
  narrowI32(other: V128): V128 {
    return this.#with(other, 0x85)
  }
  /** int16 lanes of this and of the other to bytes, saturating. */
  narrowI16Unsigned(other: V128): V128 {
    return this.#with(other, 0x66)
  }
  extendLowI16(): V128 {
    return new V128([this.code, simd(0xa7)])
  }
  extendHighI16(): V128 {
    return new V128([this.code, simd(0xa8)])
  }
  extendLowU8(): V128 {
    return new V128([this.code, simd(0x89)])
  }
  extendHighU8(): V128 {
    return new V128([this.code, simd(0x8a)])
  }
  interleaveLowI8(other: V128): V128 {
    return this.#lanes(other, [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23])
  }
  interleaveLowI16(other: V128): V128 {
    return this.#lanes(other, [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23])
  }
  interleaveHighI16(other: V128): V128 {
    return this.#lanes(other, [8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31])
  }
}

export const constant = (value: number): I32 => new I32(whole(value))
/** A number that is not whole, or a whole one as a double. */
export const float = (value: number): F64 => new F64(real(value))
export const either = (condition: I32, yes: Whole, no: Whole): I32 =>
  new I32([whole(yes), whole(no), condition.code, 0x1b])
