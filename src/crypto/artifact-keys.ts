/**
 * The keys of one artifact (PROTOCOL §2): every key comes from both locks, salted by the artifact's nonce. Also the
 * wrapping of its data key under a vault key. A record wraps its data key in the same way, with process 0.
 */
import type { ArtifactHeader } from '../format/artifact'
import { accountIds, artifactIds, modelIds, type AccountId } from '../format/ids'
import { FORMAT_VERSION, SUITE_1 } from '../format/suite'
import { concatBytes, u16, wipeBytes, type Bytes } from '../lib/bytes'
import { importSealKey, open, seal } from './aead'
import { checkLength } from './errors'
import { deriveKey, LABEL, type Secret } from './kdf'

export interface MaskKeys {
  readonly aes: Uint8Array
  readonly net: Uint8Array
}

export interface ModelLock {
  readonly modelSecret: Secret
  /** SHA-256 of the canonical personal weights; on opening, the one kept in the record. */
  readonly weightsHash: Uint8Array
}

export type IdsHeader = Pick<ArtifactHeader, 'modelId' | 'modelGeneration' | 'artifactId' | 'nonce'> & {
  readonly process: number
}

/** Fixed width: format ‖ suite ‖ process ‖ model id ‖ generation ‖ account ‖ artifact id. */
function idsOf(header: IdsHeader, accountId: AccountId): Bytes {
  return concatBytes(
    u16(FORMAT_VERSION),
    u16(SUITE_1),
    u16(header.process),
    modelIds.toBytes(header.modelId),
    u16(header.modelGeneration),
    accountIds.toBytes(accountId),
    artifactIds.toBytes(header.artifactId),
  )
}

export interface Schedule {
  commitOf(headerBeforeCommit: Uint8Array): Promise<Bytes>
  sealKey(section: number): Promise<CryptoKey>
  maskKeys(section: number): Promise<MaskKeys>
  wipe(): void
}

/** The keys of one artifact. `dataKey` stays the caller's. */
export async function scheduleFor(
  header: IdsHeader,
  accountId: AccountId,
  lock: ModelLock,
  dataKey: Uint8Array,
): Promise<Schedule> {
  checkLength(dataKey, 32, 'data key')
  checkLength(lock.weightsHash, 32, 'weights hash')
  const { nonce } = header
  const ids = idsOf(header, accountId)
  const modelKey = await deriveKey(lock.modelSecret, nonce, LABEL.modelLock, ids, lock.weightsHash)
  const both = concatBytes(dataKey, modelKey)
  return {
    commitOf: (before) => deriveKey(both, nonce, LABEL.commit, before),
    async sealKey(section) {
      const key = await deriveKey(both, nonce, LABEL.seal, ids, u16(section))
      try {
        return await importSealKey(key)
      } finally {
        wipeBytes(key)
      }
    },
    async maskKeys(section) {
      return {
        aes: await deriveKey(modelKey, nonce, LABEL.maskAes, u16(section)),
        net: await deriveKey(modelKey, nonce, LABEL.maskNet, u16(section)),
      }
    },
    wipe: () => wipeBytes(modelKey, both),
  }
}

export async function withMaskKeys<T>(
  schedule: Schedule,
  section: number,
  use: (keys: MaskKeys) => Promise<T>,
): Promise<T> {
  const keys = await schedule.maskKeys(section)
  try {
    return await use(keys)
  } finally {
    wipeBytes(keys.aes, keys.net)
  }
}

/** Names and nonce of what a data key belongs to; `process` is PROCESS.none for a record. */
export interface WrapContext {
  readonly accountId: AccountId
  readonly header: IdsHeader
}

async function withWrapKey<T>(
  vaultKey: Secret,
  context: WrapContext,
  use: (key: Bytes, ids: Bytes) => Promise<T>,
) {
  const ids = idsOf(context.header, context.accountId)
  const key = await deriveKey(vaultKey, context.header.nonce, LABEL.wrap, ids)
  try {
    return await use(key, ids)
  } finally {
    wipeBytes(key)
  }
}

/** 60 bytes. `vaultKey` is that of the newest epoch, whose number belongs beside the result. */
export function wrapDataKey(vaultKey: Secret, context: WrapContext, dataKey: Uint8Array): Promise<Bytes> {
  checkLength(dataKey, 32, 'data key')
  return withWrapKey(vaultKey, context, (key, ids) => seal(key, dataKey, ids))
}

/** Throws CryptoError 'damaged', also for the key of another epoch. */
export function unwrapDataKey(vaultKey: Secret, context: WrapContext, wrapped: Uint8Array): Promise<Bytes> {
  return withWrapKey(vaultKey, context, (key, ids) => open(key, wrapped, ids))
}
