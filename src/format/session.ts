/** What a device signs to open a session (PROTOCOL §6). It never travels whole: each side builds it from what it knows. */
import { bytesField, defineMessage, idField, textField, type Values } from './message'
import { HASH_BYTES } from './hash'
import { accountIds, deviceIds } from './ids'
import { SIGNATURE_BYTES } from './keys'
import { MESSAGE_TYPE } from './message-types'

export const SESSION_NONCE_BYTES = 32

const body = {
  /** location.origin on the client, the configured origin on the server. */
  origin: textField(300),
  account: idField(accountIds),
  device: idField(deviceIds),
  serverNonce: bytesField(SESSION_NONCE_BYTES),
  clientNonce: bytesField(SESSION_NONCE_BYTES),
  /** Newest roster entry that the signer knows; zeros where it knows none yet, as a kit does in recovery. */
  rosterHead: bytesField(HASH_BYTES),
}

export const sessionMessage = defineMessage({
  type: MESSAGE_TYPE.session,
  name: 'session',
  body,
  proofs: { signature: bytesField(SIGNATURE_BYTES) },
})

export type SessionClaim = Values<typeof body>

export const sessionSignedBytes = (claim: SessionClaim) => sessionMessage.signedBytes(claim, 'signature')
