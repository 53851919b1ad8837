/**
 * The recovery kit (PROTOCOL §4): 24 words give the kit's keys and a pad; the vault keeps modelSecret XOR pad. Whoever
 * finds the words has everything; the vault's half alone is random. A tampered share fails the roster's MAC.
 */
import { FormatError } from '../format/errors'
import { kitShareMessage } from '../format/grant'
import type { AccountId } from '../format/ids'
import { wipeBytes, xorBytes, type Bytes } from '../lib/bytes'
import { deviceKeysFrom, type DeviceKeys } from './device'
import { checkLength, CryptoError } from './errors'
import { deriveKey, LABEL } from './kdf'
import { randomBytes } from './random'
import { sign, verify } from './sign'
import { KIT_SECRET_BYTES } from './words'

export const newKitSecret = (): Bytes => randomBytes(KIT_SECRET_BYTES)

/** The kit as a member of the roster. The caller wipes the keys. */
export async function kitKeys(kitSecret: Uint8Array): Promise<DeviceKeys> {
  checkLength(kitSecret, KIT_SECRET_BYTES, 'kit secret')
  return deviceKeysFrom(
    await deriveKey(kitSecret, null, LABEL.kitSign),
    await deriveKey(kitSecret, null, LABEL.kitKem),
  )
}

async function padded(kitSecret: Uint8Array, secret: Uint8Array): Promise<Bytes> {
  const pad = await deriveKey(kitSecret, null, LABEL.kitPad)
  try {
    return xorBytes(pad, secret)
  } finally {
    wipeBytes(pad)
  }
}

export async function makeKitShare(
  accountId: AccountId,
  kit: DeviceKeys,
  kitSecret: Uint8Array,
  modelSecret: Uint8Array,
): Promise<Bytes> {
  const body = { account: accountId, kitDeviceId: kit.deviceId, share: await padded(kitSecret, modelSecret) }
  return kitShareMessage.encode({
    ...body,
    signature: sign(kit.signSeed, kitShareMessage.signedBytes(body, 'signature')),
  })
}

/** modelSecret. Throws CryptoError 'wrong-object', or FormatError. */
export async function openKitShare(
  encoded: Uint8Array,
  accountId: AccountId,
  kit: DeviceKeys,
  kitSecret: Uint8Array,
): Promise<Bytes> {
  const share = kitShareMessage.decode(encoded)
  if (share.account !== accountId || share.kitDeviceId !== kit.deviceId)
    throw new CryptoError('wrong-object', 'This share belongs to another kit.')
  if (!verify(kit.signKey, kitShareMessage.signedBytes(share, 'signature'), share.signature))
    throw new FormatError('bad-signature', 'The kit share in the vault was changed.')
  return padded(kitSecret, share.share)
}
