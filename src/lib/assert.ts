/** Assertions for what only a mistake in this code can break; untrusted input gets its room's typed error instead. */

export class AssertionError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'AssertionError'
  }
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** The value, which the caller knows to be there. */
export function present<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new AssertionError(message)
  return value
}

/** Ends a switch over a union: the compiler refuses it while a case is missing. */
export function unreachable(value: never): never {
  throw new AssertionError(`A case was not handled: ${typeof value}.`)
}
