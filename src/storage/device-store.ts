/**
 * The device's memory: one object over IndexedDB, whose verbs keep related stores together in one transaction.
 * Nothing foreign is awaited inside a transaction. Errors: StorageError.
 */
import { deleteDB, openDB } from 'idb'
import { emptyChainView, type ChainView } from '../format/chain'
import type { ModelId } from '../format/ids'
import type { Bytes } from '../lib/bytes'
import { toStorageError, StorageError } from './errors'
import {
  DATABASE_NAME,
  DATABASE_VERSION,
  upgrade,
  type ArtifactUseRow,
  type DeviceRow,
  type ModelRow,
  type PendingEntryRow,
  type RecordRow,
  type SafelightDatabase,
  type SafelightSchema,
  type SourceRow,
  type UploadRow,
} from './schema'

/** A sealed photo that is ready to go up: kept in one transaction, in place of its source file. */
export interface SealedPhoto {
  readonly upload: UploadRow & { readonly kind: 'put' }
  readonly artifact: Blob
  /** Beginning of the artifact up to the end of its thumbnail. */
  readonly preview: Blob
  readonly usedAt: number
}

/** What one page of the feed changed; kept whole or not at all. */
export interface SyncStep {
  readonly view: ChainView
  readonly records: readonly RecordRow[]
  readonly since: number
}

export type DeviceStore = Awaited<ReturnType<typeof openDeviceStore>>

/** `onGone` runs when another tab upgraded the database or the browser dropped it: the page must be reloaded. */
export async function openDeviceStore(onGone: () => void) {
  const database = await connect(onGone)

  async function run<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (cause) {
      throw toStorageError(cause)
    }
  }

  return {
    device: () => run(async () => (await database.get('device', 'this')) ?? null),
    roster: () => run(() => database.getAll('roster')),
    chainView: () => run(async () => (await database.get('chainView', 'this')) ?? emptyChainView),
    records: () => run(() => database.getAll('records')),
    record: (recordId: string) => run(async () => (await database.get('records', recordId)) ?? null),
    uploads: () => run(() => database.getAllFromIndex('uploads', 'addedAt')),
    pendingEntry: () => run(async () => (await database.get('pendingEntry', 'this')) ?? null),
    sources: () => run(() => database.getAllFromIndex('sources', 'addedAt')),
    since: () => run(async () => Number((await database.get('settings', 'since')) ?? 0)),
    model: (modelId: ModelId) => run(async () => (await database.get('models', modelId)) ?? null),
    keepModel: (modelId: ModelId, files: ModelRow) =>
      run(async () => {
        await database.put('models', files, modelId)
      }),
    preview: (artifactId: string) => run(async () => (await database.get('previews', artifactId)) ?? null),
    keepPreview: (artifactId: string, bytes: Blob) => run(() => database.put('previews', bytes, artifactId)),
    artifactIds: () => run(() => database.getAllKeys('artifacts')),
    updateDevice: (row: DeviceRow) => run(() => database.put('device', row, 'this')),

    /** Makes this browser a device of an account. */
    becomeDevice: (row: DeviceRow, roster: readonly Bytes[]) =>
      run(async () => {
        const tx = database.transaction(['device', 'roster'], 'readwrite')
        await Promise.all([
          tx.objectStore('device').add(row, 'this'),
          ...roster.map((entry, n) => tx.objectStore('roster').put(entry, n)),
          tx.done,
        ])
      }),

    keepRoster: (entries: readonly Bytes[], from: number) =>
      run(async () => {
        const tx = database.transaction('roster', 'readwrite')
        await Promise.all([...entries.map((entry, i) => tx.store.put(entry, from + i)), tx.done])
      }),

    keepSources: (rows: readonly SourceRow[]) =>
      run(async () => {
        const tx = database.transaction('sources', 'readwrite')
        await Promise.all([...rows.map((row) => tx.store.put(row)), tx.done])
      }),

    dropSource: (importId: string) => run(() => database.delete('sources', importId)),

    keepSealedPhoto: ({ upload, artifact, preview, usedAt }: SealedPhoto) =>
      run(async () => {
        const { artifactId, recordId, version, sealedRecord: sealed } = upload
        const use: ArtifactUseRow = { artifactId, bytes: artifact.size, usedAt, pinned: 1 }
        const tx = database.transaction(
          ['sources', 'artifacts', 'artifactUse', 'previews', 'records', 'uploads'],
          'readwrite',
        )
        await Promise.all([
          tx.objectStore('artifacts').add(artifact, artifactId),
          tx.objectStore('artifactUse').add(use),
          tx.objectStore('previews').put(preview, artifactId),
          tx.objectStore('records').put({ recordId, version, sealed, inVault: false }),
          tx.objectStore('uploads').add(upload),
          tx.objectStore('sources').delete(upload.importId),
          tx.done,
        ])
      }),

    /** Hides a photo at once and queues its signed deletion, or forgets it where it never went up. */
    deletePhoto: (row: UploadRow & { readonly kind: 'delete' }, neverUploaded: boolean) =>
      run(async () => {
        const { recordId, artifactId, version } = row
        const tx = database.transaction(
          ['artifacts', 'artifactUse', 'previews', 'records', 'uploads'],
          'readwrite',
        )
        await Promise.all([
          tx.objectStore('artifacts').delete(artifactId),
          tx.objectStore('artifactUse').delete(artifactId),
          tx.objectStore('previews').delete(artifactId),
          neverUploaded
            ? tx.objectStore('records').delete(recordId)
            : tx.objectStore('records').put({ recordId, version, sealed: null, inVault: false }),
          neverUploaded ? tx.objectStore('uploads').delete(recordId) : tx.objectStore('uploads').put(row),
          tx.done,
        ])
      }),

    /** A signed entry and the view with it, before it is sent. */
    keepPendingEntry: (row: PendingEntryRow, view: ChainView) =>
      run(async () => {
        const tx = database.transaction(['pendingEntry', 'chainView'], 'readwrite')
        await Promise.all([
          tx.objectStore('pendingEntry').put(row, 'this'),
          tx.objectStore('chainView').put(view, 'this'),
          tx.done,
        ])
      }),

    /** The vault confirmed the pending entry: its upload is done. */
    confirmEntry: (recordId: string) =>
      run(async () => {
        const tx = database.transaction(['pendingEntry', 'uploads', 'records', 'artifactUse'], 'readwrite')
        const [upload, record] = await Promise.all([
          tx.objectStore('uploads').get(recordId),
          tx.objectStore('records').get(recordId),
        ])
        const use =
          upload === undefined ? undefined : await tx.objectStore('artifactUse').get(upload.artifactId)
        await Promise.all([
          tx.objectStore('pendingEntry').delete('this'),
          tx.objectStore('uploads').delete(recordId),
          record && tx.objectStore('records').put({ ...record, inVault: true }),
          use && tx.objectStore('artifactUse').put({ ...use, pinned: 0 }),
          tx.done,
        ])
      }),

    dropUpload: (recordId: string) => run(() => database.delete('uploads', recordId)),

    keepSyncStep: ({ view, records, since }: SyncStep) =>
      run(async () => {
        const tx = database.transaction(['chainView', 'records', 'settings'], 'readwrite')
        await Promise.all([
          tx.objectStore('chainView').put(view, 'this'),
          ...records.map((record) => tx.objectStore('records').put(record)),
          tx.objectStore('settings').put(since, 'since'),
          tx.done,
        ])
      }),

    /** The cached artifact, marked as just used; null where it is not here. */
    artifact: (artifactId: string, usedAt: number) =>
      run(async () => {
        const tx = database.transaction(['artifacts', 'artifactUse'], 'readwrite')
        const [bytes, use] = await Promise.all([
          tx.objectStore('artifacts').get(artifactId),
          tx.objectStore('artifactUse').get(artifactId),
        ])
        if (use !== undefined) await tx.objectStore('artifactUse').put({ ...use, usedAt })
        await tx.done
        return bytes ?? null
      }),

    /** Keeps a fetched artifact and drops the least used ones beyond `budgetBytes`; pinned ones stay. */
    cacheArtifact: (artifactId: string, bytes: Blob, usedAt: number, budgetBytes: number) =>
      run(async () => {
        const tx = database.transaction(['artifacts', 'artifactUse'], 'readwrite')
        const uses = tx.objectStore('artifactUse')
        await tx.objectStore('artifacts').put(bytes, artifactId)
        await uses.put({ artifactId, bytes: bytes.size, usedAt, pinned: 0 })
        for (const dropped of leastUsed(await uses.index('usedAt').getAll(), budgetBytes)) {
          await tx.objectStore('artifacts').delete(dropped)
          await uses.delete(dropped)
        }
        await tx.done
      }),

    dropArtifact: (artifactId: string) =>
      run(async () => {
        const tx = database.transaction(['artifacts', 'artifactUse', 'previews'], 'readwrite')
        await Promise.all([
          tx.objectStore('artifacts').delete(artifactId),
          tx.objectStore('artifactUse').delete(artifactId),
          tx.objectStore('previews').delete(artifactId),
          tx.done,
        ])
      }),

    close: () => database.close(),
  }
}

/** Ids to drop, oldest use first, until the rest fits. `uses` rise by usedAt. */
export function leastUsed(uses: readonly ArtifactUseRow[], budgetBytes: number): string[] {
  let total = uses.reduce((sum, use) => sum + use.bytes, 0)
  const dropped: string[] = []
  for (const use of uses.slice(0, -1)) {
    if (total <= budgetBytes) break
    if (use.pinned === 1) continue
    dropped.push(use.artifactId)
    total -= use.bytes
  }
  return dropped
}

async function connect(onGone: () => void): Promise<SafelightDatabase> {
  try {
    const database: SafelightDatabase = await openDB<SafelightSchema>(DATABASE_NAME, DATABASE_VERSION, {
      upgrade: (opened, from, _to, transaction) => upgrade(opened, from, transaction),
      blocking: () => {
        database.close()
        onGone()
      },
      terminated: onGone,
    })
    return database
  } catch (cause) {
    throw new StorageError('unavailable', { cause })
  }
}

/** Deletes everything this device keeps. Other tabs let go through `blocking`. */
export async function forgetEverything(): Promise<void> {
  try {
    await deleteDB(DATABASE_NAME)
  } catch (cause) {
    throw toStorageError(cause)
  }
}
