/**
 * A vault that is open in this tab: its photos, its queue, its connection. Tabs share one storage; the one that holds
 * the work lock encrypts, uploads and syncs, the others show what it says and hand it what is asked of them.
 */
import { isAbortError } from '../lib/abort'
import type { DeviceStore } from '../storage/device-store'
import type { DeviceRow, RecordRow } from '../storage/schema'
import { createConnectionLoop } from './connection'
import type { Darkrooms } from './darkrooms'
import type { Unlocked } from './device-keys'
import { toPersonError, VaultError } from './errors'
import { createImportQueue } from './import-queue'
import * as opening from './open-photo'
import {
  artifactIdOf,
  bytesOfText,
  newestFirst,
  openRecordRow,
  photoView,
  type OpenedRecord,
} from './photo-book'
import { checkHistory, mendRecords, syncRecords, syncRoster } from './sync'
import { openTabs } from './tabs'
import type { Connection, ImportChoices, VaultEvent } from './types'
import { drainUploads, withUploadLock } from './uploads'
import { createVaultApi, registerAccount } from './vault-api'

const WORK_LOCK = 'safelight-work'
/** Thumbnails kept in memory. */
const MAX_THUMBNAILS = 400

const OTHER_WEIGHTS =
  'Some photos were made with other model weights than this device builds. They open, but may look wrong: keep this device and please report it.'

const recordsDamaged = (count: number) =>
  count === 1
    ? 'The record of one photo is damaged in the vault, so that photo is not shown.'
    : `The records of ${count} photos are damaged in the vault, so those photos are not shown.`

const NOTICE_OF = {
  'history-mismatch': 'history-mismatch',
  'history-damaged': 'history-damaged',
  'device-copied': 'device-copied',
  session: 'session-ended',
  'vault-full': 'storage-full',
  'device-full': 'storage-full',
} as const

export interface OpenVaultParts {
  readonly store: DeviceStore
  readonly device: DeviceRow
  readonly unlocked: Unlocked
  readonly darkrooms: Darkrooms
  readonly emit: (event: VaultEvent) => void
  /** Another tab forgot this device. */
  readonly onForgotten: () => void
}

export type OpenVault = Awaited<ReturnType<typeof openVault>>

export async function openVault({ store, device, unlocked, darkrooms, emit, onForgotten }: OpenVaultParts) {
  let { roster } = unlocked
  let { registration } = device
  let signedIn = false
  let historyChecked = false
  let damagedRecords = 0
  let isWorker = false
  let connection: Connection = 'syncing'
  const lifetime = new AbortController()
  const book = new Map<string, OpenedRecord>()
  const thumbnails = new Map<string, Blob>()
  const api = createVaultApi({
    accountId: unlocked.accountId,
    keys: unlocked.keys,
    rosterHead: () => roster.head,
  })
  const reading: opening.Opening = {
    store,
    api,
    darkrooms,
    unlocked,
    onCached: () => void announcePhotos(),
    onOtherWeights: () => emit({ type: 'notice', notice: { kind: 'other-weights', text: OTHER_WEIGHTS } }),
  }

  async function announcePhotos(): Promise<void> {
    if (lifetime.signal.aborted) return
    const onDevice = new Set(await store.artifactIds())
    const photos = [...book.values()].sort(newestFirst).map((record) => photoView(record, onDevice))
    emit({ type: 'photos', photos })
  }

  async function takeIn(rows: readonly RecordRow[]): Promise<void> {
    for (const row of rows) {
      // A record that does not open is left out here and stays sealed in storage.
      const record = await openRecordRow(unlocked, row).catch(() => null)
      if (record === null) book.delete(row.recordId)
      else book.set(row.recordId, record)
    }
  }

  async function takeInAll(): Promise<void> {
    book.clear()
    await takeIn(await store.records())
    await announcePhotos()
  }

  async function changed(recordId: string): Promise<void> {
    const row = await store.record(recordId)
    if (row === null) book.delete(recordId)
    else await takeIn([row])
    await announcePhotos()
    tabs.say({ kind: 'photos-changed' })
  }

  function setConnection(next: Connection): void {
    if (next === connection) return
    connection = next
    emit({ type: 'connection', connection })
    if (isWorker) tabs.say({ kind: 'connection', connection })
  }

  const queue = createImportQueue({
    store,
    darkrooms,
    unlocked,
    onItems(imports) {
      emit({ type: 'imports', imports })
      if (isWorker) tabs.say({ kind: 'imports', imports })
    },
    async onSealed(recordId) {
      await changed(recordId)
      loop.kick()
    },
  })

  const tabs = openTabs((message) => {
    switch (message.kind) {
      case 'photos-changed':
        void takeInAll()
        break
      case 'imports':
        if (!isWorker) queue.mirror(message.imports)
        break
      case 'connection':
        if (!isWorker) setConnection(message.connection)
        break
      case 'work':
        if (isWorker) startWork()
        break
      case 'ask':
        if (isWorker) act(message.verb, message.importId)
        break
      case 'hello':
        if (isWorker) {
          queue.announce()
          tabs.say({ kind: 'connection', connection })
        }
        break
      case 'forgotten':
        onForgotten()
        break
    }
  })

  const loop = createConnectionLoop({
    onChange: setConnection,
    onProblem(problem) {
      if (Object.hasOwn(NOTICE_OF, problem.code)) {
        const kind = NOTICE_OF[problem.code as keyof typeof NOTICE_OF]
        emit({ type: 'notice', notice: { kind, text: problem.message } })
      }
    },
    async round() {
      if (connection !== 'online' || (await store.uploads()).length > 0) setConnection('syncing')
      if (registration !== null) {
        await registerAccount(registration)
        await store.updateDevice({ ...device, registration: null })
        registration = null
      }
      if (!signedIn) await api.signIn()
      signedIn = true
      const parts = { store, api, unlocked }
      try {
        roster = await syncRoster(parts, roster)
        if (!historyChecked) await checkHistory(parts)
        historyChecked = true
        const onRecords = async (rows: readonly RecordRow[]) => {
          await takeIn(rows)
          await announcePhotos()
          tabs.say({ kind: 'photos-changed' })
        }
        await syncRecords(parts, roster, onRecords)
        sayDamaged(await mendRecords(parts, onRecords))
        const watch = {
          onStart: (row: Parameters<typeof queue.uploadStage>[0]) => queue.uploadStage(row, 'uploading'),
          async onDone(row: Parameters<typeof queue.uploadStage>[0]) {
            queue.uploadStage(row, 'safe')
            await changed(row.recordId)
          },
        }
        await drainUploads(parts, watch, lifetime.signal)
      } finally {
        queue.uploadsWait()
      }
    },
  })

  /** Said once, and again only when the number changes. */
  function sayDamaged(count: number): void {
    if (count > 0 && count !== damagedRecords)
      emit({ type: 'notice', notice: { kind: 'records-damaged', text: recordsDamaged(count) } })
    damagedRecords = count
  }

  function startWork(): void {
    queue.work().catch((error: unknown) => {
      if (!isAbortError(error)) emitProblem(error)
    })
  }

  function emitProblem(error: unknown): void {
    const problem = toPersonError(error)
    if (problem instanceof VaultError && problem.code === 'device-full')
      emit({ type: 'notice', notice: { kind: 'storage-full', text: problem.message } })
  }

  function act(verb: 'cancel' | 'retry' | 'clear', importId: string | null): void {
    if (verb === 'clear') void queue.clearFinished()
    else if (importId === null) return
    else if (verb === 'cancel') void queue.cancel(importId)
    else if (queue.retry(importId)) {
      startWork()
      loop.kick()
    }
  }

  function ask(verb: 'cancel' | 'retry' | 'clear', importId: string | null): void {
    if (isWorker) act(verb, importId)
    else tabs.say({ kind: 'ask', verb, importId })
  }

  function recordOf(id: string): OpenedRecord {
    const record = book.get(id)
    if (record === undefined) throw new VaultError('unknown-photo')
    return record
  }

  async function thumbnail(id: string): Promise<Blob> {
    const record = recordOf(id)
    const kept = thumbnails.get(id)
    if (kept !== undefined) return kept
    const png = await opening.openThumbnail(reading, record, lifetime.signal)
    thumbnails.set(id, png)
    const oldest = thumbnails.size > MAX_THUMBNAILS ? thumbnails.keys().next().value : undefined
    if (oldest !== undefined) thumbnails.delete(oldest)
    return png
  }

  async function deletePhoto(id: string): Promise<void> {
    recordOf(id)
    await withUploadLock(async () => {
      const record = recordOf(id)
      const pending = await store.pendingEntry()
      if (pending?.recordId === id) throw new VaultError('busy')
      const uploads = await store.uploads()
      const neverUploaded = uploads.some(({ kind, recordId }) => kind === 'put' && recordId === id)
      const { sha256 } = record.photo.artifact
      await store.deletePhoto(
        {
          kind: 'delete',
          recordId: id,
          addedAt: Date.now(),
          artifactId: artifactIdOf(record),
          artifactSha256: bytesOfText(sha256),
          version: record.version + 1,
        },
        neverUploaded,
      )
      thumbnails.delete(id)
      await changed(id)
    })
    if (isWorker) loop.kick()
    else tabs.say({ kind: 'work' })
  }

  function close(): void {
    lifetime.abort()
    queue.stop()
    tabs.close()
  }

  await takeInAll()
  await queue.load()
  emit({ type: 'connection', connection })
  tabs.say({ kind: 'hello' })
  void navigator.locks
    .request(WORK_LOCK, { signal: lifetime.signal }, async () => {
      isWorker = true
      await queue.takeOver()
      startWork()
      await loop.run(lifetime.signal)
      // A stopped sync still leaves this tab the one that encrypts.
      await new Promise((resolve) => lifetime.signal.addEventListener('abort', resolve, { once: true }))
    })
    .catch(() => undefined) // the tab closed while it waited
  darkrooms.engines().catch(() => undefined) // what needs it asks again and says why

  return {
    accountId: unlocked.accountId,
    importFiles(files: readonly File[], choices: ImportChoices): void {
      void queue.add(files, choices).then(() => {
        if (isWorker) startWork()
        else tabs.say({ kind: 'work' })
      })
    },
    ask,
    thumbnail,
    deletePhoto,
    openPhoto: (id: string, options: Parameters<typeof opening.openPhoto>[2]) =>
      opening.openPhoto(reading, recordOf(id), options),
    viewArtifact: (id: string, signal: AbortSignal) => opening.viewArtifact(reading, recordOf(id), signal),
    downloadPhoto: (id: string) => opening.downloadPhoto(reading, recordOf(id), lifetime.signal),
    sayForgotten: () => tabs.say({ kind: 'forgotten' }),
    close,
  }
}
