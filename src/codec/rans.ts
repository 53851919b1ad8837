/**
 * Range asymmetric numeral system (Duda 2013), one 31-bit state, byte renormalisation, 16-bit frequencies.
 * Last in, first out: the encoder takes its symbols in reverse. Raw bits (signs, escapes) go to a BitWriter beside it.
 */
import { damaged } from './errors'

export const PRECISION_BITS = 16
const TOTAL = 1 << PRECISION_BITS
/** The state stays at or above it between symbols; it starts, and must end, there. */
export const LOWER = 1 << 23

/** Codes (start, frequency) pairs given in decoding order. Returns state ‖ bytes in the order the decoder reads. */
export function ransEncode(starts: Uint16Array, frequencies: Uint16Array, count: number): Uint8Array {
  // 16 bits a symbol is the most a table entry of frequency 1 costs.
  const out = new Uint8Array(2 * count + 8)
  let at = out.length
  let state = LOWER
  for (let i = count - 1; i >= 0; i--) {
    const frequency = frequencies[i]!
    const limit = frequency * 32768
    while (state >= limit) {
      out[--at] = state & 255
      state >>>= 8
    }
    state = (Math.floor(state / frequency) << PRECISION_BITS) + (state % frequency) + starts[i]!
  }
  out[--at] = state & 255
  out[--at] = (state >>> 8) & 255
  out[--at] = (state >>> 16) & 255
  out[--at] = state >>> 24
  return out.slice(at)
}

/** Whether the first state, of at least four bytes, is one that ransEncode ends with: 2^23 .. 2^31 - 1. */
export function startsInRange(bytes: Uint8Array): boolean {
  return bytes[0]! < 128 && (bytes[0]! > 0 || bytes[1]! >= 128)
}

/** Reads what ransEncode wrote. `end()` must be called last: it requires the first state and every byte used. */
export class RansDecoder {
  #state: number
  #at = 4
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    if (bytes.length < 4) throw damaged('the symbols are cut short')
    this.#bytes = bytes
    this.#state = ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0
    if (!startsInRange(bytes)) throw damaged('the first state is out of range')
  }

  /** Symbol of a table with cumulative frequencies cdf[from] = 0 .. cdf[from + size] = 2^16. */
  symbol(cdf: Int32Array, from: number, size: number): number {
    const state = this.#state
    const slot = state & (TOTAL - 1)
    let s = 0
    if (slot >= cdf[from + 1]!) {
      let low = 1
      let high = size - 1
      // The first few symbols hold nearly all the mass; a long alphabet is searched by halves.
      while (low < 4 && low < high && slot >= cdf[from + low + 1]!) low++
      if (low === 4) {
        while (low < high) {
          const middle = (low + high) >> 1
          if (slot >= cdf[from + middle + 1]!) low = middle + 1
          else high = middle
        }
      }
      s = low
    }
    const start = cdf[from + s]!
    let next = (cdf[from + s + 1]! - start) * (state >> PRECISION_BITS) + slot - start
    while (next < LOWER) {
      // Past the end zeros are read: end() then finds that more was read than there is.
      next = (next << 8) | (this.#at < this.#bytes.length ? this.#bytes[this.#at]! : 0)
      this.#at++
    }
    this.#state = next
    return s
  }

  end(): void {
    if (this.#state !== LOWER || this.#at !== this.#bytes.length)
      throw damaged('the symbols do not end where they should')
  }
}

/** Raw bits, most significant first in each byte. */
export class BitWriter {
  #bytes = new Uint8Array(1024)
  #bits = 0

  push(value: number, count: number): void {
    if (((this.#bits + count + 7) >> 3) + 1 > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    for (let i = count - 1; i >= 0; i--) {
      if ((value >>> i) & 1) this.#bytes[this.#bits >> 3]! |= 128 >> (this.#bits & 7)
      this.#bits++
    }
  }

  /** Exponential Golomb code of order 0 for value >= 0. */
  pushGolomb(value: number): void {
    const length = 32 - Math.clz32(value + 1)
    this.push(0, length - 1)
    this.push(value + 1, length)
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, (this.#bits + 7) >> 3)
  }
}

export class BitReader {
  #at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  bit(): number {
    const byte = this.#bytes[this.#at >> 3]
    if (byte === undefined) throw damaged('the raw bits are cut short')
    const bit = (byte >> (7 - (this.#at & 7))) & 1
    this.#at++
    return bit
  }

  /** At most 2^16 - 2: larger values are refused. */
  golomb(): number {
    let zeros = 0
    while (this.bit() === 0) if (++zeros > 16) throw damaged('an escaped value is out of range')
    let value = 1
    for (let i = 0; i < zeros; i++) value = (value << 1) | this.bit()
    return value - 1
  }

  end(): void {
    endRaw(this.#bytes, this.#at)
  }
}

/** Requires that after so many bits only zero padding of the last byte is left. */
export function endRaw(bytes: Uint8Array, bits: number): void {
  if ((bits + 7) >> 3 !== bytes.length) throw damaged('raw bits are left over')
  const padding = (8 - (bits & 7)) & 7
  if (padding > 0 && (bytes.at(-1)! & ((1 << padding) - 1)) !== 0)
    throw damaged('the padding of the raw bits is not zero')
}
