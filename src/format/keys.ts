/** Lengths of suite 1, and the id that a device's public keys give it. */
import { concatBytes, utf8 } from '../lib/bytes'
import { FormatError } from './errors'
import { sha256 } from './hash'
import { deviceIds, type DeviceId } from './ids'
import { LABEL_PREFIX } from './suite'

export const SIGN_PUBLIC_BYTES = 32
export const SIGNATURE_BYTES = 64
export const KEM_PUBLIC_BYTES = 1216
export const KEM_CIPHERTEXT_BYTES = 1120
export const MAC_BYTES = 32
/** 96-bit nonce, drawn by seal, before the ciphertext; 128-bit tag after it. */
export const SEAL_OVERHEAD_BYTES = 28
export const SECRET_BYTES = 32
export const SEALED_SECRET_BYTES = SECRET_BYTES + SEAL_OVERHEAD_BYTES

export interface PublicKeys {
  /** Ed25519 */
  readonly signKey: Uint8Array
  /** X-Wing encapsulation key */
  readonly kemKey: Uint8Array
}

/** SHA-256(label ‖ 0x00 ‖ Ed25519 key ‖ X-Wing key). */
export async function deviceIdOf({ signKey, kemKey }: PublicKeys): Promise<DeviceId> {
  if (signKey.length !== SIGN_PUBLIC_BYTES || kemKey.length !== KEM_PUBLIC_BYTES)
    throw new FormatError('bad-field', 'A public key has the wrong length.')
  return deviceIds.fromBytes(
    await sha256(concatBytes(utf8(`${LABEL_PREFIX}device-id`), Uint8Array.of(0), signKey, kemKey)),
  )
}
