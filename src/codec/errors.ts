/** What can go wrong in this room. Messages are sentences for a person and name no file. */
export type CodecErrorCode = 'damaged' | 'unsupported' | 'too-large' | 'wrong-model' | 'bad-argument'

export class CodecError extends Error {
  readonly code: CodecErrorCode

  constructor(code: CodecErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CodecError'
    this.code = code
  }
}

export function damaged(detail: string): CodecError {
  return new CodecError('damaged', `The coded picture is damaged: ${detail}.`)
}
