/**
 * X-Wing (draft-connolly-cfrg-xwing-kem-10): ML-KEM-768 and X25519, taken whole. Decapsulation with a wrong key gives
 * another secret, no error: only the AEAD behind it answers.
 */
import { ml_kem768_x25519 as xWing } from '@noble/post-quantum/hybrid.js'
import { KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES } from '../format/keys'
import { copyBytes, wipeBytes, type Bytes } from '../lib/bytes'
import { checkLength, CryptoError } from './errors'
import { randomBytes } from './random'

export const KEM_SEED_BYTES = 32
/** 32 for ML-KEM, then 32 for X25519. */
const ENCAPSULATION_SEED_BYTES = 64

export function kemPublicKey(seed: Uint8Array): Bytes {
  checkLength(seed, KEM_SEED_BYTES, 'X-Wing seed')
  const { publicKey, secretKey } = xWing.keygen(copyBytes(seed))
  wipeBytes(secretKey)
  return copyBytes(publicKey)
}

export interface Encapsulation {
  readonly ciphertext: Bytes
  /** The caller wipes it. */
  readonly sharedSecret: Bytes
}

export function encapsulate(publicKey: Uint8Array): Encapsulation {
  const seed = randomBytes(ENCAPSULATION_SEED_BYTES)
  try {
    return encapsulateWith(publicKey, seed)
  } finally {
    wipeBytes(seed)
  }
}

/** For published vectors: a seed used twice gives one secret twice. */
export function encapsulateForTesting(publicKey: Uint8Array, seed: Uint8Array): Encapsulation {
  return encapsulateWith(publicKey, seed)
}

function encapsulateWith(publicKey: Uint8Array, seed: Uint8Array): Encapsulation {
  checkLength(publicKey, KEM_PUBLIC_BYTES, 'X-Wing public key')
  try {
    const { cipherText, sharedSecret } = xWing.encapsulate(copyBytes(publicKey), copyBytes(seed))
    return { ciphertext: copyBytes(cipherText), sharedSecret: copyBytes(sharedSecret) }
  } catch (cause) {
    throw new CryptoError('bad-key', 'This X-Wing public key is not valid.', { cause })
  }
}

export function decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Bytes {
  checkLength(seed, KEM_SEED_BYTES, 'X-Wing seed')
  checkLength(ciphertext, KEM_CIPHERTEXT_BYTES, 'X-Wing ciphertext')
  try {
    return copyBytes(xWing.decapsulate(copyBytes(ciphertext), copyBytes(seed)))
  } catch (cause) {
    throw new CryptoError('damaged', 'This X-Wing ciphertext is not valid.', { cause })
  }
}
