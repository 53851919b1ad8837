/**
 * Typed calls between the page and its workers. A room's procedures are one table of functions
 * `(signal, input, report) => output`; the page sees the same table through WorkerClient.
 *
 *   page → worker   { kind: 'call', id, method, input }      { kind: 'cancel', id }
 *   worker → page   { kind: 'result', id, output }           { kind: 'error', id, error: { code, message } }
 *                   { kind: 'progress', id, fraction }
 */
import type { WireError } from './errors'

/** `report` takes the fraction done, 0..1. */
export type Procedure<Input, Output> = (
  signal: AbortSignal,
  input: Input,
  report: (fraction: number) => void,
) => Promise<Output>

/** Any table of procedures; the parameter type is `never` so that every concrete table fits. */
export type Procedures<Table> = { readonly [Name in keyof Table]: Procedure<never, unknown> }

export type InputOf<Table, Name extends keyof Table> =
  Table[Name] extends Procedure<infer Input, unknown> ? Input : never
export type OutputOf<Table, Name extends keyof Table> =
  Table[Name] extends Procedure<never, infer Output> ? Output : never

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly input: unknown }
  | { readonly kind: 'cancel'; readonly id: number }

export type FromWorker =
  | { readonly kind: 'result'; readonly id: number; readonly output: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'progress'; readonly id: number; readonly fraction: number }

const moving = new WeakMap<object, readonly Transferable[]>()

/**
 * Marks a message's buffers to be transferred, not copied: after the message is sent the sender no longer has them.
 * Only for buffers nobody else reads.
 */
export function moved<Value extends object>(value: Value, buffers: readonly Transferable[]): Value {
  moving.set(value, buffers)
  return value
}

/** The buffers that `moved` named for this value, each once. */
export function transfersOf(value: unknown): Transferable[] {
  if (typeof value !== 'object' || value === null) return []
  return [...new Set(moving.get(value) ?? [])]
}
