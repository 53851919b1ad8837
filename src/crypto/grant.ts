/** Vault keys sealed to devices (PROTOCOL §4): X-Wing beside a key from modelSecret, so that a broken KEM opens nothing. */
import { FormatError } from '../format/errors'
import { grantMessage, type Grant } from '../format/grant'
import { sha256 } from '../format/hash'
import { accountIds, deviceIds } from '../format/ids'
import type { Member, Roster } from '../format/roster'
import { concatBytes, equalBytes, u32, wipeBytes, type Bytes } from '../lib/bytes'
import { open, seal } from './aead'
import type { DeviceKeys } from './device'
import { CryptoError } from './errors'
import { deriveKey, LABEL, type Secret } from './kdf'
import { decapsulate, encapsulate } from './kem'
import { sign, verify } from './sign'

type GrantBody = Omit<Grant, 'signature'>
type GrantNames = Omit<GrantBody, 'encapsulation' | 'sealedVaultKey'>

function contextOf(grant: GrantNames): Bytes {
  return concatBytes(
    accountIds.toBytes(grant.account),
    u32(grant.epoch),
    deviceIds.toBytes(grant.granter),
    deviceIds.toBytes(grant.grantee),
    grant.granteeKeyHash,
    grant.rosterHead,
  )
}

async function grantKey(kemSecret: Uint8Array, modelSecret: Secret, context: Uint8Array): Promise<Bytes> {
  const psk = await deriveKey(modelSecret, null, LABEL.grantPsk)
  const both = concatBytes(kemSecret, psk)
  try {
    return await deriveKey(both, null, LABEL.grant, context)
  } finally {
    wipeBytes(psk, both)
  }
}

/** Seals the vault key of the roster's epoch to one of its members. */
export async function sealGrant(
  roster: Roster,
  grantee: Member,
  granter: DeviceKeys,
  modelSecret: Secret,
  vaultKey: Uint8Array,
): Promise<Bytes> {
  if (roster.members.get(grantee.deviceId) !== grantee)
    throw new FormatError('not-allowed', 'A vault key goes to members of the roster only.')
  const names: GrantNames = {
    account: roster.accountId,
    epoch: roster.epoch,
    granter: granter.deviceId,
    grantee: grantee.deviceId,
    granteeKeyHash: await sha256(grantee.kemKey),
    rosterHead: roster.head,
  }
  const { ciphertext, sharedSecret } = encapsulate(grantee.kemKey)
  const context = contextOf(names)
  const key = await grantKey(sharedSecret, modelSecret, context)
  try {
    const body: GrantBody = {
      ...names,
      encapsulation: ciphertext,
      sealedVaultKey: await seal(key, vaultKey, context),
    }
    return grantMessage.encode({
      ...body,
      signature: sign(granter.signSeed, grantMessage.signedBytes(body, 'signature')),
    })
  } finally {
    wipeBytes(sharedSecret, key)
  }
}

/**
 * Opens a grant to `device` against the verified roster. Throws FormatError 'not-allowed' or 'bad-signature' for one that
 * no member made, CryptoError 'wrong-object' for one to somebody else, 'damaged' if it does not open.
 */
export async function openGrant(
  encoded: Uint8Array,
  roster: Roster,
  device: DeviceKeys,
  modelSecret: Secret,
): Promise<{ readonly epoch: number; readonly vaultKey: Bytes }> {
  const grant = grantMessage.decode(encoded)
  if (
    grant.account !== roster.accountId ||
    grant.grantee !== device.deviceId ||
    !equalBytes(grant.granteeKeyHash, await sha256(device.kemKey))
  )
    throw new CryptoError('wrong-object', 'This grant is for another device.')
  const former = roster.former.get(grant.granter)
  const granter = roster.members.get(grant.granter) ?? former
  const known = roster.hashes.findIndex((hash) => equalBytes(hash, grant.rosterHead))
  const wasMember =
    granter !== undefined && known >= granter.since && (former === undefined || known < former.until)
  if (!wasMember || grant.epoch > roster.epoch)
    throw new FormatError('not-allowed', 'This grant was not made by a member of the roster.')
  if (!verify(granter.signKey, grantMessage.signedBytes(grant, 'signature'), grant.signature))
    throw new FormatError('bad-signature', 'This grant has a signature that does not verify.')
  const context = contextOf(grant)
  const sharedSecret = decapsulate(device.kemSeed, grant.encapsulation)
  const key = await grantKey(sharedSecret, modelSecret, context)
  try {
    return { epoch: grant.epoch, vaultKey: await open(key, grant.sealedVaultKey, context) }
  } finally {
    wipeBytes(sharedSecret, key)
  }
}

async function withLinkKey<T>(vaultKey: Secret, epoch: number, use: (key: Bytes) => Promise<T>): Promise<T> {
  const key = await deriveKey(vaultKey, null, LABEL.epochLink, u32(epoch))
  try {
    return await use(key)
  } finally {
    wipeBytes(key)
  }
}

/** The vault key of epoch - 1 sealed under that of `epoch`, for the roster entry that begins it. */
export function sealPreviousVaultKey(vaultKey: Secret, epoch: number, previous: Uint8Array): Promise<Bytes> {
  return withLinkKey(vaultKey, epoch, (key) => seal(key, previous, u32(epoch)))
}

/** Throws CryptoError 'damaged'. */
export function openPreviousVaultKey(vaultKey: Secret, epoch: number, sealed: Uint8Array): Promise<Bytes> {
  return withLinkKey(vaultKey, epoch, (key) => open(key, sealed, u32(epoch)))
}
