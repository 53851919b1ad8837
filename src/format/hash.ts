/** SHA-256 (FIPS 180-4) through WebCrypto, which browsers, workers and Node share. */
import { unsharedBytes, type Bytes } from '../lib/bytes'

export const HASH_BYTES = 32

export async function sha256(bytes: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', unsharedBytes(bytes)))
}
