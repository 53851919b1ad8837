/** What the verbs of the product fail with. Every message is a sentence for a person. */
import { StorageError } from '../storage/errors'

export type VaultErrorCode =
  | 'offline' // the vault cannot be reached
  | 'busy' // the vault asks to wait
  | 'refused' // the vault does not accept a request
  | 'conflict' // somebody else was first
  | 'not-found'
  | 'vault-full'
  | 'session' // this device may not sign in any more
  | 'bad-words'
  | 'unknown-kit'
  | 'history-mismatch'
  | 'history-damaged' // an entry that no device signed as it is
  | 'device-copied'
  | 'damaged'
  | 'wrong-key-or-model'
  | 'other-model' // made with a model that this release of the app does not know
  | 'model-not-here' // an older model that was not fetched yet and cannot be now
  | 'model-damaged' // files of a model are not what was released
  | 'not-checked' // restoring the sealed photo gave another picture
  | 'device-full'
  | 'file' // something about the file itself
  | 'unknown-photo'
  | 'internal'

const SENTENCES: Readonly<Record<Exclude<VaultErrorCode, 'file'>, string>> = {
  offline: 'The vault cannot be reached. Try again when it is back.',
  busy: 'The vault is busy. Try again in a moment.',
  refused: 'The vault did not accept this request.',
  conflict: 'Another device was first. Try again.',
  'not-found': 'The vault does not have this photo any more.',
  'vault-full': 'The vault has no space left.',
  session: 'This device is no longer trusted by its vault.',
  'bad-words': 'These are not the 24 words of a kit: check the spelling and the order.',
  'unknown-kit': 'This vault has nothing for these 24 words. Check them, and that this is the right address.',
  'history-mismatch':
    'The vault shows an older or different history. Nothing was deleted here; syncing has stopped.',
  'history-damaged':
    'The history that the vault keeps is damaged. Nothing was deleted here; syncing has stopped.',
  'device-copied':
    'Somebody writes with a copy of this device. Forget the vault on this device and join again with your kit.',
  damaged: 'This photo is damaged in the vault, so it is not shown.',
  'wrong-key-or-model':
    'This photo was sealed with another key or model than this device has, so it is not shown.',
  'other-model':
    'This photo was made with a newer model than this version of Safelight has. Reload the app to update it.',
  'model-not-here':
    'This photo was made with an earlier model, which this device has not fetched yet. Open it once while the vault can be reached; after that it also opens offline.',
  'model-damaged':
    'The model that this needs did not arrive as it was released. Reload the app, then try again.',
  'not-checked': 'The check failed: this photo did not come back from its artifact. It was not uploaded.',
  'device-full': 'This device has no space left for Safelight. Free some space, then try again.',
  'unknown-photo': 'This photo is not in the vault.',
  internal: 'Something unexpected went wrong. Try again.',
}

export class VaultError extends Error {
  readonly code: VaultErrorCode

  constructor(code: Exclude<VaultErrorCode, 'file'>, options?: ErrorOptions)
  constructor(code: 'file', options: ErrorOptions & { message: string })
  constructor(code: VaultErrorCode, options: ErrorOptions & { message?: string } = {}) {
    super(code === 'file' ? options.message : SENTENCES[code], options)
    this.name = 'VaultError'
    this.code = code
  }
}

/** Codes of errors about the file, which no retry mends. */
const FILE_CODES = new Set(['not-image', 'empty', 'truncated', 'too-large', 'undecodable', 'no-readback'])
/** Codes of what a sealed object fails with when its bytes are not what was written. */
const DAMAGE_CODES = new Set([
  'damaged',
  'wrong-object',
  'truncated',
  'trailing-bytes',
  'wrong-type',
  'unsupported',
  'bad-field',
])

/** Any failure as one with a sentence for a person; an AbortError stays what it is. */
export function toPersonError(error: unknown): Error {
  if (error instanceof VaultError) return error
  if (error instanceof Error && error.name === 'AbortError') return error
  if (error instanceof StorageError && error.code === 'full')
    return new VaultError('device-full', { cause: error })
  if (error instanceof StorageError) return error
  const code = codeOf(error)
  if (FILE_CODES.has(code)) {
    const message = error instanceof Error ? error.message : ''
    return new VaultError('file', { message, cause: error })
  }
  return new VaultError('internal', { cause: error })
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** For what opens sealed bytes: a person is told whether keys do not answer, or bytes are not what was written. */
export function toDamageError(error: unknown): Error {
  const code = codeOf(error)
  if (code === 'wrong-key-or-model') return new VaultError(code, { cause: error })
  return DAMAGE_CODES.has(code) ? new VaultError('damaged', { cause: error }) : toPersonError(error)
}

/** Whether the bytes at hand do not open, so that another copy may. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof VaultError && (error.code === 'damaged' || error.code === 'wrong-key-or-model')
}

/** Whether trying again later can help without anybody doing something. */
export function isPassing(error: unknown): boolean {
  return error instanceof VaultError && (error.code === 'offline' || error.code === 'busy')
}
