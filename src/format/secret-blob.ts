/**
 * A device's secrets at rest (PROTOCOL §1): one payload sealed under a random blob key, and that key sealed once per
 * unlocker. What an unlocker needs to rebuild its key (a passkey's salt, Argon2id's salt and cost) is its `parameters`.
 */
import { bytesBetween, bytesField, choiceField, defineMessage, idField, listField, u32Field } from './message'
import { accountIds } from './ids'
import { SEAL_OVERHEAD_BYTES, SEALED_SECRET_BYTES, SECRET_BYTES } from './keys'
import { MESSAGE_TYPE } from './message-types'

export const MAX_UNLOCKERS = 16
export const MAX_EPOCHS = 10_000
/** stored-key: a WebCrypto key in this browser's profile, no lock. The other two are locks. */
export const UNLOCKER_KIND = { 'stored-key': 1, passkey: 2, passphrase: 3 } as const
export type UnlockerKind = keyof typeof UNLOCKER_KIND

export const deviceSecretsMessage = defineMessage({
  type: MESSAGE_TYPE.deviceSecrets,
  name: 'device-secrets',
  body: {
    account: idField(accountIds),
    signSeed: bytesField(SECRET_BYTES),
    kemSeed: bytesField(SECRET_BYTES),
    modelSecret: bytesField(SECRET_BYTES),
    /** The newest epoch last; every older one too. */
    vaultKeys: listField({ epoch: u32Field, key: bytesField(SECRET_BYTES) }, MAX_EPOCHS),
  },
  proofs: {},
})
export type DeviceSecrets = ReturnType<typeof deviceSecretsMessage.decode>

export const secretBlobMessage = defineMessage({
  type: MESSAGE_TYPE.secretBlob,
  name: 'secret-blob',
  body: {
    unlockers: listField(
      {
        kind: choiceField(UNLOCKER_KIND),
        parameters: bytesBetween(0, 1024),
        sealedBlobKey: bytesField(SEALED_SECRET_BYTES),
      },
      MAX_UNLOCKERS,
    ),
  },
  proofs: { sealed: bytesBetween(SEAL_OVERHEAD_BYTES, deviceSecretsMessage.maxBytes + SEAL_OVERHEAD_BYTES) },
})
