/** The one error of this room: bytes that are not what the format says, or that a newer format wrote. */

export type FormatErrorCode =
  | 'truncated' // the bytes end early
  | 'trailing-bytes' // more bytes than the object has
  | 'wrong-type' // another kind of object
  | 'unsupported' // a version, suite, process, flag or action this release does not know
  | 'too-large' // beyond a limit of the format
  | 'bad-field' // a field has a value the format does not allow
  | 'bad-order' // an entry does not follow the one before it
  | 'bad-signature' // a signature does not verify
  | 'not-allowed' // the signer may not do this

export class FormatError extends Error {
  readonly code: FormatErrorCode

  constructor(code: FormatErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'FormatError'
    this.code = code
  }
}
