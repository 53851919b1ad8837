/**
 * The rules of the roster, as a pure step that the vault and every device apply alike: who may add or remove whom,
 * and in which order. Signatures are checked by the function passed in; the MAC is checked where the secret is.
 */
import { present } from '../lib/assert'
import { equalBytes, isZero, type Bytes } from '../lib/bytes'
import { FormatError } from './errors'
import { sha256 } from './hash'
import { accountIdOf, type AccountId, type DeviceId } from './ids'
import { deviceIdOf } from './keys'
import { rosterEntryMessage, type RosterEntry } from './roster-entry'

export const MAX_ROSTER_ENTRIES = 10_000

export type VerifySignature = (
  signKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>

export interface Member {
  readonly deviceId: DeviceId
  readonly isKit: boolean
  readonly signKey: Bytes
  readonly kemKey: Bytes
  /** Entry that added it. */
  readonly since: number
}

/** A member that was removed: what it signed before that stays good. */
export interface FormerMember extends Member {
  /** Entry that removed it. */
  readonly until: number
  /** Epoch that this entry began: nothing of it or later can be this member's. */
  readonly untilEpoch: number
}

/** State after some entry; never changed in place. */
export interface Roster {
  readonly accountId: AccountId
  /** Number of the newest entry. */
  readonly n: number
  /** Hash of the newest entry. */
  readonly head: Bytes
  readonly epoch: number
  readonly members: ReadonlyMap<DeviceId, Member>
  /** Hash of every entry, by n. */
  readonly hashes: readonly Bytes[]
  readonly former: ReadonlyMap<DeviceId, FormerMember>
}

function refuse(condition: boolean, message: string): void {
  if (condition) throw new FormatError('not-allowed', message)
}

function checkOrder(roster: Roster | null, entry: RosterEntry): void {
  const follows =
    roster === null
      ? entry.n === 0 && isZero(entry.prevHash) && entry.action === 'genesis'
      : entry.n === roster.n + 1 && equalBytes(entry.prevHash, roster.head) && entry.action !== 'genesis'
  if (!follows) throw new FormatError('bad-order', 'A roster entry does not follow the one before it.')
}

/** The member whose key signs the entry. */
function signerOf(roster: Roster | null, entry: RosterEntry, newcomer: Member): Member {
  if (roster === null) {
    refuse(entry.signer !== entry.deviceId, 'The first device must sign for itself.')
    return newcomer
  }
  const signer = roster.members.get(entry.signer)
  if (signer === undefined) throw new FormatError('not-allowed', 'A roster entry is signed by no member.')
  return signer
}

function checkRules(roster: Roster | null, entry: RosterEntry, signer: Member): void {
  const member = roster?.members.get(entry.deviceId)
  const isRemoval = entry.action === 'remove'
  const epochBefore = roster?.epoch ?? 1
  refuse(entry.epoch !== epochBefore + (isRemoval ? 1 : 0), 'A roster entry has the wrong epoch.')
  refuse(
    (entry.previousVaultKey !== null) !== isRemoval,
    'Only a removal carries the vault key of the epoch before.',
  )
  refuse((entry.countersignature === null) !== isRemoval, 'Only a newcomer countersigns, and always.')
  if (isRemoval) {
    refuse(member === undefined, 'Only a member can be removed.')
    refuse(member?.isKit === true, 'The kit cannot be removed.')
    refuse(entry.deviceId === signer.deviceId, 'A device cannot remove itself.')
  } else {
    const known = member !== undefined || roster?.former.has(entry.deviceId) === true
    refuse(known, 'A device joins once; after removal it needs new keys.')
    const hasKit = roster !== null && [...roster.members.values()].some(({ isKit }) => isKit)
    refuse(entry.action === 'add-kit' && hasKit, 'The account has a kit.')
  }
}

/**
 * The roster with one more entry; `roster` is null before the genesis entry.
 * Throws FormatError 'bad-order', 'not-allowed' or 'bad-signature', or what decoding throws.
 */
export async function extendRoster(
  roster: Roster | null,
  encoded: Uint8Array,
  verify: VerifySignature,
): Promise<Roster> {
  const entry = rosterEntryMessage.decode(encoded)
  checkOrder(roster, entry)
  if (entry.n >= MAX_ROSTER_ENTRIES) throw new FormatError('too-large', 'The roster is full.')
  if ((await deviceIdOf(entry)) !== entry.deviceId)
    throw new FormatError('bad-field', 'A device id does not belong to its keys.')
  const newcomer: Member = {
    deviceId: entry.deviceId,
    isKit: entry.action === 'add-kit',
    signKey: entry.signKey,
    kemKey: entry.kemKey,
    since: entry.n,
  }
  const signer = signerOf(roster, entry, newcomer)
  checkRules(roster, entry, signer)
  const { countersignature } = entry
  const isSigned =
    (await verify(signer.signKey, rosterEntryMessage.signedBytes(entry, 'signature'), entry.signature)) &&
    (countersignature === null ||
      (await verify(
        entry.signKey,
        rosterEntryMessage.signedBytes(entry, 'countersignature'),
        countersignature,
      )))
  if (!isSigned)
    throw new FormatError('bad-signature', 'A roster entry has a signature that does not verify.')

  const head = await sha256(encoded)
  const members = new Map(roster?.members)
  const former = new Map(roster?.former)
  if (entry.action === 'remove') {
    const removed = present(members.get(entry.deviceId), 'A removed device was no member.')
    former.set(entry.deviceId, { ...removed, until: entry.n, untilEpoch: entry.epoch })
    members.delete(entry.deviceId)
  } else members.set(entry.deviceId, newcomer)
  return {
    accountId: roster?.accountId ?? (await accountIdOf(encoded)),
    n: entry.n,
    head,
    epoch: entry.epoch,
    members,
    former,
    hashes: [...(roster?.hashes ?? []), head],
  }
}

/** The key of whoever may have signed in this epoch, or null. */
export function signKeyIn(roster: Roster, deviceId: DeviceId, epoch: number): Bytes | null {
  const former = roster.former.get(deviceId)
  const member = roster.members.get(deviceId)
  if (member !== undefined && epoch <= roster.epoch) return member.signKey
  return former !== undefined && epoch < former.untilEpoch ? former.signKey : null
}
