/** A vault key sealed to one device, and the half of modelSecret that the vault keeps for the kit (PROTOCOL §4). */
import { bytesField, defineMessage, idField, u32Field } from './message'
import { HASH_BYTES } from './hash'
import { accountIds, deviceIds } from './ids'
import { KEM_CIPHERTEXT_BYTES, SEALED_SECRET_BYTES, SECRET_BYTES, SIGNATURE_BYTES } from './keys'
import { MESSAGE_TYPE } from './message-types'

export const grantMessage = defineMessage({
  type: MESSAGE_TYPE.grant,
  name: 'grant',
  body: {
    account: idField(accountIds),
    epoch: u32Field,
    granter: idField(deviceIds),
    grantee: idField(deviceIds),
    /** SHA-256 of the grantee's X-Wing encapsulation key. */
    granteeKeyHash: bytesField(HASH_BYTES),
    /** Hash of the newest roster entry the granter knew, the grantee's own or a later one. */
    rosterHead: bytesField(HASH_BYTES),
    encapsulation: bytesField(KEM_CIPHERTEXT_BYTES),
    sealedVaultKey: bytesField(SEALED_SECRET_BYTES),
  },
  proofs: { signature: bytesField(SIGNATURE_BYTES) },
})

export type Grant = ReturnType<typeof grantMessage.decode>

export const kitShareMessage = defineMessage({
  type: MESSAGE_TYPE.kitShare,
  name: 'kit-share',
  body: {
    account: idField(accountIds),
    kitDeviceId: idField(deviceIds),
    /** modelSecret XOR the kit's pad: random without the words. */
    share: bytesField(SECRET_BYTES),
  },
  /** By the kit's own key. */
  proofs: { signature: bytesField(SIGNATURE_BYTES) },
})
