/**
 * Byte strings: joining, comparing, text encodings and little-endian integers. Leaf helpers, no state.
 * Everything returned is a fresh Uint8Array over its own ArrayBuffer; readers throw RangeError past the end.
 */

/** A byte string that WebCrypto and postMessage accept: never over shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>

const HEX_DIGITS = '0123456789abcdef'
const BASE64URL_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const encoder = new TextEncoder()

export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

export function copyBytes(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes)
}

/** The same bytes as a view WebCrypto accepts; copies only what lies in shared memory. */
export function unsharedBytes(bytes: Uint8Array): Bytes {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer, bytes.byteOffset, bytes.length)
    : copyBytes(bytes)
}

/** Compares without leaving early at the first difference; the lengths are not hidden. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

export function isZero(bytes: Uint8Array): boolean {
  let seen = 0
  for (const byte of bytes) seen |= byte
  return seen === 0
}

export function xorBytes(a: Uint8Array, b: Uint8Array): Bytes {
  if (a.length !== b.length) throw new RangeError('xorBytes needs two byte strings of one length.')
  const result = new Uint8Array(a.length)
  for (let i = 0; i < a.length; i++) result[i] = a[i]! ^ b[i]!
  return result
}

/** Overwrites secrets with zeros. Best effort: the engine may have made copies that nobody can reach. */
export function wipeBytes(...secrets: readonly (Uint8Array | null | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0)
}

export function utf8(text: string): Bytes {
  return new Uint8Array(encoder.encode(text))
}

/** null where the bytes are not well-formed UTF-8. */
export function parseUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(unsharedBytes(bytes))
  } catch {
    return null
  }
}

export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX_DIGITS[byte >> 4]! + HEX_DIGITS[byte & 15]!
  return text
}

/** Lower or upper case; null where the text is not hexadecimal. */
export function parseHex(text: string): Bytes | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return null
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** RFC 4648 §5 without padding. */
export function toBase64url(bytes: Uint8Array): string {
  const pieces: string[] = []
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    let piece = BASE64URL_DIGITS[word >> 18]! + BASE64URL_DIGITS[(word >> 12) & 63]!
    if (left > 1) piece += BASE64URL_DIGITS[(word >> 6) & 63]!
    if (left > 2) piece += BASE64URL_DIGITS[word & 63]!
    pieces.push(piece)
  }
  return pieces.join('')
}

const BASE64URL_VALUES = new Int8Array(128).fill(-1)
for (let i = 0; i < 64; i++) BASE64URL_VALUES[BASE64URL_DIGITS.charCodeAt(i)] = i

/** null where the text is not unpadded canonical base64url: one text per byte string. */
export function parseBase64url(text: string): Bytes | null {
  const tail = text.length % 4
  if (tail === 1) return null
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let word = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const value = BASE64URL_VALUES[text.charCodeAt(i)] ?? -1
    if (value < 0) return null
    word = ((word << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (word >> bits) & 0xff
    }
  }
  return (word & ((1 << bits) - 1)) === 0 ? bytes : null
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

export function readU16(bytes: Uint8Array, offset: number): number {
  return viewOf(bytes).getUint16(offset, true)
}

export function readU32(bytes: Uint8Array, offset: number): number {
  return viewOf(bytes).getUint32(offset, true)
}

/** As a safe integer; RangeError where the value is 2^53 or more. */
export function readU64(bytes: Uint8Array, offset: number): number {
  const value = viewOf(bytes).getBigUint64(offset, true)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('A 64-bit number is 2^53 or more.')
  return Number(value)
}

function checkUint(value: number, limit: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value >= limit)
    throw new RangeError('A number does not fit the integer it is written as.')
}

export function u8(value: number): Bytes {
  checkUint(value, 2 ** 8)
  return Uint8Array.of(value)
}

export function u16(value: number): Bytes {
  checkUint(value, 2 ** 16)
  return Uint8Array.of(value & 0xff, value >>> 8)
}

export function u32(value: number): Bytes {
  checkUint(value, 2 ** 32)
  const bytes = new Uint8Array(4)
  viewOf(bytes).setUint32(0, value, true)
  return bytes
}

export function u64(value: number): Bytes {
  checkUint(value, 2 ** 53)
  const bytes = new Uint8Array(8)
  viewOf(bytes).setBigUint64(0, BigInt(value), true)
  return bytes
}
