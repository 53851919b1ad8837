/** Waiting that an AbortSignal can end. Every rejection is the signal's reason, an AbortError unless it was given another. */

export function throwIfAborted(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted()
}

export function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new DOMException('The work was cancelled.', 'AbortError')
}

/** The promise's result, or a rejection as soon as the signal fires; the work itself goes on unless it listens too. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(reasonOf(signal))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
