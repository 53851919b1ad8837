/** Ed25519 (RFC 8032), verified strictly: canonical S, no points of small order. Signatures are deterministic. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { SIGN_PUBLIC_BYTES, SIGNATURE_BYTES } from '../format/keys'
import { copyBytes, type Bytes } from '../lib/bytes'
import { checkLength } from './errors'

export const SIGN_SEED_BYTES = 32

export function signPublicKey(seed: Uint8Array): Bytes {
  checkLength(seed, SIGN_SEED_BYTES, 'Ed25519 seed')
  return copyBytes(ed25519.getPublicKey(seed))
}

export function sign(seed: Uint8Array, message: Uint8Array): Bytes {
  checkLength(seed, SIGN_SEED_BYTES, 'Ed25519 seed')
  return copyBytes(ed25519.sign(message, seed))
}

export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== SIGN_PUBLIC_BYTES || signature.length !== SIGNATURE_BYTES) return false
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false })
  } catch {
    return false // a point that does not decode
  }
}
