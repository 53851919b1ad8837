/**
 * Where sealed bytes lie. A blob is written in two steps, so that nothing is visible before it is whole:
 * `stage` takes in the bytes and hashes them, `commit` gives them their key in one atomic step.
 * Keys are made by the server, never by a client: lower-case hex, '-' and '/'. A committed blob never changes.
 * Every implementation passes blob-store.suite.ts.
 */
import type { Readable } from 'node:stream'

export interface StagedBlob {
  readonly bytes: number
  /** SHA-256 of the whole, 32 bytes. */
  readonly sha256: Uint8Array
  /** The first bytes, as many as were asked for and are there. */
  readonly head: Uint8Array
  /** Makes the blob visible and durable under `key`; replaces what lies there, which can only be the same bytes. */
  commit(key: string): Promise<void>
  /** Forgets it; harmless after `commit`. */
  discard(): Promise<void>
}

/** Inclusive byte offsets, as in HTTP. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface BlobStore {
  /** Throws VaultError 'too-large' as soon as `maxBytes` is passed, and whatever `source` throws; both leave nothing. */
  stage(
    source: AsyncIterable<Uint8Array>,
    limits: { maxBytes: number; headBytes: number },
  ): Promise<StagedBlob>
  /** null when there is no such blob. */
  open(key: string, range?: ByteRange): Promise<Readable | null>
  /** Length in bytes, or null when there is no such blob. */
  size(key: string): Promise<number | null>
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>
  /** Every committed key, with the time of its last write (ms since 1970). */
  list(): AsyncIterable<{ key: string; modifiedMs: number }>
  /** Removes what other openings of this store staged and never committed: for whoever alone has it open. */
  forgetStaged(): Promise<void>
  close(): Promise<void>
}

const KEY = /^[0-9a-f]+(?:[-/][0-9a-f]+)*$/

export function assertBlobKey(key: string): void {
  if (key.length > 300 || !KEY.test(key)) throw new RangeError('blob key: lower-case hex parts only')
}
