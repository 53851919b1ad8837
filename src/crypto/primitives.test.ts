import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { present } from '../lib/assert'
import { copyBytes, parseHex, toHex, type Bytes } from '../lib/bytes'
import { importSealKey, open, seal } from './aead'
import { CryptoError, type CryptoErrorCode } from './errors'
import { hkdf, importSecret } from './kdf'
import { decapsulate, encapsulate, encapsulateForTesting, kemPublicKey } from './kem'
import { hmac, verifyHmac } from './mac'
import { randomBytes } from './random'
import { sign, signPublicKey, verify } from './sign'
import { bip39Vectors, ed25519Vectors, gcmVectors, hkdfVectors, hmacVectors, xWingVectors } from './vectors'
import { secretToWords, wordsToSecret } from './words'

const hex = (text: string): Bytes => present(parseHex(text), 'bad hexadecimal in a vector')
const code = (expected: CryptoErrorCode): unknown => expect.objectContaining({ code: expected })
function codeOf(work: () => unknown): CryptoErrorCode | null {
  try {
    work()
    return null
  } catch (error) {
    if (error instanceof CryptoError) return error.code
    throw error
  }
}
function flipped(bytes: Uint8Array, bit: number): Bytes {
  const copy = copyBytes(bytes)
  copy[bit >> 3]! ^= 1 << (bit & 7)
  return copy
}

describe('HKDF-SHA-256', () => {
  it.each(hkdfVectors)('gives the RFC vector $#', async ({ ikm, salt, info, okm }) => {
    const secret = hex(ikm)
    expect(toHex(await hkdf(secret, hex(salt), hex(info), okm.length / 2))).toBe(okm)
    expect(toHex(await hkdf(await importSecret(secret), hex(salt), hex(info), okm.length / 2))).toBe(okm)
    expect(toHex(secret)).toBe(ikm)
  })
})

describe('HMAC-SHA-256', () => {
  it.each(hmacVectors)('gives the RFC vector $#', async ({ key, message, mac }) => {
    expect(toHex(await hmac(hex(key), hex(message)))).toBe(mac)
    expect(await verifyHmac(hex(key), hex(message), flipped(hex(mac), 5))).toBe(false)
    expect(await verifyHmac(hex(key), hex(message), hex(mac).subarray(0, 31))).toBe(false)
  })
})

describe('AES-256-GCM', () => {
  it.each(gcmVectors)('opens the published vector $#', async ({ key, nonce, aad, plaintext, sealed }) => {
    const whole = hex(nonce + sealed)
    expect(toHex(await open(hex(key), whole, hex(aad)))).toBe(plaintext)
    for (let bit = 0; bit < whole.length * 8; bit++)
      await expect(open(hex(key), flipped(whole, bit), hex(aad))).rejects.toEqual(code('damaged'))
  })

  it('draws a nonce for every seal, also for those that overlap', async () => {
    const key = await importSealKey(randomBytes(32))
    const sealed = await Promise.all(
      Array.from({ length: 64 }, () => seal(key, Uint8Array.of(1), new Uint8Array())),
    )
    expect(new Set(sealed.map((bytes) => toHex(bytes.subarray(0, 12)))).size).toBe(64)
  })

  it('refuses other data, another key and short input', async () => {
    const key = randomBytes(32)
    const sealed = await seal(key, Uint8Array.of(1, 2, 3), Uint8Array.of(9))
    expect(await open(key, sealed, Uint8Array.of(9))).toEqual(Uint8Array.of(1, 2, 3))
    await expect(open(key, sealed, Uint8Array.of(8))).rejects.toEqual(code('damaged'))
    await expect(open(randomBytes(32), sealed, Uint8Array.of(9))).rejects.toEqual(code('damaged'))
    for (let length = 0; length < sealed.length; length++)
      await expect(open(key, sealed.subarray(0, length), Uint8Array.of(9))).rejects.toEqual(code('damaged'))
    await expect(seal(randomBytes(16), sealed, sealed)).rejects.toEqual(code('bad-key'))
  })
})

describe('Ed25519', () => {
  it.each(ed25519Vectors)('gives the RFC vector $#', ({ seed, publicKey, message, signature }) => {
    expect(toHex(signPublicKey(hex(seed)))).toBe(publicKey)
    expect(toHex(sign(hex(seed), hex(message)))).toBe(signature)
    expect(verify(hex(publicKey), hex(message), hex(signature))).toBe(true)
    expect(verify(hex(publicKey), hex(`${message}00`), hex(signature))).toBe(false)
    for (let bit = 0; bit < 512; bit += 7) {
      expect(verify(hex(publicKey), hex(message), flipped(hex(signature), bit))).toBe(false)
    }
  })

  it('refuses keys of small order, a high S and wrong lengths', () => {
    const identity = hex(`01${'00'.repeat(31)}`)
    // R = identity, S = 0 satisfies the equation for the identity as key
    expect(verify(identity, Uint8Array.of(1), hex(`01${'00'.repeat(63)}`))).toBe(false)
    const { publicKey, message, signature } = ed25519Vectors[0]
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const s = BigInt(`0x${toHex(hex(signature.slice(64)).reverse())}`) + order
    const high = signature.slice(0, 64) + toHex(hex(s.toString(16).padStart(64, '0')).reverse())
    expect(verify(hex(publicKey), hex(message), hex(high))).toBe(false)
    expect(verify(hex(publicKey), hex(message), hex(signature).subarray(1))).toBe(false)
    expect(verify(new Uint8Array(31), hex(message), hex(signature))).toBe(false)
  })
})

describe('X-Wing', () => {
  it.each(xWingVectors)('gives the draft vector $#', (vector) => {
    const seed = hex(vector.seed)
    const publicKey = kemPublicKey(seed)
    const { ciphertext, sharedSecret } = encapsulateForTesting(publicKey, hex(vector.encapsulationSeed))
    expect([publicKey.length, ciphertext.length]).toEqual([1216, 1120])
    expect(toHex(publicKey).startsWith(vector.publicKeyStart)).toBe(true)
    expect(toHex(publicKey).endsWith(vector.publicKeyEnd)).toBe(true)
    expect(toHex(ciphertext).startsWith(vector.ciphertextStart)).toBe(true)
    expect(toHex(ciphertext).endsWith(vector.ciphertextEnd)).toBe(true)
    expect(toHex(sharedSecret)).toBe(vector.sharedSecret)
    expect(toHex(decapsulate(seed, ciphertext))).toBe(vector.sharedSecret)
    expect(toHex(seed)).toBe(vector.seed)
  })

  it('gives another secret, not an error, for another key or ciphertext', () => {
    const seed = randomBytes(32)
    const { ciphertext, sharedSecret } = encapsulate(kemPublicKey(seed))
    expect(decapsulate(seed, ciphertext)).toEqual(sharedSecret)
    expect(decapsulate(randomBytes(32), ciphertext)).not.toEqual(sharedSecret)
    for (const bit of [0, 5000, 8800])
      expect(decapsulate(seed, flipped(ciphertext, bit))).not.toEqual(sharedSecret)
  })

  it('checks lengths and keys first', () => {
    expect(codeOf(() => decapsulate(randomBytes(32), new Uint8Array(1119)))).toBe('bad-key')
    expect(codeOf(() => decapsulate(randomBytes(31), new Uint8Array(1120)))).toBe('bad-key')
    expect(codeOf(() => encapsulate(new Uint8Array(1215)))).toBe('bad-key')
    expect(codeOf(() => encapsulate(new Uint8Array(1216).fill(255)))).toBe('bad-key')
  })
})

describe('24 words', () => {
  it.each(bip39Vectors)('spell the reference vector $#', ({ entropy, words }) => {
    expect(secretToWords(hex(entropy)).join(' ')).toBe(words)
    expect(toHex(wordsToSecret(`  ${words.toUpperCase().replaceAll(' ', ' \n ')} `))).toBe(entropy)
  })

  it('come back for every secret, and a wrong word is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (secret) => {
        expect(wordsToSecret(secretToWords(secret).join(' '))).toEqual(new Uint8Array(secret))
      }),
    )
    const { words } = bip39Vectors[4]
    const bad = [
      '',
      'abandon',
      words.replace('hamster', 'hamsterr'),
      words.replace('hamster diagram', 'diagram hamster'),
      `${words} abandon`,
    ]
    for (const text of bad) expect(codeOf(() => wordsToSecret(text))).toBe('bad-words')
  })
})

describe('random bytes', () => {
  it('fill more than one call may ask for', () => {
    const bytes = randomBytes(200_000)
    for (let i = 0; i < bytes.length; i += 1000)
      expect(bytes.subarray(i, i + 64).some((byte) => byte !== 0)).toBe(true)
  })
})
