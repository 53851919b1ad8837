/**
 * What a device keeps, as typed IndexedDB stores. Everything about photos is kept sealed, as the vault holds it, except
 * source files that wait for encryption. Upgrades are numbered; a released number is never edited.
 */
import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from 'idb'
import type { ChainView } from '../format/chain'
import type { Bytes } from '../lib/bytes'

export const DATABASE_NAME = 'safelight'

/** This device in its account; the key opens the blob (PROTOCOL §1, no lock). */
export interface DeviceRow {
  readonly accountId: string
  readonly deviceId: string
  readonly deviceName: string
  /** Not extractable. Lies in clear bytes in the browser profile: whoever copies the profile has it. */
  readonly kek: CryptoKey
  readonly sealedSecrets: Bytes
  /** JSON body of the request that makes or joins the account, until the vault has confirmed it. */
  readonly registration: string | null
}

export interface RecordRow {
  readonly recordId: string
  readonly version: number
  /** The sealed record; null when the photo was deleted, so that no older version comes back. */
  readonly sealed: Bytes | null
  readonly inVault: boolean
}

/** A write that the vault has not confirmed. What is retried is the same bytes. */
export type UploadRow =
  | {
      readonly kind: 'put'
      readonly recordId: string
      readonly addedAt: number
      readonly importId: string
      readonly name: string
      readonly artifactId: string
      readonly artifactSha256: Bytes
      readonly version: number
      readonly sealedRecord: Bytes
    }
  | {
      readonly kind: 'delete'
      readonly recordId: string
      readonly addedAt: number
      readonly artifactId: string
      readonly artifactSha256: Bytes
      readonly version: number
    }

/** A signed chain entry on its way: kept before it is sent, so that a lost answer never makes a fork. */
export interface PendingEntryRow {
  readonly recordId: string
  readonly entry: Bytes
}

/** A file that was dropped and is not encrypted yet. */
export interface SourceRow {
  readonly importId: string
  readonly file: File
  readonly addedAt: number
  readonly keepOriginal: boolean
  readonly quality: number
  /** A sentence when it failed for good; it stays listed until it is cleared. */
  readonly problem: string | null
}

export interface ArtifactUseRow {
  readonly artifactId: string
  readonly bytes: number
  readonly usedAt: number
  /** 1 while it waits for upload and must not be dropped. */
  readonly pinned: 0 | 1
}

/** The files of a released model. */
export interface ModelRow {
  readonly description: Blob
  readonly weights: Blob
  readonly tables: Blob
}

export interface SafelightSchema extends DBSchema {
  device: { key: 'this'; value: DeviceRow }
  roster: { key: number; value: Bytes }
  /** All chains as far as this browser verified them. */
  chainView: { key: 'this'; value: ChainView }
  records: { key: string; value: RecordRow }
  artifacts: { key: string; value: Blob }
  artifactUse: { key: string; value: ArtifactUseRow; indexes: { usedAt: number } }
  previews: { key: string; value: Blob }
  uploads: { key: string; value: UploadRow; indexes: { addedAt: number } }
  pendingEntry: { key: 'this'; value: PendingEntryRow }
  sources: { key: string; value: SourceRow; indexes: { addedAt: number } }
  /** By model id. */
  models: { key: string; value: ModelRow }
  settings: { key: string; value: string | number | boolean }
}

export type SafelightDatabase = IDBPDatabase<SafelightSchema>
type UpgradeTransaction = IDBPTransaction<SafelightSchema, StoreNames<SafelightSchema>[], 'versionchange'>

/** upgrades[i] leads from version i to i + 1. */
const upgrades: readonly ((database: SafelightDatabase, transaction: UpgradeTransaction) => void)[] = [
  (database) => {
    for (const name of [
      'device',
      'roster',
      'artifacts',
      'previews',
      'chainView',
      'pendingEntry',
      'models',
      'settings',
    ] as const)
      database.createObjectStore(name)
    database.createObjectStore('records', { keyPath: 'recordId' })
    database.createObjectStore('artifactUse', { keyPath: 'artifactId' }).createIndex('usedAt', 'usedAt')
    database.createObjectStore('uploads', { keyPath: 'recordId' }).createIndex('addedAt', 'addedAt')
    database.createObjectStore('sources', { keyPath: 'importId' }).createIndex('addedAt', 'addedAt')
  },
  (_database, transaction) => void renameFirstModel(transaction),
]

const FIRST_MODEL = 'Q8WSBW5BIsnuOI-mwtudDGbr5f8d7JOAiDOfPszURIk'

/** Version 1 kept each file of the one model there was, safelight-v1, by the address that it was served at. */
async function renameFirstModel(transaction: UpgradeTransaction): Promise<void> {
  const models = transaction.objectStore('models')
  const addresses = await models.getAllKeys()
  const files = (await models.getAll()) as readonly unknown[] as readonly Blob[]
  const fileAt = (name: string) => files[addresses.findIndex((address) => address.includes(`/${name}-`))]
  const [description, weights, tables] = [fileAt('model'), fileAt('weights'), fileAt('cdf')]
  await models.clear()
  if (description !== undefined && weights !== undefined && tables !== undefined)
    await models.put({ description, weights, tables }, FIRST_MODEL)
}

export const DATABASE_VERSION = upgrades.length

export function upgrade(database: SafelightDatabase, from: number, transaction: UpgradeTransaction): void {
  for (const step of upgrades.slice(from)) step(database, transaction)
}
