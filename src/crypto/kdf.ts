/**
 * HKDF-SHA-256 (RFC 5869) with one label per purpose. Every info is label ‖ 0x00 ‖ suite ‖ context, and every context
 * is of fixed width, so that no two purposes share an info.
 */
import { concatBytes, u16, unsharedBytes, utf8, type Bytes } from '../lib/bytes'
import { LABEL_PREFIX, SUITE_1 } from '../format/suite'

/** Append-only: a published label never changes meaning. */
export const LABEL = {
  modelLock: 'model-lock', // modelSecret → modelKey of an artifact
  recordLock: 'record-lock', // modelSecret → modelKey of a record
  maskAes: 'mask-aes', // modelKey → AES half of the mask of one section
  maskNet: 'mask-net', // modelKey → neural half of the mask of one section
  seal: 'seal', // dataKey ‖ modelKey → GCM key of one section
  commit: 'commit', // dataKey ‖ modelKey → commitment in the header
  wrap: 'wrap', // vaultKey → GCM key that wraps one data key
  rosterMac: 'roster-mac', // modelSecret → HMAC key of roster entries
  grantPsk: 'grant-psk', // modelSecret → what a grant needs beside X-Wing
  grant: 'grant', // X-Wing secret ‖ grant-psk → GCM key of one grant
  epochLink: 'epoch-link', // vaultKey → GCM key that seals the vault key before it
  dedupe: 'dedupe', // modelSecret → HMAC key of duplicate hashes
  kitSign: 'kit-sign', // kitSecret → Ed25519 seed
  kitKem: 'kit-kem', // kitSecret → X-Wing seed
  kitPad: 'kit-pad', // kitSecret → pad over modelSecret
  personalModel: 'personal-model', // modelSecret → seed of the random media transform
} as const
export type Label = (typeof LABEL)[keyof typeof LABEL]

/** Raw bytes, or what importSecret gave: the latter can derive keys and be posted to workers, but not be read. */
export type Secret = Uint8Array | CryptoKey

export function importSecret(secret: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', unsharedBytes(secret), 'HKDF', false, ['deriveBits'])
}

/** HKDF as RFC 5869 has it; `length` in bytes. */
export async function hkdf(ikm: Secret, salt: Uint8Array, info: Uint8Array, length: number): Promise<Bytes> {
  const key = ikm instanceof Uint8Array ? await importSecret(ikm) : ikm
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: unsharedBytes(salt), info: unsharedBytes(info) }
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 8 * length))
}

const NO_SALT = new Uint8Array()

function infoFor(label: Label, ...context: readonly Uint8Array[]): Bytes {
  return concatBytes(utf8(LABEL_PREFIX + label), Uint8Array.of(0), u16(SUITE_1), ...context)
}

/** 32 bytes for one purpose. The caller wipes them. */
export function deriveKey(
  ikm: Secret,
  salt: Uint8Array | null,
  label: Label,
  ...context: readonly Uint8Array[]
): Promise<Bytes> {
  return hkdf(ikm, salt ?? NO_SALT, infoFor(label, ...context), 32)
}
