/** AES-256-CTR keystream (NIST SP 800-38A): counter from 0, 128 bits big-endian, one block per 16 bytes of offset. */
import { unsharedBytes, type Bytes } from '../lib/bytes'
import { checkLength } from './errors'

const BLOCK_BYTES = 16

/** Keystream bytes [offset, offset + length); `offset` is a multiple of 16. A key must mask one section only. */
export async function aesCtrKeystream(key: Uint8Array, offset: number, length: number): Promise<Bytes> {
  checkLength(key, 32, 'mask key')
  if (!Number.isSafeInteger(offset) || offset < 0 || offset % BLOCK_BYTES !== 0)
    throw new RangeError('The offset of a keystream must be a multiple of 16.')
  const counter = new Uint8Array(BLOCK_BYTES)
  new DataView(counter.buffer).setBigUint64(8, BigInt(offset / BLOCK_BYTES))
  const imported = await crypto.subtle.importKey('raw', unsharedBytes(key), 'AES-CTR', false, ['encrypt'])
  const zeros = new Uint8Array(length)
  return new Uint8Array(
    await crypto.subtle.encrypt({ name: 'AES-CTR', counter, length: 128 }, imported, zeros),
  )
}
