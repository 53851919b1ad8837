/**
 * The vault's one error class and the one place that turns an error into a response.
 * Every response body of an error is {error: {code, message}}; messages are sentences without ids, names or secrets.
 */
import type { ErrorRequestHandler } from 'express'

/** HTTP status of each code. Codes are append-only: clients switch on them. */
const STATUS = {
  'bad-request': 400,
  'bad-signature': 400,
  'not-signed-in': 401,
  'sign-in-failed': 401,
  'wrong-origin': 403,
  'not-allowed': 403,
  'not-found': 404,
  'request-timeout': 408,
  conflict: 409,
  'stale-epoch': 409,
  deleted: 410,
  'precondition-failed': 412,
  'too-large': 413,
  'wrong-media-type': 415,
  'range-not-satisfiable': 416,
  'precondition-required': 428,
  'too-many-requests': 429,
  'upload-incomplete': 400,
  'quota-exceeded': 507,
  internal: 500,
  damaged: 500,
  'disk-full': 507,
} as const

export type VaultErrorCode = keyof typeof STATUS

export class VaultError extends Error {
  readonly code: VaultErrorCode

  constructor(code: VaultErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'VaultError'
    this.code = code
  }

  get status(): number {
    return STATUS[this.code]
  }
}

/** Errors of Express itself and of its body parser carry a `type` and a 4xx `status`. */
function fromExpress(error: unknown): VaultError | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null
  if (error.status === 413)
    return new VaultError('too-large', 'The request body is too large.', { cause: error })
  if (error.status === 415)
    return new VaultError('wrong-media-type', 'This encoding of the body is not supported.', { cause: error })
  if (error.status >= 400 && error.status < 500)
    return new VaultError('bad-request', 'The request could not be read.', { cause: error })
  return null
}

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL'])

export function toVaultError(error: unknown): VaultError {
  if (error instanceof VaultError) return error
  if (error instanceof Error && 'code' in error && DISK_FULL.has(String(error.code)))
    return new VaultError('disk-full', 'The disk of this vault is full.', { cause: error })
  return (
    fromExpress(error) ?? new VaultError('internal', 'Something went wrong in the vault.', { cause: error })
  )
}

/** What the operator reads about an unexpected error: its class and code, never its message, which may quote data. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : ''
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? []
  return `${error.name}${code}${frames[0] === undefined ? '' : ` ${frames[0].trim().replace(/\(.*[\\/]/, '(')}`}`
}

/** What the operator must see to, or null. */
function troubleFor(vaultError: VaultError): string | null {
  switch (vaultError.code) {
    case 'internal':
      return `error: ${describe(vaultError.cause)}`
    case 'damaged':
      return 'The bytes of an artifact are damaged on disk. For a list: npm start -- --scrub'
    case 'disk-full':
      return 'The disk is full: the vault takes no uploads until there is room.'
    default:
      return null
  }
}

/** The last handler of the app. */
export function errorHandler(log: (line: string) => void): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    const vaultError = toVaultError(error)
    const trouble = troubleFor(vaultError)
    if (trouble !== null) log(`${req.method}: ${trouble}`)
    if (res.headersSent) {
      next(vaultError.cause ?? vaultError) // Express then ends the connection, so a cut body is never taken for a whole one
      return
    }
    if (vaultError.code === 'range-not-satisfiable' && typeof res.locals['totalBytes'] === 'number')
      res.setHeader('Content-Range', `bytes */${res.locals['totalBytes']}`)
    res.status(vaultError.status).json({ error: { code: vaultError.code, message: vaultError.message } })
  }
}
