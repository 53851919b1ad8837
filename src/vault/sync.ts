/**
 * What other devices did, from the vault's feed of signed chains (PROTOCOL §3). Every entry is verified before it counts;
 * an older or different history stops the sync and deletes nothing here.
 */
import { readChainEntry } from '../crypto/chain'
import { followRoster } from '../crypto/roster'
import { isNewer, missingAtEnd, walkChains, type ChainView } from '../format/chain'
import type { ChainEntry } from '../format/chain-entry'
import { sha256 } from '../format/hash'
import type { Roster } from '../format/roster'
import { equalBytes, toBase64url, type Bytes } from '../lib/bytes'
import type { DeviceStore } from '../storage/device-store'
import type { RecordRow } from '../storage/schema'
import type { Unlocked } from './device-keys'
import { isPassing, VaultError } from './errors'
import { asRecordId, openRecordRow } from './photo-book'
import type { VaultApi } from './vault-api'

/** Records fetched at a time. */
const FETCHES = 6
/** Kept in the place of a record that is not the one its device signed: it never opens, and is asked for again. */
const DAMAGED: Bytes = new Uint8Array(0)

export interface SyncParts {
  readonly store: DeviceStore
  readonly api: VaultApi
  readonly unlocked: Unlocked
}

interface Newest {
  readonly entry: ChainEntry
  readonly hash: Bytes
}

/** Takes in new roster entries. Throws VaultError 'history-mismatch' where they do not follow. */
export async function syncRoster({ store, api, unlocked }: SyncParts, roster: Roster): Promise<Roster> {
  const entries = await api.rosterFrom(roster.n)
  const [known, ...fresh] = entries
  if (known === undefined || !equalBytes(await sha256(known), roster.head))
    throw new VaultError('history-mismatch')
  let next = roster
  try {
    for (const entry of fresh) next = await followRoster(next, entry, unlocked.modelSecret)
  } catch (cause) {
    throw new VaultError('history-mismatch', { cause })
  }
  if (fresh.length > 0) await store.keepRoster(fresh, roster.n + 1)
  return next
}

/**
 * Whether the vault still has every entry this browser ever verified: an older copy put in its place is noticed here.
 * The entry on its way may be missing. Throws VaultError 'history-mismatch'.
 */
export async function checkHistory({ store, api }: SyncParts): Promise<void> {
  const [{ chains }, pending] = await Promise.all([store.chainView(), store.pendingEntry()])
  const missing = new Set(Object.values(chains).flat())
  if (pending !== null) missing.delete(toBase64url(await sha256(pending.entry)))
  for (let since = 0; missing.size > 0;) {
    const feed = await api.chainSince(since)
    for (const { entry } of feed.entries) missing.delete(toBase64url(await sha256(entry)))
    if (feed.entries.length === 0 || feed.next <= since) break
    since = feed.next
  }
  if (missing.size > 0) throw new VaultError('history-mismatch')
}

/** Reads the feed to its end; `onRecords` runs after each page that changed something. */
export async function syncRecords(
  parts: SyncParts,
  roster: Roster,
  onRecords: (rows: readonly RecordRow[]) => Promise<void>,
): Promise<void> {
  const { store, api, unlocked } = parts
  let view = await store.chainView()
  let since = await store.since()
  for (;;) {
    const feed = await api.chainSince(since)
    if (feed.next < since) throw new VaultError('history-mismatch')
    const page = await readPage(view, feed.entries, roster, unlocked)
    const records = await fetchRecords(parts, page.newest)
    await store.keepSyncStep({ view: page.view, records, since: feed.next })
    view = page.view
    if (records.length > 0) await onRecords(records)
    if (feed.entries.length === 0 || feed.next === since) break
    since = feed.next
  }
  if (missingAtEnd(view) !== null) throw new VaultError('history-mismatch')
}

/** Asks once more for records that came damaged. Returns how many there still are. */
export async function mendRecords(
  { store, api, unlocked }: SyncParts,
  onRecords: (rows: readonly RecordRow[]) => Promise<void>,
): Promise<number> {
  const damaged = (await store.records()).filter(({ sealed }) => sealed?.length === 0)
  const mended: RecordRow[] = []
  for (const row of damaged) {
    try {
      const again = { ...row, sealed: await api.record(asRecordId(row.recordId), row.version) }
      // Both locks and its names answer for the record, as nothing here remembers its hash.
      await openRecordRow(unlocked, again)
      mended.push(again)
    } catch (error) {
      if (isPassing(error)) throw error
    }
  }
  if (mended.length > 0) {
    await store.keepSyncStep({ view: await store.chainView(), records: mended, since: await store.since() })
    await onRecords(mended)
  }
  return damaged.length - mended.length
}

async function readPage(
  before: ChainView,
  entries: readonly { readonly entry: Uint8Array }[],
  roster: Roster,
  unlocked: Unlocked,
): Promise<{ readonly view: ChainView; readonly newest: Map<string, Newest> }> {
  const walk = walkChains(before)
  const newest = new Map<string, Newest>()
  for (const { entry: encoded } of entries) {
    const read = await readChainEntry(walk, encoded, roster, unlocked.keys.deviceId).catch(
      (cause: unknown) => {
        throw new VaultError('history-damaged', { cause })
      },
    )
    const { step, entry, hash } = read
    if (step.kind === 'seen') continue
    if (step.kind === 'copied-device') throw new VaultError('device-copied')
    if (step.kind !== 'ok') throw new VaultError('history-mismatch')
    const known = newest.get(entry.recordId)
    const candidate = { version: entry.version, hash }
    if (known === undefined || isNewer(candidate, { version: known.entry.version, hash: known.hash }))
      newest.set(entry.recordId, { entry, hash })
  }
  return { view: walk.view(), newest }
}

async function fetchRecords(
  { store, api }: SyncParts,
  newest: ReadonlyMap<string, Newest>,
): Promise<RecordRow[]> {
  const waiting = [...newest.values()]
  const rows: RecordRow[] = []
  async function work(): Promise<void> {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { entry } = next
      const { recordId, version } = entry
      const here = await store.record(recordId)
      if (here !== null && (here.version > version || (here.version === version && here.sealed === null)))
        continue
      if (entry.action === 'delete') {
        rows.push({ recordId, version, sealed: null, inVault: true })
        continue
      }
      try {
        const sealed = await api.record(recordId, version)
        const isSound = entry.recordHash !== null && equalBytes(await sha256(sealed), entry.recordHash)
        rows.push({ recordId, version, sealed: isSound ? sealed : DAMAGED, inVault: true })
      } catch (error) {
        // Deleted since: the entry that says so comes later in the feed.
        if (!(error instanceof VaultError && error.code === 'not-found')) throw error
      }
    }
  }
  await Promise.all(Array.from({ length: FETCHES }, work))
  return rows
}
