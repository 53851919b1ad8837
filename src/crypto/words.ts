/** 24 words as a spelling of 256 bits (BIP-39, English list, with its checksum). The bits are used as they are: no PBKDF2. */
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { copyBytes, type Bytes } from '../lib/bytes'
import { checkLength, CryptoError } from './errors'

const WORD_COUNT = 24
export const KIT_SECRET_BYTES = 32

export function secretToWords(secret: Uint8Array): string[] {
  checkLength(secret, KIT_SECRET_BYTES, 'kit secret')
  return entropyToMnemonic(secret, wordlist).split(' ')
}

/** Words as a person types them: any case, any white space. */
export function normalizeWords(text: string): string[] {
  return text.normalize('NFKD').toLowerCase().trim().split(/\s+/)
}

/** Throws CryptoError 'bad-words'. */
export function wordsToSecret(text: string): Bytes {
  const words = normalizeWords(text)
  if (words.length !== WORD_COUNT) throw new CryptoError('bad-words', 'The kit has 24 words.')
  if (words.some((word) => !wordlist.includes(word)))
    throw new CryptoError('bad-words', 'One of these words is not in the list of kit words.')
  try {
    return copyBytes(mnemonicToEntropy(words.join(' '), wordlist))
  } catch {
    throw new CryptoError(
      'bad-words',
      'These words do not belong together: one is wrong, or two are swapped.',
    )
  }
}
