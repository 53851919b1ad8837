/**
 * One entry of the roster: the only list of an account's devices (PROTOCOL §4). An entry is signed by a member,
 * countersigned by the newcomer it adds, and carries a MAC that only holders of modelSecret can make.
 * The hash of an entry is SHA-256 of its whole encoding; the account id is that of entry 0.
 */
import { bytesField, choiceField, defineMessage, idField, optionalBytes, u32Field, u64Field } from './message'
import { HASH_BYTES } from './hash'
import { deviceIds } from './ids'
import { KEM_PUBLIC_BYTES, MAC_BYTES, SEALED_SECRET_BYTES, SIGNATURE_BYTES, SIGN_PUBLIC_BYTES } from './keys'
import { MESSAGE_TYPE } from './message-types'

export const ROSTER_ACTION = { genesis: 1, 'add-device': 2, 'add-kit': 3, remove: 4 } as const
export type RosterAction = keyof typeof ROSTER_ACTION

export const rosterEntryMessage = defineMessage({
  type: MESSAGE_TYPE.rosterEntry,
  name: 'roster-entry',
  body: {
    n: u32Field,
    /** Hash of entry n - 1; zeros in entry 0. */
    prevHash: bytesField(HASH_BYTES),
    action: choiceField(ROSTER_ACTION),
    /** The device added or removed. */
    deviceId: idField(deviceIds),
    signKey: bytesField(SIGN_PUBLIC_BYTES),
    kemKey: bytesField(KEM_PUBLIC_BYTES),
    /** The epoch from this entry on: one more than before in a removal, unchanged otherwise; 1 in entry 0. */
    epoch: u32Field,
    signer: idField(deviceIds),
    /** Clock of the signer, ms since 1970, for people to read; nothing is decided by it. */
    madeAt: u64Field,
    /** Where the epoch begins here: the vault key of the epoch before, sealed under this one's. */
    previousVaultKey: optionalBytes(SEALED_SECRET_BYTES),
  },
  proofs: {
    signature: bytesField(SIGNATURE_BYTES),
    /** By the device added; absent in a removal. */
    countersignature: optionalBytes(SIGNATURE_BYTES),
    mac: bytesField(MAC_BYTES),
  },
})

export type RosterEntry = ReturnType<typeof rosterEntryMessage.decode>
