/** The one error of this room. Codes cross workers as { code, message }; messages hold no secrets. */

export type CryptoErrorCode =
  | 'bad-key' // a key, secret or public key of the wrong length or kind
  | 'wrong-key-or-model' // the commitment does not answer to these keys
  | 'damaged' // the right keys, but the bytes were changed or cut
  | 'wrong-object' // whole, but not the one asked for
  | 'bad-signature'
  | 'bad-mac' // a roster entry that no holder of modelSecret made, or another account's secret
  | 'bad-words' // not 24 words of the list, or their checksum fails
  | 'cannot-unlock' // no unlocker of a sealed blob answers to this key

export class CryptoError extends Error {
  readonly code: CryptoErrorCode

  constructor(code: CryptoErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CryptoError'
    this.code = code
  }
}

export function checkLength(bytes: Uint8Array, length: number, name: string): void {
  if (bytes.length !== length) throw new CryptoError('bad-key', `The ${name} must have ${length} bytes.`)
}
