/** The unlocked device: what the verbs sign and open with. Secrets are imported so that they derive and cannot be read. */
import { deviceKeysFrom, type DeviceKeys } from '../crypto/device'
import { importSecret } from '../crypto/kdf'
import { verifyRoster } from '../crypto/roster'
import { newStoredKey, openDeviceSecrets, sealDeviceSecrets } from '../crypto/sealed-blob'
import type { AccountId } from '../format/ids'
import type { Roster } from '../format/roster'
import type { DeviceSecrets } from '../format/secret-blob'
import { wipeBytes, type Bytes } from '../lib/bytes'
import type { DeviceRow } from '../storage/schema'

export interface Unlocked {
  readonly accountId: AccountId
  readonly keys: DeviceKeys
  readonly modelSecret: CryptoKey
  /** Of every epoch this device knows. */
  readonly vaultKeys: ReadonlyMap<number, CryptoKey>
  readonly epoch: number
  readonly roster: Roster
}

/** Takes over the signing and KEM seeds; the other secrets are wiped. */
async function unlockWith(secrets: DeviceSecrets, entries: readonly Uint8Array[]): Promise<Unlocked> {
  try {
    const keys = await deviceKeysFrom(new Uint8Array(secrets.signSeed), new Uint8Array(secrets.kemSeed))
    const modelSecret = await importSecret(secrets.modelSecret)
    const vaultKeys = new Map<number, CryptoKey>()
    for (const { epoch, key } of secrets.vaultKeys) vaultKeys.set(epoch, await importSecret(key))
    const roster = await verifyRoster(entries, secrets.account, modelSecret, null)
    const epoch = Math.max(...vaultKeys.keys())
    return { accountId: secrets.account, keys, modelSecret, vaultKeys, epoch, roster }
  } finally {
    wipeBytes(secrets.signSeed, secrets.kemSeed, secrets.modelSecret)
    for (const { key } of secrets.vaultKeys) wipeBytes(key)
  }
}

export async function unlockDevice(row: DeviceRow, entries: readonly Uint8Array[]): Promise<Unlocked> {
  return unlockWith(await openDeviceSecrets(row.sealedSecrets, 'stored-key', row.kek), entries)
}

/** The secrets sealed under a new key of this browser profile. */
export async function sealForThisBrowser(
  secrets: DeviceSecrets,
): Promise<{ readonly kek: CryptoKey; readonly sealedSecrets: Bytes }> {
  const kek = await newStoredKey()
  const unlocker = { kind: 'stored-key' as const, parameters: new Uint8Array(), kek }
  return { kek, sealedSecrets: await sealDeviceSecrets(secrets, [unlocker]) }
}
