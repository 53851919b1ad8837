/** Finding duplicates without telling anyone: an HMAC of the original file, kept inside sealed records only. */
import { sha256 } from '../format/hash'
import { wipeBytes, type Bytes } from '../lib/bytes'
import { deriveKey, LABEL, type Secret } from './kdf'
import { hmac } from './mac'

export async function duplicateHash(modelSecret: Secret, file: Uint8Array): Promise<Bytes> {
  const key = await deriveKey(modelSecret, null, LABEL.dedupe)
  try {
    return await hmac(key, await sha256(file))
  } finally {
    wipeBytes(key)
  }
}
