/**
 * The way of dropped files into the vault. Files are kept in storage before anything else, so that a reload loses
 * nothing; one tab works, the others show what it says. What is pure (lists and stages) is at the end.
 */
import { duplicateHash } from '../crypto/dedupe'
import { newArtifactId } from '../crypto/random'
import { present } from '../lib/assert'
import { toBase64url } from '../lib/bytes'
import { isAbortError } from '../lib/abort'
import type { DeviceStore } from '../storage/device-store'
import type { SourceRow, UploadRow } from '../storage/schema'
import { developPhoto } from './develop-photo'
import { PHOTOS_AT_ONCE, type Darkrooms } from './darkrooms'
import type { Unlocked } from './device-keys'
import { toPersonError, VaultError } from './errors'
import { sealNewRecord } from './photo-book'
import type { ImportChoices, ImportItem, ImportStage } from './types'

const MODEL_GENERATION = 1

export interface ImportQueueParts {
  readonly store: DeviceStore
  readonly darkrooms: Darkrooms
  readonly unlocked: Unlocked
  readonly onItems: (items: readonly ImportItem[]) => void
  /** A sealed photo was kept: it can be shown, and uploaded. */
  readonly onSealed: (recordId: string) => Promise<void>
}

export function createImportQueue(parts: ImportQueueParts) {
  const { store, darkrooms, unlocked } = parts
  const items = new Map<string, ImportItem>()
  const running = new Map<string, AbortController>()
  let stopped = false
  let announcing = false

  /** At most one event per frame or so, however many bands report. */
  function announce(): void {
    if (announcing) return
    announcing = true
    setTimeout(() => {
      announcing = false
      if (!stopped) parts.onItems([...items.values()])
    }, 50)
  }

  function change(importId: string, change: Partial<ImportItem>): void {
    const item = items.get(importId)
    if (item === undefined) return
    items.set(importId, { ...item, ...change })
    announce()
  }

  /** What was left in storage: by an earlier visit, or by another tab. */
  async function load(): Promise<void> {
    for (const row of await store.sources())
      if (!items.has(row.importId)) items.set(row.importId, sourceItem(row))
    for (const row of await store.uploads())
      if (row.kind === 'put' && !items.has(row.importId)) items.set(row.importId, waitingItem(row))
    announce()
  }

  async function work(): Promise<void> {
    await load()
    await Promise.all(Array.from({ length: PHOTOS_AT_ONCE }, () => workOne()))
  }

  async function workOne(): Promise<void> {
    while (!stopped) {
      const next = (await store.sources()).find(
        (row) =>
          row.problem === null && items.get(row.importId)?.stage === 'queued' && !running.has(row.importId),
      )
      if (next === undefined || running.has(next.importId)) return
      await develop(next)
    }
  }

  async function develop(row: SourceRow): Promise<void> {
    const { importId } = row
    const controller = new AbortController()
    running.set(importId, controller)
    change(importId, { stage: 'encrypting', progress: 0 })
    try {
      await sealAndKeep(row, controller.signal)
    } catch (error) {
      if (stopped) return
      if (isAbortError(error) || controller.signal.aborted) {
        items.delete(importId)
        await store.dropSource(importId)
      } else await fail(row, toPersonError(error))
    } finally {
      running.delete(importId)
      announce()
    }
  }

  async function fail(row: SourceRow, error: Error): Promise<void> {
    const canRetry = !(error instanceof VaultError && error.code === 'file')
    change(row.importId, { stage: 'failed', problem: error.message, canRetry })
    if (!canRetry) await store.keepSources([{ ...row, problem: error.message }]).catch(() => undefined)
  }

  async function sealAndKeep(row: SourceRow, signal: AbortSignal): Promise<void> {
    const { importId, file, quality, keepOriginal } = row
    const { report } = await darkrooms.engines()
    const model = { modelId: report.modelId, modelGeneration: MODEL_GENERATION }
    const artifactId = newArtifactId()
    const vaultKey = present(unlocked.vaultKeys.get(unlocked.epoch), 'The newest vault key is not here.')
    const { sealed, source, psnrDb } = await developPhoto(signal, darkrooms, {
      file,
      quality,
      keepOriginal,
      names: { accountId: unlocked.accountId, artifactId, ...model },
      locks: { modelSecret: unlocked.modelSecret, vaultKey, weightsHash: report.weightsHash },
      onProgress: (stage, fraction) =>
        change(importId, { stage, progress: stage === 'encrypting' ? 0.5 * fraction : 0.5 + 0.3 * fraction }),
    })
    const bytes = new Uint8Array(await file.arrayBuffer())
    const record = await sealNewRecord(unlocked, model, {
      kind: 'photo',
      name: file.name.slice(0, 1024),
      width: source.width,
      height: source.height,
      takenAt: source.facts.takenAt,
      addedAt: new Date().toISOString(),
      fileModifiedAt: instantOf(file.lastModified),
      originalBytes: file.size,
      psnrDb: psnrDb === Infinity ? null : Math.round(psnrDb * 100) / 100,
      keptOriginal: keepOriginal,
      originalMediaType: `image/${source.kind}`,
      duplicateHash: toBase64url(await duplicateHash(unlocked.modelSecret, bytes)),
      camera: source.facts.camera,
      place: source.facts.place,
      artifact: {
        id: artifactId,
        bytes: sealed.artifact.size,
        sha256: toBase64url(sealed.sha256),
        epoch: unlocked.epoch,
        wrappedKey: toBase64url(sealed.wrappedKey),
        weightsHash: toBase64url(report.weightsHash),
      },
    })
    signal.throwIfAborted()
    const upload = {
      kind: 'put' as const,
      recordId: record.recordId,
      addedAt: Date.now(),
      importId,
      name: file.name,
      artifactId,
      artifactSha256: sealed.sha256,
      version: record.version,
      sealedRecord: record.sealed,
    }
    await store.keepSealedPhoto({
      upload,
      artifact: sealed.artifact,
      preview: sealed.preview,
      usedAt: Date.now(),
    })
    change(importId, { stage: 'waiting', progress: 0.8, photoId: record.recordId })
    await parts.onSealed(record.recordId)
  }

  /** This tab works from now on: what another one was at begins anew from what is in storage. */
  async function takeOver(): Promise<void> {
    for (const item of items.values())
      if (item.stage !== 'safe' && item.stage !== 'failed') items.delete(item.importId)
    await load()
  }

  return {
    load,
    takeOver,
    work,

    async add(files: readonly File[], choices: ImportChoices): Promise<void> {
      const addedAt = Date.now()
      const rows = files.map((file, i) => ({
        importId: crypto.randomUUID(),
        file,
        addedAt: addedAt + i / 1000,
        ...choices,
        problem: null,
      }))
      for (const row of rows) items.set(row.importId, sourceItem(row))
      announce()
      try {
        await store.keepSources(rows)
      } catch (error) {
        for (const row of rows)
          change(row.importId, { stage: 'failed', problem: toPersonError(error).message, canRetry: false })
      }
    },

    async cancel(importId: string): Promise<void> {
      const controller = running.get(importId)
      if (controller !== undefined) controller.abort()
      else if (['queued', 'failed'].includes(items.get(importId)?.stage ?? '')) {
        items.delete(importId)
        await store.dropSource(importId)
        announce()
      }
    },

    /** true where it is to be worked on again. */
    retry(importId: string): boolean {
      const item = items.get(importId)
      if (item?.stage !== 'failed' || !item.canRetry) return false
      const stage = item.photoId === null ? 'queued' : 'waiting'
      change(importId, { stage, progress: 0, problem: null, canRetry: false })
      return true
    },

    async clearFinished(): Promise<void> {
      for (const item of items.values()) {
        if (item.stage !== 'safe' && item.stage !== 'failed') continue
        items.delete(item.importId)
        if (item.stage === 'failed') await store.dropSource(item.importId)
      }
      announce()
    },

    uploadStage(row: UploadRow, stage: 'uploading' | 'waiting' | 'safe'): void {
      if (row.kind !== 'put') return
      if (!items.has(row.importId)) items.set(row.importId, waitingItem(row))
      change(row.importId, { stage, progress: stage === 'safe' ? 1 : stage === 'uploading' ? 0.9 : 0.8 })
    },

    /** Everything that was on its way up waits again. */
    uploadsWait(): void {
      for (const item of items.values())
        if (item.stage === 'uploading') change(item.importId, { stage: 'waiting' })
    },

    /** Takes over what the working tab said. */
    mirror(said: readonly ImportItem[]): void {
      items.clear()
      for (const item of said) items.set(item.importId, item)
      parts.onItems(said)
    },

    announce,

    stop(): void {
      stopped = true
      for (const controller of running.values()) controller.abort()
    },
  }
}

/** ISO 8601 of milliseconds since 1970, or null where that is no date. */
function instantOf(ms: number): string | null {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

function itemOf(row: { importId: string }, name: string, bytes: number, stage: ImportStage): ImportItem {
  const { importId } = row
  return { importId, name, bytes, stage, progress: 0, photoId: null, problem: null, canRetry: false }
}

export function sourceItem(row: SourceRow): ImportItem {
  const item = itemOf(row, row.file.name, row.file.size, row.problem === null ? 'queued' : 'failed')
  return { ...item, problem: row.problem }
}

function waitingItem(row: UploadRow & { readonly kind: 'put' }): ImportItem {
  return { ...itemOf(row, row.name, 0, 'waiting'), progress: 0.8, photoId: row.recordId }
}
