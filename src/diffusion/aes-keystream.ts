/**
 * AES-256-CTR keystream bytes (NIST SP 800-38A) from the platform's WebCrypto; the counter block is the block number
 * as 128 bits, big-endian. A key must never be used for two sections: the caller derives one per section.
 */
import { unsharedBytes } from '../lib/bytes'
import type { Bytes } from '../lib/bytes'
import { requireArgument } from './errors'

const AES_BLOCK_BYTES = 16
const KEY_BYTES = 32

export interface AesKeystream {
  /** Keystream bytes [offset, offset + length); offset is a multiple of 16. */
  read(offset: number, length: number): Promise<Bytes>
}

export async function openAesKeystream(keyBytes: Uint8Array): Promise<AesKeystream> {
  requireArgument(keyBytes.length === KEY_BYTES, 'An AES-256-CTR key has 32 bytes.')
  const key = await crypto.subtle.importKey('raw', unsharedBytes(keyBytes), 'AES-CTR', false, ['encrypt'])
  return {
    async read(offset, length) {
      requireArgument(
        Number.isSafeInteger(offset) && offset >= 0 && offset % AES_BLOCK_BYTES === 0,
        'A keystream is read from a multiple of 16.',
      )
      const counter = new Uint8Array(AES_BLOCK_BYTES)
      new DataView(counter.buffer).setBigUint64(8, BigInt(offset / AES_BLOCK_BYTES))
      const algorithm = { name: 'AES-CTR', counter, length: 64 }
      return new Uint8Array(await crypto.subtle.encrypt(algorithm, key, new Uint8Array(length)))
    },
  }
}
