/**
 * Sealing and opening records (PROTOCOL §3): both locks, no mask, a fresh nonce and data key per version. The weights
 * hash is in the text and therefore not in the key.
 */
import { sha256 } from '../format/hash'
import {
  accountIds,
  artifactIds,
  recordIds,
  type AccountId,
  type ModelId,
  type RecordId,
} from '../format/ids'
import {
  decodeRecordBody,
  encodeRecordBody,
  RECORD_NONCE_BYTES,
  recordMessage,
  type RecordBody,
  type SealedRecord,
} from '../format/record'
import { TAG_BYTES } from '../format/artifact'
import { PROCESS } from '../format/suite'
import { concatBytes, equalBytes, u32, wipeBytes, type Bytes } from '../lib/bytes'
import { importSealKey, openStream, sealStream } from './aead'
import { unwrapDataKey, wrapDataKey, type WrapContext } from './artifact-keys'
import { CryptoError } from './errors'
import { deriveKey, LABEL, type Secret } from './kdf'
import { randomBytes } from './random'

export interface RecordNames {
  readonly accountId: AccountId
  readonly recordId: RecordId
  readonly version: number
}

type RecordFields = Omit<SealedRecord, 'commit' | 'sealed'>

function wrapContextOf(fields: Omit<RecordFields, 'wrappedKey'>): WrapContext {
  return {
    accountId: fields.account,
    header: {
      process: PROCESS.none,
      modelId: fields.modelId,
      modelGeneration: fields.modelGeneration,
      artifactId: artifactIds.fromBytes(recordIds.toBytes(fields.recordId)), // same width; process 0 keeps them apart
      nonce: fields.nonce,
    },
  }
}

/** Commitment, and the one GCM key of this version. */
async function keysOf(fields: RecordFields, modelSecret: Secret, dataKey: Uint8Array) {
  const context = concatBytes(
    accountIds.toBytes(fields.account),
    recordIds.toBytes(fields.recordId),
    u32(fields.version),
  )
  const before = recordMessage.bodyBytes(fields)
  const modelKey = await deriveKey(modelSecret, fields.nonce, LABEL.recordLock, context)
  const both = concatBytes(dataKey, modelKey)
  const sealKey = await deriveKey(both, fields.nonce, LABEL.seal, context)
  try {
    const commit = await deriveKey(both, fields.nonce, LABEL.commit, before)
    return { commit, key: await importSealKey(sealKey), aad: await sha256(concatBytes(before, commit)) }
  } finally {
    wipeBytes(modelKey, both, sealKey)
  }
}

/** `vaultKey` is that of `epoch`. Throws FormatError 'too-large'. */
export async function sealRecord(options: {
  readonly names: RecordNames
  readonly epoch: number
  readonly modelId: ModelId
  readonly modelGeneration: number
  readonly modelSecret: Secret
  readonly vaultKey: Secret
  readonly body: RecordBody
}): Promise<Bytes> {
  const { names, epoch, modelId, modelGeneration, modelSecret, vaultKey, body } = options
  const plaintext = encodeRecordBody(body)
  const dataKey = randomBytes(32)
  try {
    const open = {
      account: names.accountId,
      recordId: names.recordId,
      version: names.version,
      epoch,
      modelId,
      modelGeneration,
      nonce: randomBytes(RECORD_NONCE_BYTES),
    }
    const fields = { ...open, wrappedKey: await wrapDataKey(vaultKey, wrapContextOf(open), dataKey) }
    const { commit, key, aad } = await keysOf(fields, modelSecret, dataKey)
    return recordMessage.encode({ ...fields, commit, sealed: await sealStream(key, plaintext, aad) })
  } finally {
    wipeBytes(dataKey, plaintext)
  }
}

/**
 * `vaultKeyOf` gives the vault key of an epoch, or null. Throws FormatError for bytes that are no record, CryptoError
 * 'wrong-object' if it is not the one named, 'wrong-key-or-model' for keys that do not answer, else 'damaged'.
 */
export async function openRecord(
  sealed: Uint8Array,
  names: RecordNames,
  modelSecret: Secret,
  vaultKeyOf: (epoch: number) => Secret | null,
): Promise<{ readonly body: RecordBody; readonly epoch: number }> {
  const record = recordMessage.decode(sealed)
  if (
    record.account !== names.accountId ||
    record.recordId !== names.recordId ||
    record.version !== names.version
  )
    throw new CryptoError('wrong-object', 'This is not the record that was asked for.')
  const vaultKey = vaultKeyOf(record.epoch)
  if (vaultKey === null)
    throw new CryptoError('wrong-key-or-model', 'This record was sealed in an epoch whose key is not here.')
  const dataKey = await unwrapDataKey(vaultKey, wrapContextOf(record), record.wrappedKey)
  let plaintext: Bytes | null = null
  try {
    const { commit, key, aad } = await keysOf(record, modelSecret, dataKey)
    if (!equalBytes(commit, record.commit))
      throw new CryptoError('wrong-key-or-model', 'This record needs another key.')
    plaintext = await openStream(key, record.sealed, aad, record.sealed.length - TAG_BYTES)
    return { body: decodeRecordBody(plaintext), epoch: record.epoch }
  } finally {
    wipeBytes(dataKey, plaintext)
  }
}
