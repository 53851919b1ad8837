/** Writing and verifying the roster (PROTOCOL §4): the rules are format's, the signatures and the MAC are here. */
import { FormatError } from '../format/errors'
import { HASH_BYTES } from '../format/hash'
import type { AccountId, DeviceId } from '../format/ids'
import type { PublicKeys } from '../format/keys'
import { extendRoster, type Member, type Roster } from '../format/roster'
import { rosterEntryMessage, type RosterAction, type RosterEntry } from '../format/roster-entry'
import { equalBytes, wipeBytes, type Bytes } from '../lib/bytes'
import type { DeviceKeys } from './device'
import { CryptoError } from './errors'
import { deriveKey, LABEL, type Secret } from './kdf'
import { hmac, verifyHmac } from './mac'
import { sign, verify } from './sign'

type RosterBody = Omit<RosterEntry, 'signature' | 'countersignature' | 'mac'>

async function withMacKey<T>(modelSecret: Secret, use: (key: Bytes) => Promise<T>): Promise<T> {
  const key = await deriveKey(modelSecret, null, LABEL.rosterMac)
  try {
    return await use(key)
  } finally {
    wipeBytes(key)
  }
}

async function finish(
  body: RosterBody,
  signer: DeviceKeys,
  countersignature: Bytes | null,
  modelSecret: Secret,
): Promise<Bytes> {
  const mac = await withMacKey(modelSecret, (key) => hmac(key, rosterEntryMessage.signedBytes(body, 'mac')))
  const signature = sign(signer.signSeed, rosterEntryMessage.signedBytes(body, 'signature'))
  return rosterEntryMessage.encode({ ...body, signature, countersignature, mac })
}

function bodyAfter(
  roster: Roster | null,
  action: RosterAction,
  subject: PublicKeys & { readonly deviceId: DeviceId },
  signer: DeviceId,
  previousVaultKey: Bytes | null,
): RosterBody {
  return {
    n: roster === null ? 0 : roster.n + 1,
    prevHash: roster === null ? new Uint8Array(HASH_BYTES) : roster.head,
    action,
    deviceId: subject.deviceId,
    signKey: new Uint8Array(subject.signKey),
    kemKey: new Uint8Array(subject.kemKey),
    epoch: (roster?.epoch ?? 1) + (action === 'remove' ? 1 : 0),
    signer,
    madeAt: Date.now(),
    previousVaultKey,
  }
}

/** Entry 0: the first device signs for itself. */
export async function genesisEntry(device: DeviceKeys, modelSecret: Secret): Promise<Bytes> {
  const body = bodyAfter(null, 'genesis', device, device.deviceId, null)
  return finish(body, device, countersign(body, device), modelSecret)
}

/** Adds a device or kit whose keys are at hand. */
export async function additionEntry(
  roster: Roster,
  action: 'add-device' | 'add-kit',
  newcomer: DeviceKeys,
  signer: DeviceKeys,
  modelSecret: Secret,
): Promise<Bytes> {
  const body = bodyAfter(roster, action, newcomer, signer.deviceId, null)
  return finish(body, signer, countersign(body, newcomer), modelSecret)
}

function countersign(body: RosterBody, newcomer: DeviceKeys): Bytes {
  return sign(newcomer.signSeed, rosterEntryMessage.signedBytes(body, 'countersignature'))
}

/** Begins an epoch. `previousVaultKey` is what sealPreviousVaultKey gave for the new one. */
export async function removalEntry(
  roster: Roster,
  removed: Member,
  signer: DeviceKeys,
  modelSecret: Secret,
  previousVaultKey: Bytes,
): Promise<Bytes> {
  const body = bodyAfter(roster, 'remove', removed, signer.deviceId, previousVaultKey)
  return finish(body, signer, null, modelSecret)
}

/** One more verified entry: rules, signatures and MAC. Throws FormatError, or CryptoError 'bad-mac'. */
export async function followRoster(
  roster: Roster | null,
  entry: Uint8Array,
  modelSecret: Secret,
): Promise<Roster> {
  const next = await extendRoster(roster, entry, verify)
  const decoded = rosterEntryMessage.decode(entry)
  const message = rosterEntryMessage.signedBytes(decoded, 'mac')
  const isOurs = await withMacKey(modelSecret, (key) => verifyHmac(key, message, decoded.mac))
  if (!isOurs) throw new CryptoError('bad-mac', 'A roster entry was not made by this account.')
  return next
}

/**
 * The whole roster from its first entry. `pinned` is the highest head this device saw: a roster that does not contain
 * it is an older or different one, FormatError 'bad-order'. Throws CryptoError 'wrong-object' for another account.
 */
export async function verifyRoster(
  entries: readonly Uint8Array[],
  accountId: AccountId,
  modelSecret: Secret,
  pinned: { readonly n: number; readonly head: Uint8Array } | null,
): Promise<Roster> {
  let roster: Roster | null = null
  for (const entry of entries) {
    roster = await followRoster(roster, entry, modelSecret)
    if (roster.accountId !== accountId)
      throw new CryptoError('wrong-object', 'This roster is of another account.')
  }
  if (roster === null) throw new FormatError('truncated', 'The roster is empty.')
  const seen = pinned === null ? undefined : roster.hashes[pinned.n]
  if (pinned !== null && (seen === undefined || !equalBytes(seen, pinned.head)))
    throw new FormatError('bad-order', 'The vault shows an older or different roster than this device saw.')
  return roster
}
