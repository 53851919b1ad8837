/**
 * Sends what waits on this device: the artifact, then the signed chain entry with its record. Every step is kept before
 * it is sent, so that what is retried is the same bytes. One tab at a time runs this.
 */
import { writeChainEntry } from '../crypto/chain'
import { artifactIds } from '../format/ids'
import { equalBytes } from '../lib/bytes'
import { sha256 } from '../format/hash'
import type { PendingEntryRow, UploadRow } from '../storage/schema'
import { VaultError } from './errors'
import { asRecordId } from './photo-book'
import type { SyncParts } from './sync'

export interface UploadWatch {
  readonly onStart: (row: UploadRow) => void
  readonly onDone: (row: UploadRow) => Promise<void>
}

/** One at a time, over all tabs: sending an entry and withdrawing what was not sent exclude each other. */
export function withUploadLock<Result>(work: () => Promise<Result>): Promise<Result> {
  return navigator.locks.request('safelight-upload', work)
}

/** Uploads in order until none is left. Throws VaultError; what did not go up stays queued. */
export async function drainUploads(parts: SyncParts, watch: UploadWatch, signal: AbortSignal): Promise<void> {
  const pending = await parts.store.pendingEntry()
  if (pending !== null) {
    const row = (await parts.store.uploads()).find(({ recordId }) => recordId === pending.recordId)
    await sendEntry(parts, pending)
    if (row !== undefined) await watch.onDone(row)
  }
  for (;;) {
    const [row] = await parts.store.uploads()
    if (row === undefined) return
    signal.throwIfAborted()
    watch.onStart(row)
    await withUploadLock(async () => {
      // It may have been deleted while another one went up.
      const still = (await parts.store.uploads()).find(({ recordId }) => recordId === row.recordId)
      if (still !== undefined) await upload(parts, still, signal)
    })
    await watch.onDone(row)
  }
}

async function upload(parts: SyncParts, row: UploadRow, signal: AbortSignal): Promise<void> {
  const { store, api, unlocked } = parts
  const artifactId = artifactIds.parse(row.artifactId)
  if (artifactId === null) throw new VaultError('internal')
  if (row.kind === 'put') {
    const artifact = await store.artifact(row.artifactId, Date.now())
    if (artifact === null) throw new VaultError('damaged')
    const stored = await api.putArtifact(artifactId, artifact, signal)
    if (!equalBytes(stored, row.artifactSha256)) throw new VaultError('damaged')
  }
  const written = await writeChainEntry(await store.chainView(), unlocked.accountId, unlocked.keys, {
    action: row.kind,
    recordId: asRecordId(row.recordId),
    version: row.version,
    epoch: unlocked.epoch,
    record: row.kind === 'put' ? row.sealedRecord : null,
    artifact: { id: artifactId, sha256: row.artifactSha256 },
  })
  const pending = { recordId: row.recordId, entry: written.entry }
  await store.keepPendingEntry(pending, written.view)
  await sendEntry(parts, pending)
  if (row.kind === 'delete') await api.deleteArtifact(artifactId).catch(() => undefined) // the vault may do it later
}

async function sendEntry({ store, api }: SyncParts, pending: PendingEntryRow): Promise<void> {
  const row = (await store.uploads()).find(({ recordId }) => recordId === pending.recordId)
  const record = row?.kind === 'put' ? { record: row.sealedRecord } : {}
  try {
    await api.appendChain({ entry: pending.entry, ...record })
  } catch (error) {
    const refused = error instanceof VaultError && error.code === 'conflict'
    if (!refused || !(await isInFeed(api, pending))) throw error
  }
  await store.confirmEntry(pending.recordId)
}

/** Whether the vault has the entry already: its answer was lost on the way. */
async function isInFeed(api: SyncParts['api'], pending: PendingEntryRow): Promise<boolean> {
  const hash = await sha256(pending.entry)
  for (let since = 0; ;) {
    const feed = await api.chainSince(since)
    for (const { entry } of feed.entries) if (equalBytes(await sha256(entry), hash)) return true
    if (feed.entries.length === 0 || feed.next <= since) return false
    since = feed.next
  }
}
