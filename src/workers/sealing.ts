/** From coded tiles to a sealed artifact and back, within one worker: what lies between never leaves it. */
import { assembleBitstream } from '../codec/bitstream'
import { fillPadding } from '../codec/fill-padding'
import type { BitstreamHeader, TileVersions } from '../codec/types'
import { openArtifact, sealArtifact, type ArtifactNames, type Section } from '../crypto/artifact'
import { CryptoError } from '../crypto/errors'
import { unwrapDataKey, wrapDataKey } from '../crypto/artifact-keys'
import { createMask } from '../diffusion/mask'
import { decodeHeader, SECTION, sealedLength, THUMBNAIL_OFFSET } from '../format/artifact'
import { sha256 } from '../format/hash'
import { PADDING_RULE, paddedLength } from '../format/padding'
import { PROCESS } from '../format/suite'
import { wipeBytes, type Bytes } from '../lib/bytes'

/** Keys are CryptoKeys that derive and cannot be read. */
export interface PhotoLocks {
  readonly modelSecret: CryptoKey
  readonly vaultKey: CryptoKey
  readonly weightsHash: Uint8Array
}

export interface SealPhotoInput {
  readonly names: ArtifactNames
  readonly locks: PhotoLocks
  readonly header: BitstreamHeader
  readonly alpha: Uint8Array | null
  readonly tiles: readonly TileVersions[]
  readonly thumbnail: Uint8Array
  /** The original file, where it is to be kept. */
  readonly original: Blob | null
}

export interface SealedPhotoFile {
  readonly artifact: Blob
  /** From the start to the end of the thumbnail. */
  readonly preview: Blob
  readonly sha256: Bytes
  /** The data key under the vault key, for the record. */
  readonly wrappedKey: Bytes
}

export async function sealPhoto(input: SealPhotoInput): Promise<SealedPhotoFile> {
  const { names, locks, header, alpha, tiles, thumbnail, original } = input
  const filled = fillPadding(tiles, alpha, (bytes) => paddedLength(PADDING_RULE.eighths, bytes))
  const sections: Section[] = [
    { id: SECTION.image, bytes: assembleBitstream(header, alpha, filled) },
    { id: SECTION.thumbnail, bytes: thumbnail },
  ]
  if (original !== null)
    sections.push({ id: SECTION.original, bytes: new Uint8Array(await original.arrayBuffer()) })
  const mask = createMask(PROCESS.torus32)
  const { width, height, quality } = header
  const picture = { width, height, quality, paddingRule: 'eighths' as const }
  const sealed = await sealArtifact({ names, lock: locks, mask, sections, picture })
  try {
    const wrapHeader = { ...names, process: mask.processId, nonce: sealed.nonce }
    const wrappedKey = await wrapDataKey(
      locks.vaultKey,
      { accountId: names.accountId, header: wrapHeader },
      sealed.dataKey,
    )
    const preview = sealed.index.sections.find(({ id }) => id === SECTION.thumbnail)
    const previewEnd = preview === undefined ? 0 : preview.offset + sealedLength(preview.paddedBytes)
    return {
      artifact: new Blob([sealed.bytes]),
      preview: new Blob([sealed.bytes.subarray(0, previewEnd)]),
      sha256: await sha256(sealed.bytes),
      wrappedKey,
    }
  } finally {
    wipeBytes(sealed.dataKey)
  }
}

/** What the record says about its artifact. */
export interface ArtifactKey {
  readonly names: ArtifactNames
  readonly locks: PhotoLocks
  readonly wrappedKey: Uint8Array
}

/**
 * One section, opened whole: nothing of it is given before every tag answered. Throws CryptoError and FormatError.
 */
export async function openSection(key: ArtifactKey, artifact: Blob, section: number): Promise<Bytes> {
  const opened = await openBeginning(key, artifact, section)
  if (opened === null) throw new CryptoError('damaged', 'The artifact ends within a section.')
  return opened.bytes
}

/** The same from the beginning of an artifact: null where it ends before the section does. */
export async function openBeginning(
  key: ArtifactKey,
  file: Blob,
  section: number,
): Promise<{ readonly bytes: Bytes; readonly end: number } | null> {
  const { names, locks, wrappedKey } = key
  const first = new Uint8Array(await file.slice(0, THUMBNAIL_OFFSET).arrayBuffer())
  if (first.length < THUMBNAIL_OFFSET) throw new CryptoError('damaged', 'The artifact is cut off.')
  const header = decodeHeader(first)
  const mask = createMask(header.process)
  const dataKey = await unwrapDataKey(locks.vaultKey, { accountId: names.accountId, header }, wrappedKey)
  try {
    const reader = await openArtifact({ first, names, lock: locks, mask, dataKey })
    try {
      const entry = reader.find(section)
      if (entry === null) throw new CryptoError('wrong-object', 'This artifact has no such part.')
      const end = entry.offset + sealedLength(entry.paddedBytes)
      if (end > file.size) return null
      const sealed = new Uint8Array(await file.slice(entry.offset, end).arrayBuffer())
      return { bytes: await reader.section(section, sealed), end }
    } finally {
      reader.close()
    }
  } finally {
    wipeBytes(dataKey)
  }
}
