/** What the forward processes and the mask refuse. Messages carry no keys and no data. */
export type DiffusionErrorCode = 'bad-argument' | 'unknown-process' | 'engine-unavailable'

export class DiffusionError extends Error {
  readonly code: DiffusionErrorCode

  constructor(code: DiffusionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DiffusionError'
    this.code = code
  }
}

export function requireArgument(condition: boolean, message: string): asserts condition {
  if (!condition) throw new DiffusionError('bad-argument', message)
}
