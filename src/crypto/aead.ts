/**
 * AES-256-GCM (NIST SP 800-38D) through WebCrypto. seal draws its own 96-bit nonce, so one key may seal at most 2^32
 * times; here every key seals once, or in STREAM, where the nonce is the chunk's number and its key seals one section.
 */
import { CHUNK_BYTES, chunkCount, chunkNonce, chunkRange, sealedLength, TAG_BYTES } from '../format/artifact'
import { concatBytes, copyBytes, unsharedBytes, type Bytes } from '../lib/bytes'
import { checkLength, CryptoError } from './errors'
import { randomBytes } from './random'

const NONCE_BYTES = 12

/** Non-extractable. `key` has 32 bytes and stays the caller's to wipe. */
export async function importSealKey(key: Uint8Array): Promise<CryptoKey> {
  checkLength(key, 32, 'seal key')
  return crypto.subtle.importKey('raw', unsharedBytes(key), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

type SealKey = Uint8Array | CryptoKey
const toKey = (key: SealKey) => (key instanceof Uint8Array ? importSealKey(key) : key)

async function gcmSeal(key: CryptoKey, nonce: Bytes, aad: Uint8Array, plaintext: Uint8Array): Promise<Bytes> {
  const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: unsharedBytes(aad) }
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, key, unsharedBytes(plaintext)))
}

async function gcmOpen(key: CryptoKey, nonce: Bytes, aad: Uint8Array, sealed: Uint8Array): Promise<Bytes> {
  if (sealed.length < TAG_BYTES)
    throw new CryptoError('damaged', 'The sealed bytes are shorter than their tag.')
  const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: unsharedBytes(aad) }
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, unsharedBytes(sealed)))
  } catch (cause) {
    throw new CryptoError('damaged', 'The sealed bytes were changed, or this is not their key.', { cause })
  }
}

/** nonce ‖ ciphertext ‖ tag: 28 bytes longer than the plaintext. */
export async function seal(key: SealKey, plaintext: Uint8Array, aad: Uint8Array): Promise<Bytes> {
  const nonce = randomBytes(NONCE_BYTES)
  return concatBytes(nonce, await gcmSeal(await toKey(key), nonce, aad, plaintext))
}

/** Throws CryptoError 'damaged', also for a wrong key: a GCM tag cannot tell them apart. */
export async function open(key: SealKey, sealed: Uint8Array, aad: Uint8Array): Promise<Bytes> {
  if (sealed.length < NONCE_BYTES)
    throw new CryptoError('damaged', 'The sealed bytes are shorter than their nonce.')
  return gcmOpen(
    await toKey(key),
    copyBytes(sealed.subarray(0, NONCE_BYTES)),
    aad,
    sealed.subarray(NONCE_BYTES),
  )
}

/** STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015, as in age). The key must seal nothing else, ever. */
export async function sealStream(key: CryptoKey, plaintext: Uint8Array, aad: Uint8Array): Promise<Bytes> {
  const count = chunkCount(plaintext.length)
  const sealed = new Uint8Array(sealedLength(plaintext.length))
  for (let i = 0; i < count; i++) {
    const chunk = plaintext.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)
    const { start } = chunkRange(plaintext.length, i)
    sealed.set(await gcmSeal(key, chunkNonce(i, i === count - 1), aad, chunk), start)
  }
  return sealed
}

/** One chunk of a section of `plainBytes`. Throws CryptoError 'damaged'. */
export async function openStreamChunk(
  key: CryptoKey,
  sealedChunk: Uint8Array,
  aad: Uint8Array,
  plainBytes: number,
  chunk: number,
): Promise<Bytes> {
  const { start, end } = chunkRange(plainBytes, chunk)
  if (sealedChunk.length !== end - start)
    throw new CryptoError('damaged', 'A sealed chunk has the wrong length.')
  return gcmOpen(key, chunkNonce(chunk, chunk === chunkCount(plainBytes) - 1), aad, sealedChunk)
}

/** Nothing is returned before every tag was checked. Throws CryptoError 'damaged'. */
export async function openStream(
  key: CryptoKey,
  sealed: Uint8Array,
  aad: Uint8Array,
  plainBytes: number,
): Promise<Bytes> {
  if (sealed.length !== sealedLength(plainBytes))
    throw new CryptoError('damaged', 'A sealed section has the wrong length.')
  const plaintext = new Uint8Array(plainBytes)
  try {
    for (let i = chunkCount(plainBytes) - 1; i >= 0; i--) {
      const { start, end } = chunkRange(plainBytes, i)
      const chunk = await openStreamChunk(key, sealed.subarray(start, end), aad, plainBytes, i)
      plaintext.set(chunk, i * CHUNK_BYTES)
    }
    return plaintext
  } catch (error) {
    plaintext.fill(0)
    throw error
  }
}
