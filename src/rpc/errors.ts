/** The one error class of calls between page and worker. What a procedure throws arrives as its `{ code, message }`. */

export class RpcError extends Error {
  /**
   * This room's own are 'worker-died', 'ended', 'unknown-method', 'unreadable-message' and 'internal'; any other is the one
   * that the procedure's error carried.
   */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RpcError'
    this.code = code
  }
}

export interface WireError {
  readonly code: string
  readonly message: string
}

/**
 * What may cross of an error: its code and its sentence when it belongs to a room (it has a `code`), else a general
 * sentence, since a foreign message may quote data.
 */
export function toWireError(error: unknown): WireError {
  if (error instanceof DOMException && error.name === 'AbortError')
    return { code: 'aborted', message: 'The work was cancelled.' }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return { code: error.code, message: error.message }
  const kind = error instanceof Error ? error.name : typeof error
  return { code: 'internal', message: `Something unexpected went wrong in a worker (${kind}).` }
}
