/**
 * The artifact container, format 1 (PROTOCOL §2). All integers little-endian.
 *
 *   offset  bytes  clear header, 160 bytes
 *        0      8  magic "SAFELGT" 0x1a
 *        8      2  format = 1
 *       10      2  suite
 *       12      2  process = 1: what was done to sections before sealing
 *       14      2  critical flags; an unknown bit refuses the artifact
 *       16     32  model id
 *       48      2  model generation
 *       50      1  log2 of the chunk size = 16
 *       51     16  artifact id
 *       67     24  nonce: salt of every key of this artifact
 *       91     37  reserved, zero
 *      128     32  commit: proves dataKey and modelKey before anything is opened
 *      160    480  section 0, the index: one sealed chunk of 464 bytes
 *      640      …  section 2, the thumbnail, where there is one; then the others by rising id
 *
 * A section is STREAM: chunks of 65536 bytes, each followed by its 16-byte tag; only the last is shorter, and it is
 * empty only in an empty section.
 */
import { concatBytes, isZero, readU16, u16, utf8, type Bytes } from '../lib/bytes'
import { FormatError } from './errors'
import { HASH_BYTES } from './hash'
import { artifactIds, modelIds, type ArtifactId, type ModelId } from './ids'
import { FORMAT_VERSION, PROCESS, SUITE_1, type ArtifactProcessId } from './suite'

export const ARTIFACT_MAGIC = concatBytes(utf8('SAFELGT'), Uint8Array.of(0x1a))
export const HEADER_BYTES = 160
/** The header as the commitment covers it. */
export const HEADER_BEFORE_COMMIT_BYTES = HEADER_BYTES - HASH_BYTES
export const ARTIFACT_NONCE_BYTES = 24
export const CHUNK_LOG2 = 16
export const CHUNK_BYTES = 2 ** CHUNK_LOG2
export const TAG_BYTES = 16
export const INDEX_OFFSET = HEADER_BYTES
export const THUMBNAIL_OFFSET = 640
/** Plaintext of section 0: with its tag it fills what lies before the thumbnail. */
export const INDEX_BYTES = THUMBNAIL_OFFSET - INDEX_OFFSET - TAG_BYTES

export const SECTION = { index: 0, image: 1, thumbnail: 2, original: 3, audio: 4 } as const

export interface ArtifactHeader {
  readonly process: ArtifactProcessId
  readonly modelId: ModelId
  readonly modelGeneration: number
  readonly artifactId: ArtifactId
  readonly nonce: Bytes
  readonly commit: Bytes
}

/** The first 128 bytes of the header, which the commitment is made over. */
export function encodeHeaderBeforeCommit(header: Omit<ArtifactHeader, 'commit'>): Bytes {
  if (header.nonce.length !== ARTIFACT_NONCE_BYTES)
    throw new FormatError('bad-field', 'The nonce of an artifact must have 24 bytes.')
  const bytes = concatBytes(
    ARTIFACT_MAGIC,
    u16(FORMAT_VERSION),
    u16(SUITE_1),
    u16(header.process),
    u16(0),
    modelIds.toBytes(header.modelId),
    u16(header.modelGeneration),
    Uint8Array.of(CHUNK_LOG2),
    artifactIds.toBytes(header.artifactId),
    header.nonce,
    new Uint8Array(37),
  )
  return bytes
}

/** Of an artifact or at least its first 160 bytes. Throws FormatError. */
export function decodeHeader(bytes: Uint8Array): ArtifactHeader {
  if (bytes.length < HEADER_BYTES) throw new FormatError('truncated', 'The artifact ends within its header.')
  if (ARTIFACT_MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new FormatError('wrong-type', 'These bytes are not an artifact.')
  if (readU16(bytes, 8) !== FORMAT_VERSION || readU16(bytes, 10) !== SUITE_1)
    throw new FormatError('unsupported', 'This artifact has a format or suite this release does not know.')
  if (readU16(bytes, 12) !== PROCESS.torus32)
    throw new FormatError('unsupported', 'This artifact was made by a process this release does not know.')
  if (readU16(bytes, 14) !== 0)
    throw new FormatError('unsupported', 'This artifact needs a feature this release does not know.')
  if (bytes[50] !== CHUNK_LOG2)
    throw new FormatError('unsupported', 'This artifact has a chunk size this release does not know.')
  if (!isZero(bytes.subarray(91, HEADER_BEFORE_COMMIT_BYTES)))
    throw new FormatError('bad-field', 'The reserved bytes of this artifact are not zero.')
  return {
    process: PROCESS.torus32,
    modelId: modelIds.fromBytes(bytes.subarray(16, 48)),
    modelGeneration: readU16(bytes, 48),
    artifactId: artifactIds.fromBytes(bytes.subarray(51, 67)),
    nonce: bytes.slice(67, 91),
    commit: bytes.slice(HEADER_BEFORE_COMMIT_BYTES, HEADER_BYTES),
  }
}

/** Chunks of a section; an empty one has a single empty chunk. */
export function chunkCount(plainBytes: number): number {
  return Math.max(1, Math.ceil(plainBytes / CHUNK_BYTES))
}

/** Length of a section once sealed. */
export function sealedLength(plainBytes: number): number {
  return plainBytes + TAG_BYTES * chunkCount(plainBytes)
}

/** Where a sealed chunk lies within its sealed section: [start, end). */
export function chunkRange(
  plainBytes: number,
  chunk: number,
): { readonly start: number; readonly end: number } {
  const count = chunkCount(plainBytes)
  if (!Number.isInteger(chunk) || chunk < 0 || chunk >= count)
    throw new FormatError('bad-field', 'A section has no chunk of this number.')
  const start = chunk * (CHUNK_BYTES + TAG_BYTES)
  return { start, end: chunk === count - 1 ? sealedLength(plainBytes) : start + CHUNK_BYTES + TAG_BYTES }
}

/** STREAM nonce, as in age: chunk number, 11 bytes big-endian, then 1 for the last chunk and 0 for any other. */
export function chunkNonce(chunk: number, isLast: boolean): Bytes {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(3, BigInt(chunk))
  nonce[11] = isLast ? 1 : 0
  return nonce
}
