/** Reads every artifact again and compares its hash: for the operator; clients convince themselves (PROTOCOL §7). */
import { createHash } from 'node:crypto'
import { blobKey } from './routes/artifacts'
import type { BlobStore } from './stores/blob-store'
import type { RecordStore } from './stores/record-store'

export interface ScrubReport {
  readonly checked: number
  /** Blob keys whose bytes are missing or changed. */
  readonly damaged: readonly string[]
}

export async function scrub(
  records: RecordStore,
  blobs: BlobStore,
  signal?: AbortSignal,
): Promise<ScrubReport> {
  const damaged: string[] = []
  let checked = 0
  for (const artifact of records.everyArtifact()) {
    signal?.throwIfAborted()
    const key = blobKey(artifact.account, artifact.id)
    const source = await blobs.open(key)
    const hash = createHash('sha256')
    if (source !== null) for await (const part of source) hash.update(part as Uint8Array)
    if (source === null || Buffer.compare(hash.digest(), artifact.sha256) !== 0) damaged.push(key)
    checked++
  }
  return { checked, damaged }
}
