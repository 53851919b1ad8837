/** Ed25519 (RFC 8032) with Node's own crypto: the vault checks signatures and holds no key. */
import { createPublicKey, verify } from 'node:crypto'

/** SubjectPublicKeyInfo prefix of an Ed25519 key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

export function verifyEd25519(signKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, signKey]), format: 'der', type: 'spki' })
    return verify(null, message, key, signature)
  } catch {
    return false
  }
}
