/** What this browser's storage refuses; messages are sentences for a person. */
export type StorageErrorCode = 'full' | 'unavailable' | 'closed' | 'broken'

const SENTENCES: Readonly<Record<StorageErrorCode, string>> = {
  full: 'This device has no space left for Safelight. Free some space, then try again.',
  unavailable:
    'This browser does not let Safelight keep anything on this device (a private window, perhaps).',
  closed: 'Safelight was updated in another tab. Reload this page.',
  broken: 'This browser could not read or write its storage. Reload the page.',
}

export class StorageError extends Error {
  readonly code: StorageErrorCode

  constructor(code: StorageErrorCode, options?: ErrorOptions) {
    super(SENTENCES[code], options)
    this.name = 'StorageError'
    this.code = code
  }
}

/** A failure of IndexedDB as this room's error. */
export function toStorageError(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause
  const name = cause instanceof DOMException ? cause.name : ''
  if (name === 'QuotaExceededError') return new StorageError('full', { cause })
  if (name === 'InvalidStateError') return new StorageError('closed', { cause })
  if (name === 'SecurityError' || name === 'NotAllowedError')
    return new StorageError('unavailable', { cause })
  return new StorageError('broken', { cause })
}
