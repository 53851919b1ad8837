/** From an artifact, cached or in the vault, back to pixels, a thumbnail or the original file. Damaged ones are named, never shown. */
import type { DeviceStore } from '../storage/device-store'
import { artifactBudget } from '../storage/space'
import { HEADER_BYTES } from '../format/artifact'
import { sha256 } from '../format/hash'
import { equalBytes } from '../lib/bytes'
import { release } from '../lib/release'
import { moved } from '../rpc/messages'
import type { PhotoRows } from '../workers/photo-source'
import type { PngHeader } from '../workers/png'
import type { Unlocked } from './device-keys'
import type { DarkroomClient, Darkrooms, Restoring } from './darkrooms'
import { isUnreadable, toDamageError, VaultError } from './errors'
import { bandsAtOnce, mapLimited } from './limited'
import { artifactIdOf, artifactKeyOf, bytesOfText, type OpenedRecord } from './photo-book'
import type { ArtifactView, OpenedPhoto } from './types'
import type { VaultApi } from './vault-api'

/** First guesses of how much of an artifact its thumbnail takes. */
const PREVIEW_BYTES = [32 * 1024, 256 * 1024, 2 * 1024 * 1024] as const

export interface Opening {
  readonly store: DeviceStore
  readonly api: VaultApi
  readonly darkrooms: Darkrooms
  readonly unlocked: Unlocked
  readonly onCached: () => void
  /** The personal weights here are not those that a photo was made with. */
  readonly onOtherWeights: () => void
}

interface WatchOptions {
  readonly signal: AbortSignal
  readonly onProgress?: (fraction: number) => void
}

/** Where the bytes came from: a damaged cache is fetched anew. */
interface Fetched {
  readonly artifact: Blob
  readonly fromCache: boolean
}

async function fetchArtifact(
  opening: Opening,
  record: OpenedRecord,
  options: WatchOptions,
): Promise<Fetched> {
  const { store, api } = opening
  const id = artifactIdOf(record)
  const cached = await store.artifact(id, Date.now())
  if (cached !== null) return { artifact: cached, fromCache: true }
  const { bytes } = record.photo.artifact
  const artifact = await api.artifact(id, {
    signal: options.signal,
    onProgress: (got) => options.onProgress?.(Math.min(1, got / bytes)),
  })
  return { artifact, fromCache: false }
}

/** The hash in the sealed record covers every byte, also of parts that are not opened now. */
async function checkWhole(artifact: Blob, record: OpenedRecord): Promise<void> {
  const hash = await sha256(new Uint8Array(await artifact.arrayBuffer()))
  if (!equalBytes(hash, bytesOfText(record.photo.artifact.sha256))) throw new VaultError('damaged')
}

/** Opens with bytes from the cache or the vault; only what opened soundly is kept. */
async function withArtifact<Result>(
  opening: Opening,
  record: OpenedRecord,
  options: WatchOptions,
  open: (artifact: Blob) => Promise<Result>,
): Promise<Result> {
  const { store, onCached } = opening
  const id = artifactIdOf(record)
  const { artifact, fromCache } = await fetchArtifact(opening, record, options)
  try {
    await checkWhole(artifact, record)
    const result = await open(artifact)
    if (!fromCache) {
      // A full cache is no reason not to show the photo.
      await store
        .cacheArtifact(id, artifact, Date.now(), await artifactBudget())
        .then(onCached, () => undefined)
    }
    return result
  } catch (cause) {
    const error = toDamageError(cause)
    if (!(fromCache && record.inVault && isUnreadable(error))) throw error
    await store.dropArtifact(id)
    return withArtifact(opening, record, options, open)
  }
}

/** Engines, and the model of a photo. Throws as Darkrooms.restoring. */
async function restoringOf({ darkrooms, onOtherWeights }: Opening, record: OpenedRecord): Promise<Restoring> {
  const restoring = await darkrooms.restoring(record.modelId)
  if (!equalBytes(restoring.weightsHash, bytesOfText(record.photo.artifact.weightsHash))) onOtherWeights()
  return restoring
}

/** What becomes of a photo whose bands come in any order. `add` owns the rows. */
interface BandTaker<Result> {
  readonly add: (y0: number, rows: PhotoRows) => void | Promise<void>
  readonly finish: () => Result | Promise<Result>
}

async function restoreBands<Result>(
  opening: Opening,
  record: OpenedRecord,
  options: WatchOptions,
  begin: (header: PngHeader) => BandTaker<Result> | Promise<BandTaker<Result>>,
): Promise<Result> {
  const { signal, onProgress } = options
  const loading = { signal, onProgress: (fraction: number) => onProgress?.(fraction / 3) }
  return withArtifact(opening, record, loading, async (artifact) => {
    loading.onProgress(1)
    const { pool, model } = await restoringOf(opening, record)
    const urgent = { urgent: true }
    const key = { ...artifactKeyOf(opening.unlocked, record), artifact, workers: pool.size }
    const image = await pool.run(signal, (worker) => worker.call(signal, 'openImage', key), urgent)
    const { width, height } = image.header
    const atOnce = bandsAtOnce(width * height, pool.size)
    pool.endIdle(atOnce)
    const taker = await begin(image.header)
    let done = 0
    await mapLimited(image.bands, atOnce, async ({ y0, y1 }) => {
      const job = { model, bitstream: image.bitstream, band: { y0, y1 } }
      await taker.add(y0, await pool.run(signal, (worker) => worker.call(signal, 'decodeBand', job), urgent))
      done += 1
      onProgress?.((1 + (2 * done) / image.bands.length) / 3)
    })
    return taker.finish()
  })
}

export function openPhoto(
  opening: Opening,
  record: OpenedRecord,
  options: WatchOptions,
): Promise<OpenedPhoto> {
  return restoreBands(opening, record, options, ({ width, height, colorSpace }) => {
    const pixels = new Uint8ClampedArray(4 * width * height)
    return {
      add(y0, rows) {
        pixels.set(rows.data, 4 * width * y0)
        release(rows.data)
      },
      finish: () => ({ width, height, pixels, colorSpace }),
    }
  })
}

export async function openThumbnail(
  opening: Opening,
  record: OpenedRecord,
  signal: AbortSignal,
): Promise<Blob> {
  const { store, api, unlocked, onCached } = opening
  const id = artifactIdOf(record)
  const key = artifactKeyOf(unlocked, record)
  const open = async (preview: Blob) => {
    const { pool, model } = await restoringOf(opening, record)
    const job = { ...key, model, preview }
    return pool.run(signal, (worker) => worker.call(signal, 'openThumbnail', job), { urgent: true })
  }
  try {
    const kept = (await store.preview(id)) ?? (await store.artifact(id, Date.now()))
    const opened = kept === null ? null : await open(kept).catch((error: unknown) => refetch(record, error))
    if (opened !== null) return opened.png
    for (const bytes of PREVIEW_BYTES) {
      const preview = await api.artifact(id, { bytes, signal })
      const fetched = await open(preview)
      if (fetched === null) continue
      await store.keepPreview(id, preview.slice(0, fetched.previewBytes)).then(onCached, () => undefined)
      return fetched.png
    }
    throw new VaultError('damaged')
  } catch (error) {
    throw toDamageError(error)
  }
}

/** A damaged copy here is no matter where the vault has the photo: null. */
function refetch(record: OpenedRecord, error: unknown): null {
  const cause = toDamageError(error)
  if (record.inVault && isUnreadable(cause)) return null
  throw cause
}

export async function viewArtifact(
  opening: Opening,
  record: OpenedRecord,
  signal: AbortSignal,
): Promise<ArtifactView> {
  const { artifact } = await fetchArtifact(opening, record, { signal })
  return { bytes: new Uint8Array(await artifact.arrayBuffer()), headerBytes: HEADER_BYTES }
}

/** A PNG file by a worker, which gets the bands from the top; one that comes early waits here. */
async function pngTaker(
  signal: AbortSignal,
  writer: DarkroomClient,
  header: PngHeader,
): Promise<BandTaker<Blob>> {
  await writer.call(signal, 'startPng', header)
  const early = new Map<number, PhotoRows>()
  let row = 0
  return {
    async add(y0, rows) {
      early.set(y0, rows)
      for (let next = early.get(row); next !== undefined; next = early.get(row)) {
        early.delete(row)
        row += next.height
        await writer.call(signal, 'addPngRows', moved(next, [next.data.buffer]))
      }
    },
    finish: () => writer.call(signal, 'finishPng', undefined),
  }
}

/** The exact original where it was kept, else the restored photo as PNG. */
export async function downloadPhoto(
  opening: Opening,
  record: OpenedRecord,
  signal: AbortSignal,
): Promise<File> {
  const { photo } = record
  const { name, originalMediaType: type } = photo
  if (photo.keptOriginal) {
    const key = artifactKeyOf(opening.unlocked, record)
    const bytes = await withArtifact(opening, record, { signal }, async (artifact) => {
      const { pool } = await opening.darkrooms.engines()
      return pool.run(signal, (worker) => worker.call(signal, 'openOriginal', { ...key, artifact }))
    })
    return new File([bytes], name, {
      type,
      lastModified: Date.parse(photo.fileModifiedAt ?? photo.takenAt ?? photo.addedAt),
    })
  }
  const png = await opening.darkrooms.decoders.run(
    signal,
    (writer) => restoreBands(opening, record, { signal }, (header) => pngTaker(signal, writer, header)),
    { urgent: true },
  )
  return new File([png], `${name.replace(/\.[^.]*$/, '')}.png`, {
    type: 'image/png',
    lastModified: Date.parse(photo.takenAt ?? photo.addedAt),
  })
}
