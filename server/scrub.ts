/** Reads every artifact again and compares its hash: for the operator; clients convince themselves (PROTOCOL §7). */
import { createHash } from 'node:crypto'
import { accountIds, artifactIds } from '../src/format/ids'
import { blobKey } from './shelf'
import type { BlobStore } from './stores/blob-store'
import type { RecordStore } from './stores/record-store'

export interface ScrubReport {
  readonly checked: number
  /** Blob keys whose bytes are missing or changed. */
  readonly damaged: readonly string[]
  /** Blobs that nothing in the database knows; they are left alone. */
  readonly unknown: number
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
    const intact = await isIntact(blobs, key, artifact.sha256)
    // What was deleted meanwhile is not damaged.
    if (!intact && records.artifact(artifact.account, artifact.id) !== null) damaged.push(key)
    checked++
  }
  let unknown = 0
  for await (const { key } of blobs.list()) {
    signal?.throwIfAborted()
    if (!isKnown(records, key) && (await blobs.size(key)) !== null) unknown++
  }
  return { checked, damaged, unknown }
}

function isKnown(records: RecordStore, key: string): boolean {
  const [account, artifact] = key.split('/').map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
  if (account?.length !== accountIds.bytes || artifact?.length !== artifactIds.bytes) return false
  const [accountId, id] = [accountIds.fromBytes(account), artifactIds.fromBytes(artifact)]
  return records.artifact(accountId, id) !== null || records.isUnsettled(accountId, id)
}

/** false too where the bytes cannot be read. */
async function isIntact(blobs: BlobStore, key: string, sha256: Uint8Array): Promise<boolean> {
  const hash = createHash('sha256')
  try {
    const source = await blobs.open(key)
    if (source === null) return false
    for await (const part of source) hash.update(part as Uint8Array)
  } catch {
    return false
  }
  return Buffer.compare(hash.digest(), sha256) === 0
}
