/** A device's own keys, and a kit's: the same two seeds, random for a device, derived from 24 words for a kit. */
import { deviceIdOf, type PublicKeys } from '../format/keys'
import type { DeviceId } from '../format/ids'
import { wipeBytes, type Bytes } from '../lib/bytes'
import { KEM_SEED_BYTES, kemPublicKey } from './kem'
import { randomBytes } from './random'
import { SIGN_SEED_BYTES, signPublicKey } from './sign'

export interface DeviceKeys extends PublicKeys {
  readonly deviceId: DeviceId
  readonly signKey: Bytes
  readonly kemKey: Bytes
  readonly signSeed: Bytes
  readonly kemSeed: Bytes
}

/** Takes over the seeds: they are wiped with wipeDeviceKeys. */
export async function deviceKeysFrom(signSeed: Bytes, kemSeed: Bytes): Promise<DeviceKeys> {
  const signKey = signPublicKey(signSeed)
  const kemKey = kemPublicKey(kemSeed)
  return { deviceId: await deviceIdOf({ signKey, kemKey }), signKey, kemKey, signSeed, kemSeed }
}

export function newDeviceKeys(): Promise<DeviceKeys> {
  return deviceKeysFrom(randomBytes(SIGN_SEED_BYTES), randomBytes(KEM_SEED_BYTES))
}

export function wipeDeviceKeys(keys: DeviceKeys): void {
  wipeBytes(keys.signSeed, keys.kemSeed)
}
