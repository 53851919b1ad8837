/**
 * Sealing and opening artifacts (PROTOCOL §2). Layer: above aead and kdf, below nothing of the product.
 *
 *   sealArtifact(keys, mask, …) → bytes, dataKey           then wrapDataKey (artifact-keys) for the record
 *   openArtifact(firstBytes, keys, mask) → reader: commitment first, then the index
 *     reader.section(id, sealedSection)                    the whole section, unmasked, unpadded
 *     reader.chunk(id, chunk, sealedChunk)                 random access; checkChunk for proofs of storage
 *
 * No plaintext leaves before its tag. dataKey is drawn inside sealArtifact, so a key never seals twice: what failed to
 * upload is sent again as the same bytes, or sealed anew.
 */
import {
  ARTIFACT_NONCE_BYTES,
  CHUNK_BYTES,
  chunkRange,
  decodeHeader,
  encodeHeaderBeforeCommit,
  HEADER_BEFORE_COMMIT_BYTES,
  HEADER_BYTES,
  INDEX_BYTES,
  INDEX_OFFSET,
  SECTION,
  sealedLength,
  THUMBNAIL_OFFSET,
  type ArtifactHeader,
} from '../format/artifact'
import {
  artifactLength,
  decodeIndex,
  encodeIndex,
  layOutSections,
  type ArtifactIndex,
  type SectionEntry,
} from '../format/artifact-index'
import { FormatError } from '../format/errors'
import { sha256 } from '../format/hash'
import type { AccountId, ArtifactId, ModelId } from '../format/ids'
import { PADDING_RULE } from '../format/padding'
import type { ArtifactProcessId } from '../format/suite'
import { copyBytes, equalBytes, isZero, wipeBytes, type Bytes } from '../lib/bytes'
import { openStream, openStreamChunk, sealStream } from './aead'
import { scheduleFor, withMaskKeys, type MaskKeys, type ModelLock } from './artifact-keys'
import { CryptoError } from './errors'
import { randomBytes } from './random'

/** The forward process at its endpoint, made by the room that owns it. Works on whole padded sections. */
export interface Mask {
  readonly processId: ArtifactProcessId
  apply(keys: MaskKeys, section: number, plaintext: Uint8Array): Promise<Uint8Array>
  remove(keys: MaskKeys, section: number, masked: Uint8Array): Promise<Uint8Array>
  /** Chunk `chunk` of a section alone: its lanes start anew there. */
  removeChunk(keys: MaskKeys, section: number, chunk: number, masked: Uint8Array): Promise<Uint8Array>
}

/** What an artifact is bound to beside its keys. */
export interface ArtifactNames {
  readonly accountId: AccountId
  readonly artifactId: ArtifactId
  readonly modelId: ModelId
  readonly modelGeneration: number
}

export interface Section {
  readonly id: number
  readonly flags?: number
  readonly bytes: Uint8Array
}

export interface SealedArtifact {
  readonly bytes: Bytes
  /** To be wrapped at once and then wiped. */
  readonly dataKey: Bytes
  /** The nonce in the header, which wrapDataKey needs. */
  readonly nonce: Bytes
  readonly index: ArtifactIndex
}

/** `sections` must not name section 0. The inputs are left as they are. Throws FormatError for a bad section list. */
export async function sealArtifact(options: {
  readonly names: ArtifactNames
  readonly lock: ModelLock
  readonly mask: Mask
  readonly sections: readonly Section[]
  readonly picture: Pick<ArtifactIndex, 'width' | 'height' | 'quality' | 'paddingRule'> & {
    readonly extension?: Bytes
  }
}): Promise<SealedArtifact> {
  const { names, lock, mask, sections, picture } = options
  const plans = sections.map(({ id, flags, bytes }) => ({ id, flags: flags ?? 0, trueBytes: bytes.length }))
  const index: ArtifactIndex = {
    ...picture,
    extension: picture.extension ?? new Uint8Array(),
    sections: layOutSections(PADDING_RULE[picture.paddingRule], plans),
  }
  const indexBytes = encodeIndex(index)
  decodeIndex(indexBytes) // what could not be opened again is not sealed

  const dataKey = randomBytes(32)
  const nonce = randomBytes(ARTIFACT_NONCE_BYTES)
  const header = { ...names, process: mask.processId, nonce }
  const schedule = await scheduleFor(header, names.accountId, lock, dataKey)
  let isDone = false
  try {
    const before = encodeHeaderBeforeCommit(header)
    const bytes = new Uint8Array(artifactLength(index))
    bytes.set(before)
    bytes.set(await schedule.commitOf(before), HEADER_BEFORE_COMMIT_BYTES)
    const aad = await sha256(bytes.subarray(0, HEADER_BYTES))

    const put = async (id: number, plaintext: Uint8Array, paddedBytes: number, offset: number) => {
      const padded = new Uint8Array(paddedBytes)
      padded.set(plaintext)
      try {
        const masked = await withMaskKeys(schedule, id, (keys) => mask.apply(keys, id, padded))
        if (masked.length !== paddedBytes)
          throw new FormatError('bad-field', 'The mask changed the length of a section.')
        bytes.set(await sealStream(await schedule.sealKey(id), masked, aad), offset)
      } finally {
        wipeBytes(padded)
      }
    }
    await put(SECTION.index, indexBytes, INDEX_BYTES, INDEX_OFFSET)
    for (const entry of index.sections) {
      const section = sections.find(({ id }) => id === entry.id)
      if (section === undefined) throw new FormatError('bad-field', 'A section is missing.')
      await put(entry.id, section.bytes, entry.paddedBytes, entry.offset)
    }
    isDone = true
    return { bytes, dataKey, nonce, index }
  } finally {
    schedule.wipe()
    wipeBytes(indexBytes)
    if (!isDone) wipeBytes(dataKey)
  }
}

/** A copy of the first `trueBytes`; what lies behind them must be zero. Wipes its argument. */
function withoutPadding(padded: Uint8Array, trueBytes: number): Bytes {
  try {
    if (!isZero(padded.subarray(trueBytes)))
      throw new CryptoError('damaged', 'A section has bytes in its padding.')
    return copyBytes(padded.subarray(0, trueBytes))
  } finally {
    wipeBytes(padded)
  }
}

export interface ArtifactReader {
  readonly header: ArtifactHeader
  readonly index: ArtifactIndex
  /** Length that the whole artifact must have. */
  readonly bytes: number
  /** The entry of a section, or null where the artifact has none. Its bytes lie at [offset, offset + sealedLength(paddedBytes)). */
  find(section: number): SectionEntry | null
  /** A whole section, from its sealed bytes. Throws CryptoError 'damaged'. */
  section(section: number, sealed: Uint8Array): Promise<Bytes>
  /** What one sealed chunk holds, without padding: random access. Throws CryptoError 'damaged'. */
  chunk(section: number, chunk: number, sealed: Uint8Array): Promise<Bytes>
  /** Returns if a sealed chunk is whole and in its place, as proof of storage (PROTOCOL §7). Throws CryptoError 'damaged'. */
  checkChunk(section: number, chunk: number, sealed: Uint8Array): Promise<void>
  /** Ends the reader's keys. */
  close(): void
}

/**
 * Opens the first THUMBNAIL_OFFSET bytes of an artifact (more are ignored). Throws FormatError for a header that is none,
 * CryptoError 'wrong-object' if it is another artifact or model than `names`, 'wrong-key-or-model' if the commitment
 * does not answer, 'damaged' if the index does not.
 */
export async function openArtifact(options: {
  readonly first: Uint8Array
  readonly names: ArtifactNames
  readonly lock: ModelLock
  readonly mask: Mask
  readonly dataKey: Uint8Array
}): Promise<ArtifactReader> {
  const { first, names, lock, mask, dataKey } = options
  const header = decodeHeader(first)
  if (
    header.artifactId !== names.artifactId ||
    header.modelId !== names.modelId ||
    header.modelGeneration !== names.modelGeneration
  )
    throw new CryptoError('wrong-object', 'This is not the artifact that was asked for.')
  const schedule = await scheduleFor(header, names.accountId, lock, dataKey)
  try {
    const commit = await schedule.commitOf(first.subarray(0, HEADER_BEFORE_COMMIT_BYTES))
    if (!equalBytes(commit, header.commit))
      throw new CryptoError('wrong-key-or-model', 'This artifact needs another key, or another model.')
    const aad = await sha256(first.subarray(0, HEADER_BYTES))
    const openSection = async (id: number, sealed: Uint8Array, paddedBytes: number) => {
      const masked = await openStream(await schedule.sealKey(id), sealed, aad, paddedBytes)
      try {
        return copyBytes(await withMaskKeys(schedule, id, (keys) => mask.remove(keys, id, masked)))
      } finally {
        wipeBytes(masked)
      }
    }
    const index = decodeIndex(
      await openSection(SECTION.index, first.subarray(INDEX_OFFSET, THUMBNAIL_OFFSET), INDEX_BYTES),
    )
    const find = (id: number) => index.sections.find((entry) => entry.id === id) ?? null
    const need = (id: number) => {
      const entry = find(id)
      if (entry === null) throw new FormatError('bad-field', 'This artifact has no such section.')
      return entry
    }
    const openChunk = async (id: number, chunk: number, sealed: Uint8Array) =>
      openStreamChunk(await schedule.sealKey(id), sealed, aad, need(id).paddedBytes, chunk)
    return {
      header,
      index,
      bytes: artifactLength(index),
      find,
      async section(id, sealed) {
        const entry = need(id)
        return withoutPadding(await openSection(id, sealed, entry.paddedBytes), entry.trueBytes)
      },
      async chunk(id, chunk, sealed) {
        const { trueBytes } = need(id)
        const masked = await openChunk(id, chunk, sealed)
        try {
          const padded = await withMaskKeys(schedule, id, (keys) => mask.removeChunk(keys, id, chunk, masked))
          return withoutPadding(padded, Math.max(0, trueBytes - chunk * CHUNK_BYTES))
        } finally {
          wipeBytes(masked)
        }
      },
      async checkChunk(id, chunk, sealed) {
        wipeBytes(await openChunk(id, chunk, sealed))
      },
      close: () => schedule.wipe(),
    }
  } catch (error) {
    schedule.wipe()
    throw error
  }
}

/** A section of an artifact that is held whole. Throws CryptoError 'damaged' where the bytes end early. */
export function sealedSection(artifact: Uint8Array, entry: SectionEntry): Uint8Array {
  const end = entry.offset + sealedLength(entry.paddedBytes)
  if (end > artifact.length) throw new CryptoError('damaged', 'The artifact ends within a section.')
  return artifact.subarray(entry.offset, end)
}

/** Of a chunk within the artifact, for a Range request: [start, end). */
export function chunkBytesOf(
  entry: SectionEntry,
  chunk: number,
): { readonly start: number; readonly end: number } {
  const { start, end } = chunkRange(entry.paddedBytes, chunk)
  return { start: entry.offset + start, end: entry.offset + end }
}
