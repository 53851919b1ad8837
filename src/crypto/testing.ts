/** What the tests of this room share. */
import { FormatError } from '../format/errors'
import { copyBytes, type Bytes } from '../lib/bytes'
import { CryptoError } from './errors'

/** The code that a promise of this room ends with, or 'opened'. Anything but a typed error is thrown on. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'opened'
  } catch (error) {
    if (error instanceof CryptoError || error instanceof FormatError) return error.code
    throw error
  }
}

/** A copy with bits of one byte flipped: by default one bit, another at every place. */
export function flipped(bytes: Uint8Array, at: number, bits = 1 << (at & 7)): Bytes {
  const copy = copyBytes(bytes)
  copy[at]! ^= bits
  return copy
}
