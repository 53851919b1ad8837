/**
 * A sealed record (PROTOCOL §3): the words about one photo, under both locks, without a mask. All integers little-endian;
 * each field stands behind its length in 4 bytes (message.ts).
 *
 *   offset  bytes  in the clear, and bound to the seal
 *        0      6  type = 6 · version = 1 · suite = 1
 *       10     32  account
 *       46     16  record id
 *       66      4  version of this record
 *       74      4  epoch of the vault key
 *       82     32  model id
 *      118      2  model generation
 *      124     24  nonce: salt of every key of this version
 *      152     60  data key, wrapped: nonce 12 · ciphertext 32 · tag 16
 *      216     32  commit: proves dataKey and modelKey before anything is opened
 *      252      …  sealed text, one chunk and its 16-byte tag
 *
 * The text is JSON, padded before sealing:
 *
 *   +---------------+------------------+----------------------------------+
 *   | text length   | text (UTF-8)     | zeros to a multiple of 512 bytes |     length: 4 bytes
 *   +---------------+------------------+----------------------------------+
 */
import { z } from 'zod'
import { parseUtf8, readU32, u32, utf8, type Bytes } from '../lib/bytes'
import { FormatError } from './errors'
import { HASH_BYTES } from './hash'
import { accountIds, artifactIds, modelIds, recordIds } from './ids'
import { SEALED_SECRET_BYTES } from './keys'
import { bytesBetween, bytesField, defineMessage, idField, u16Field, u32Field } from './message'
import { MESSAGE_TYPE } from './message-types'
import { wireText } from './text-bytes'

export const MAX_RECORD_BYTES = 65536
export const RECORD_PADDING = 512
export const RECORD_NONCE_BYTES = 24
/** Of the text alone: what fits with length, padding, tag and the fields in the clear. */
export const MAX_RECORD_TEXT_BYTES = 126 * RECORD_PADDING - 4
const TAG_BYTES = 16

export const recordMessage = defineMessage({
  type: MESSAGE_TYPE.record,
  name: 'record',
  body: {
    account: idField(accountIds),
    recordId: idField(recordIds),
    version: u32Field,
    epoch: u32Field,
    modelId: idField(modelIds),
    modelGeneration: u16Field,
    nonce: bytesField(RECORD_NONCE_BYTES),
    /** This version's data key, wrapped under the vault key of the epoch. */
    wrappedKey: bytesField(SEALED_SECRET_BYTES),
  },
  proofs: {
    commit: bytesField(HASH_BYTES),
    sealed: bytesBetween(RECORD_PADDING + TAG_BYTES, 126 * RECORD_PADDING + TAG_BYTES),
  },
})

export type SealedRecord = ReturnType<typeof recordMessage.decode>

const instant = z.iso.datetime({ local: true, offset: true })
const pixels = z
  .int()
  .min(1)
  .max(2 ** 30)
const byteCount = z.int().min(0)

/** How to open the record's artifact. */
export const artifactReference = z.looseObject({
  id: artifactIds.schema,
  bytes: byteCount,
  sha256: wireText(HASH_BYTES),
  /** Epoch of the vault key that wraps the data key. */
  epoch: z.int().min(1),
  wrappedKey: wireText(SEALED_SECRET_BYTES),
  /** SHA-256 of the canonical personal weights that the artifact's key is bound to. */
  weightsHash: wireText(HASH_BYTES),
})

/** Members that this release does not know are kept through a rewrite. */
export const photoRecord = z.looseObject({
  kind: z.literal('photo'),
  name: z.string().max(1024),
  width: pixels,
  height: pixels,
  takenAt: instant.nullable(),
  addedAt: instant,
  /** Of the original file, as the device that added it had it; null where it did not say. */
  fileModifiedAt: instant.nullable(),
  originalBytes: byteCount,
  /** PSNR-RGB of the restored photo; null for infinity, an identical picture. */
  psnrDb: z.number().nullable(),
  keptOriginal: z.boolean(),
  originalMediaType: z.string().max(100),
  /** HMAC of the original file, to find duplicates. */
  duplicateHash: wireText(HASH_BYTES),
  artifact: artifactReference,
})

export type PhotoRecord = z.infer<typeof photoRecord>

/** Any JSON object with a kind: what a newer release wrote is kept as it is, but for a member named __proto__. */
export const anyRecord = z.looseObject({ kind: z.string().max(64) })
export type RecordBody = z.infer<typeof anyRecord>

/** Arrays and objects within each other; no record needs more, and no stack is at risk. */
const MAX_RECORD_DEPTH = 64
const TOO_DEEP = 'A record is nested too deep.'

const isDeeper = (value: unknown, levels: number): boolean =>
  value !== null &&
  typeof value === 'object' &&
  (levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1)))

/** Members sorted by name at every depth, so that one record has one text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([name, member]) => [name, sorted(member)]),
  )
}

/** Padded plaintext of a record. Throws FormatError 'too-large' or 'bad-field'. */
export function encodeRecordBody(body: RecordBody): Bytes {
  if (isDeeper(body, MAX_RECORD_DEPTH)) throw new FormatError('bad-field', TOO_DEEP)
  const text = utf8(JSON.stringify(sorted(body)))
  if (text.length > MAX_RECORD_TEXT_BYTES) throw new FormatError('too-large', 'This record is too long.')
  const padded = new Uint8Array(Math.ceil((4 + text.length) / RECORD_PADDING) * RECORD_PADDING)
  padded.set(u32(text.length))
  padded.set(text, 4)
  return padded
}

/** Throws FormatError 'bad-field' or 'trailing-bytes'. */
export function decodeRecordBody(padded: Uint8Array): RecordBody {
  if (padded.length < RECORD_PADDING || padded.length % RECORD_PADDING !== 0)
    throw new FormatError('truncated', 'A record does not have a whole number of padding steps.')
  const length = readU32(padded, 0)
  if (
    length > padded.length - 4 ||
    Math.ceil((4 + length) / RECORD_PADDING) * RECORD_PADDING !== padded.length
  )
    throw new FormatError('bad-field', 'A record has a length that does not fit its padding.')
  if (padded.subarray(4 + length).some((byte) => byte !== 0))
    throw new FormatError('trailing-bytes', 'A record has bytes in its padding.')
  const text = parseUtf8(padded.subarray(4, 4 + length))
  if (text === null) throw new FormatError('bad-field', 'A record is not UTF-8.')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new FormatError('bad-field', 'A record is not JSON.', { cause })
  }
  if (isDeeper(value, MAX_RECORD_DEPTH)) throw new FormatError('bad-field', TOO_DEEP)
  const parsed = anyRecord.safeParse(value)
  if (!parsed.success) throw new FormatError('bad-field', 'A record is not an object with a kind.')
  return parsed.data
}
