/** The photos of a vault as opened records: sealed in storage, open in memory alone. */
import { newRecordId } from '../crypto/random'
import { openRecord, sealRecord } from '../crypto/record'
import { artifactIds, recordIds, type ArtifactId, type ModelId, type RecordId } from '../format/ids'
import { photoRecord, recordMessage, type PhotoRecord } from '../format/record'
import { present } from '../lib/assert'
import { parseBase64url, type Bytes } from '../lib/bytes'
import type { RecordRow } from '../storage/schema'
import type { ArtifactKey } from '../workers/sealing'
import type { Unlocked } from './device-keys'
import { VaultError } from './errors'
import type { PhotoView } from './types'

export interface OpenedRecord {
  readonly recordId: RecordId
  readonly version: number
  readonly modelId: ModelId
  readonly modelGeneration: number
  readonly photo: PhotoRecord
  readonly inVault: boolean
}

export const asRecordId = (text: string): RecordId => {
  const id = recordIds.parse(text)
  if (id === null) throw new VaultError('unknown-photo')
  return id
}

export const artifactIdOf = (record: OpenedRecord): ArtifactId => record.photo.artifact.id

/** null for a record that is not a photo's (a newer release may write others) and for a deleted one. */
export async function openRecordRow(unlocked: Unlocked, row: RecordRow): Promise<OpenedRecord | null> {
  if (row.sealed === null) return null
  const recordId = asRecordId(row.recordId)
  const names = { accountId: unlocked.accountId, recordId, version: row.version }
  const { body } = await openRecord(
    row.sealed,
    names,
    unlocked.modelSecret,
    (epoch) => unlocked.vaultKeys.get(epoch) ?? null,
  )
  const photo = photoRecord.safeParse(body)
  if (!photo.success) return null
  const { modelId, modelGeneration } = recordMessage.decode(row.sealed)
  return { recordId, version: row.version, modelId, modelGeneration, photo: photo.data, inVault: row.inVault }
}

/** Seals the first version of a new record. */
export async function sealNewRecord(
  unlocked: Unlocked,
  model: { readonly modelId: ModelId; readonly modelGeneration: number },
  photo: PhotoRecord,
): Promise<{ readonly recordId: RecordId; readonly version: number; readonly sealed: Bytes }> {
  const recordId = newRecordId()
  const version = 1
  const sealed = await sealRecord({
    names: { accountId: unlocked.accountId, recordId, version },
    epoch: unlocked.epoch,
    ...model,
    modelSecret: unlocked.modelSecret,
    vaultKey: present(unlocked.vaultKeys.get(unlocked.epoch), 'The newest vault key is not here.'),
    body: photo,
  })
  return { recordId, version, sealed }
}

/** Base64url inside a record, checked when it was opened. */
export const bytesOfText = (text: string): Bytes =>
  present(parseBase64url(text), 'A record holds bytes that are none.')

/** What a worker needs to open the record's artifact. Throws VaultError 'damaged' where an epoch's key is not here. */
export function artifactKeyOf(unlocked: Unlocked, record: OpenedRecord): ArtifactKey {
  const { artifact } = record.photo
  const vaultKey = unlocked.vaultKeys.get(artifact.epoch)
  if (vaultKey === undefined) throw new VaultError('damaged')
  return {
    names: {
      accountId: unlocked.accountId,
      artifactId: artifact.id,
      modelId: record.modelId,
      modelGeneration: record.modelGeneration,
    },
    locks: { modelSecret: unlocked.modelSecret, vaultKey, weightsHash: bytesOfText(artifact.weightsHash) },
    wrappedKey: bytesOfText(artifact.wrappedKey),
  }
}

export function photoView(record: OpenedRecord, onDevice: ReadonlySet<string>): PhotoView {
  const { photo } = record
  return {
    id: record.recordId,
    name: photo.name,
    width: photo.width,
    height: photo.height,
    takenAt: photo.takenAt,
    addedAt: photo.addedAt,
    originalBytes: photo.originalBytes,
    artifactBytes: photo.artifact.bytes,
    psnrDb: photo.psnrDb ?? Infinity,
    keptOriginal: photo.keptOriginal,
    inVault: record.inVault,
    onDevice: onDevice.has(artifactIds.schema.parse(photo.artifact.id)),
  }
}

/** Newest first, by when it was added; the id decides ties, so that every device shows one order. */
export function newestFirst(a: OpenedRecord, b: OpenedRecord): number {
  const byDate = Date.parse(b.photo.addedAt) - Date.parse(a.photo.addedAt)
  return byDate !== 0 ? byDate : a.recordId < b.recordId ? 1 : -1
}
