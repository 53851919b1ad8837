/** Addition on the torus (Z/256)^n, four bytes in a Uint32 at a time: no carry crosses a byte. */
import type { Bytes } from '../lib/bytes'
import { requireArgument } from './errors'

const LOW = 0x7f7f7f7f
const HIGH = 0x80808080

/** A copy whose buffer is a whole number of words. */
function paddedCopy(bytes: Uint8Array): Bytes {
  const copy = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  copy.set(bytes)
  return copy
}

function wordsOf(padded: Bytes): Uint32Array {
  return new Uint32Array(padded.buffer, 0, padded.length / 4)
}

/** Reads without copying where the bytes start on a word and end on one. */
function asWords(bytes: Uint8Array): Uint32Array {
  return bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    : wordsOf(paddedCopy(bytes))
}

/** x + y mod 256, byte by byte. */
export function addBytes(x: Uint8Array, y: Uint8Array): Bytes {
  requireArgument(x.length === y.length, 'Bytes are added to bytes of one length.')
  const sum = paddedCopy(x)
  const s = wordsOf(sum)
  const b = asWords(y)
  for (let i = 0; i < s.length; i++) {
    const p = s[i]!
    const q = b[i]!
    s[i] = ((p & LOW) + (q & LOW)) ^ ((p ^ q) & HIGH)
  }
  return sum.subarray(0, x.length)
}

/** x - y mod 256, byte by byte. */
export function subtractBytes(x: Uint8Array, y: Uint8Array): Bytes {
  requireArgument(x.length === y.length, 'Bytes are subtracted from bytes of one length.')
  const difference = paddedCopy(x)
  const d = wordsOf(difference)
  const b = asWords(y)
  for (let i = 0; i < d.length; i++) {
    const p = d[i]!
    const q = b[i]!
    d[i] = ((p | HIGH) - (q & LOW)) ^ ((p ^ ~q) & HIGH)
  }
  return difference.subarray(0, x.length)
}
