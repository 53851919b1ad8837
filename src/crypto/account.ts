/**
 * The first steps of an account, as whole moves over the other files of this room. In the order a client takes them:
 *
 *   new account   createAccount() → show kit words, have three typed back
 *                 → POST /api/accounts with .request → sealDeviceSecrets(.secrets) → signSession
 *   24 words      openKit(words) → POST recovery/lookup with .keys.deviceId → signSession(kit.keys) as the kit
 *                 → GET kit-share, roster, grants → recover() → joinWithKit() → POST /api/roster with .request
 *                 → sealDeviceSecrets(.secrets) → sign in as the new device
 *   each photo    sealArtifact → PUT → wrapDataKey → sealRecord → writeChainEntry (store, then POST /api/chain)
 *   each sync     verifyRoster → readChainEntry per entry → missingAtEnd → openRecord → unwrapDataKey → openArtifact
 */
import type { AccountId } from '../format/ids'
import type { Roster } from '../format/roster'
import { rosterEntryMessage } from '../format/roster-entry'
import type { DeviceSecrets } from '../format/secret-blob'
import { copyBytes, wipeBytes, type Bytes } from '../lib/bytes'
import { present } from '../lib/assert'
import { newDeviceKeys, wipeDeviceKeys, type DeviceKeys } from './device'
import { CryptoError } from './errors'
import { openGrant, openPreviousVaultKey, sealGrant } from './grant'
import { kitKeys, makeKitShare, newKitSecret, openKitShare } from './kit'
import { randomBytes } from './random'
import { additionEntry, followRoster, genesisEntry, verifyRoster } from './roster'
import { secretToWords, wordsToSecret } from './words'

/** The vault key of each epoch, the newest last. */
export type VaultKeys = DeviceSecrets['vaultKeys']

export interface NewAccount {
  readonly roster: Roster
  readonly device: DeviceKeys
  readonly secrets: DeviceSecrets
  /** To be shown once, then forgotten. */
  readonly words: readonly string[]
  /** Body of POST /api/accounts, before z.encode. */
  readonly request: {
    readonly genesis: Bytes
    readonly kit: Bytes
    readonly grants: Bytes[]
    readonly kitShare: Bytes
  }
}

/** Copies of everything: secrets and device keys are wiped apart from each other. */
function secretsOf(
  accountId: AccountId,
  device: DeviceKeys,
  modelSecret: Uint8Array,
  vaultKeys: VaultKeys,
): DeviceSecrets {
  return {
    account: accountId,
    signSeed: copyBytes(device.signSeed),
    kemSeed: copyBytes(device.kemSeed),
    modelSecret: copyBytes(modelSecret),
    vaultKeys: vaultKeys.map(({ epoch, key }) => ({ epoch, key: copyBytes(key) })),
  }
}

/** Everything an account begins with: one device, one kit, modelSecret and the vault key of epoch 1. */
export async function createAccount(): Promise<NewAccount> {
  const modelSecret = randomBytes(32)
  const vaultKey = randomBytes(32)
  const kitSecret = newKitSecret()
  const device = await newDeviceKeys()
  const kit = await kitKeys(kitSecret)
  try {
    const genesis = await genesisEntry(device, modelSecret)
    const first = await followRoster(null, genesis, modelSecret)
    const kitEntry = await additionEntry(first, 'add-kit', kit, device, modelSecret)
    const roster = await followRoster(first, kitEntry, modelSecret)
    const grants: Bytes[] = []
    for (const member of roster.members.values())
      grants.push(await sealGrant(roster, member, device, modelSecret, vaultKey))
    const kitShare = await makeKitShare(roster.accountId, kit, kitSecret, modelSecret)
    return {
      roster,
      device,
      secrets: secretsOf(roster.accountId, device, modelSecret, [{ epoch: 1, key: vaultKey }]),
      words: secretToWords(kitSecret),
      request: { genesis, kit: kitEntry, grants, kitShare },
    }
  } finally {
    wipeBytes(kitSecret, modelSecret, vaultKey)
    wipeDeviceKeys(kit)
  }
}

export interface OpenKit {
  readonly keys: DeviceKeys
  readonly kitSecret: Bytes
}

/** Throws CryptoError 'bad-words'. closeKit wipes it. */
export async function openKit(words: string): Promise<OpenKit> {
  const kitSecret = wordsToSecret(words)
  return { keys: await kitKeys(kitSecret), kitSecret }
}

export function closeKit(kit: OpenKit): void {
  wipeBytes(kit.kitSecret)
  wipeDeviceKeys(kit.keys)
}

export interface Recovered {
  readonly roster: Roster
  readonly modelSecret: Bytes
  readonly vaultKeys: VaultKeys
}

/** Vault keys of all epochs, from the newest grant and the links in the roster. Throws CryptoError 'damaged'. */
export async function openVaultKeys(
  roster: Roster,
  entries: readonly Uint8Array[],
  grants: readonly Uint8Array[],
  device: DeviceKeys,
  modelSecret: Uint8Array,
): Promise<VaultKeys> {
  let newest: { epoch: number; vaultKey: Bytes } | null = null
  for (const grant of grants) {
    const opened = await openGrant(grant, roster, device, modelSecret)
    if (newest === null || opened.epoch > newest.epoch) newest = opened
  }
  if (newest?.epoch !== roster.epoch)
    throw new CryptoError('damaged', 'The vault has no grant of the newest vault key for this device.')
  const keys = [{ epoch: newest.epoch, key: newest.vaultKey }]
  for (const encoded of [...entries].reverse()) {
    const { epoch, previousVaultKey } = rosterEntryMessage.decode(encoded)
    if (previousVaultKey === null) continue
    const { key } = present(keys[0], 'No vault key was opened.')
    keys.unshift({ epoch: epoch - 1, key: await openPreviousVaultKey(key, epoch, previousVaultKey) })
  }
  return keys
}

/**
 * What the kit opens. Throws FormatError or CryptoError where the vault's answer was changed; whether it is the newest
 * cannot be seen from the words alone: show the roster's date and the number of photos.
 */
export async function recover(
  kit: OpenKit,
  accountId: AccountId,
  vault: {
    readonly share: Uint8Array
    readonly entries: readonly Uint8Array[]
    readonly grants: readonly Uint8Array[]
  },
): Promise<Recovered> {
  const modelSecret = await openKitShare(vault.share, accountId, kit.keys, kit.kitSecret)
  const roster = await verifyRoster(vault.entries, accountId, modelSecret, null)
  if (roster.members.get(kit.keys.deviceId)?.isKit !== true)
    throw new CryptoError('wrong-object', 'This kit was replaced.')
  const vaultKeys = await openVaultKeys(roster, vault.entries, vault.grants, kit.keys, modelSecret)
  return { roster, modelSecret, vaultKeys }
}

export interface Joined {
  readonly roster: Roster
  readonly device: DeviceKeys
  readonly secrets: DeviceSecrets
  /** Body of POST /api/roster, before z.encode. On 409 fetch the roster and join again. */
  readonly request: { readonly entry: Bytes; readonly grants: Bytes[] }
}

/** Makes this browser a device of the account, vouched for by the kit. */
export async function joinWithKit(kit: OpenKit, recovered: Recovered): Promise<Joined> {
  const { modelSecret, vaultKeys } = recovered
  const device = await newDeviceKeys()
  const entry = await additionEntry(recovered.roster, 'add-device', device, kit.keys, modelSecret)
  const roster = await followRoster(recovered.roster, entry, modelSecret)
  const member = present(roster.members.get(device.deviceId), 'The new device is not in the roster.')
  const { key } = present(vaultKeys.at(-1), 'There is no vault key.')
  const grant = await sealGrant(roster, member, kit.keys, modelSecret, key)
  return {
    roster,
    device,
    secrets: secretsOf(roster.accountId, device, modelSecret, vaultKeys),
    request: { entry, grants: [grant] },
  }
}
