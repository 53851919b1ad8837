/** Constants that the kernel reads from the start of its memory, sixteen bytes each: a register could not hold them all. */
import { constant, type V128 } from '../../../lib/wasm-values'
import { FINE_BITS, PIXEL_BITS, PIXEL_MOST, SEEN_MOST, SEEN_SHIFT } from '../layers'

const f32 = (value: number): ArrayBufferView => new Float32Array(4).fill(value)
const i32 = (value: number): ArrayBufferView => new Int32Array(4).fill(value)
const i16 = (value: number): ArrayBufferView => new Int16Array(8).fill(value)

const VALUES = {
  /** Whole floats within this become int32 by adding `toWhole` and reading the bits. */
  most: f32(2 ** 21),
  least: f32(-(2 ** 21)),
  toWhole: f32(1.5 * 2 ** 23),
  fineHalf: i32(2 ** (FINE_BITS - 1)),
  pixelMost: i16(PIXEL_MOST),
  pixelLeast: i16(-PIXEL_MOST),
  pixelHalf: i16(2 ** (PIXEL_BITS - 1)),
  seenMost: i16(SEEN_MOST),
  seenLeast: i16(-SEEN_MOST),
  seenHalf: i16(2 ** (SEEN_SHIFT - 1)),
} as const

export type Shared = keyof typeof VALUES
const NAMES = Object.keys(VALUES) as Shared[]
/** Bytes at the start of memory; what follows is aligned. */
export const SHARED_BYTES = 64 * Math.ceil((16 * NAMES.length) / 64)

export const shared = (name: Shared): V128 => constant(0).load128(16 * NAMES.indexOf(name))

export function writeShared(memory: ArrayBuffer): void {
  const bytes = new Uint8Array(memory)
  NAMES.forEach((name, i) => {
    const { buffer } = VALUES[name]
    bytes.set(new Uint8Array(buffer), 16 * i)
  })
}
