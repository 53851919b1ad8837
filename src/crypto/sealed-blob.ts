/**
 * A device's secrets at rest (PROTOCOL §1). The key-encryption key of each unlocker is passed in as a non-extractable
 * AES-GCM CryptoKey: one stored in the profile (newStoredKey) where there is no lock, later one from a passkey's PRF or
 * from Argon2id (importSealKey). Removing an unlocker draws a new blob key.
 */
import {
  deviceSecretsMessage,
  secretBlobMessage,
  UNLOCKER_KIND,
  type DeviceSecrets,
  type UnlockerKind,
} from '../format/secret-blob'
import { concatBytes, u16, wipeBytes, type Bytes } from '../lib/bytes'
import { open, seal } from './aead'
import { CryptoError } from './errors'
import { randomBytes } from './random'

export interface Unlocker {
  readonly kind: UnlockerKind
  readonly parameters: Uint8Array
  readonly kek: CryptoKey
}

export interface UnlockerInfo {
  readonly kind: UnlockerKind
  readonly parameters: Bytes
}

/** A key that scripts cannot read, but that whoever copies the browser profile has. */
export function newStoredKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

const aadOf = ({ kind, parameters }: { kind: UnlockerKind; parameters: Uint8Array }) =>
  concatBytes(u16(UNLOCKER_KIND[kind]), parameters)

async function sealUnder(payload: Uint8Array, unlockers: readonly Unlocker[]): Promise<Bytes> {
  const blobKey = randomBytes(32)
  try {
    const rows = []
    for (const { kind, parameters, kek } of unlockers) {
      const sealedBlobKey = await seal(kek, blobKey, aadOf({ kind, parameters }))
      rows.push({ kind, parameters: new Uint8Array(parameters), sealedBlobKey })
    }
    const body = { unlockers: rows }
    const sealed = await seal(blobKey, payload, secretBlobMessage.bodyBytes(body))
    return secretBlobMessage.encode({ ...body, sealed })
  } finally {
    wipeBytes(blobKey)
  }
}

/** Seals anew, under a new blob key: so unlockers are added, removed and replaced too. The secrets stay the caller's. */
export async function sealDeviceSecrets(
  secrets: DeviceSecrets,
  unlockers: readonly Unlocker[],
): Promise<Bytes> {
  if (unlockers.length === 0) throw new CryptoError('bad-key', 'A sealed blob needs at least one unlocker.')
  const payload = deviceSecretsMessage.encode(secrets)
  try {
    return await sealUnder(payload, unlockers)
  } finally {
    wipeBytes(payload)
  }
}

/** Which unlockers a blob has, before any is tried. Throws FormatError. */
export function readUnlockers(blob: Uint8Array): readonly UnlockerInfo[] {
  return secretBlobMessage.decode(blob).unlockers.map(({ kind, parameters }) => ({ kind, parameters }))
}

/** Throws CryptoError 'cannot-unlock' where no unlocker of this kind answers to the key, 'damaged' where the blob does not. */
export async function openDeviceSecrets(
  blob: Uint8Array,
  kind: UnlockerKind,
  kek: CryptoKey,
): Promise<DeviceSecrets> {
  const { sealed, ...body } = secretBlobMessage.decode(blob)
  for (const unlocker of body.unlockers) {
    if (unlocker.kind !== kind) continue
    const blobKey = await open(kek, unlocker.sealedBlobKey, aadOf(unlocker)).catch(() => null)
    if (blobKey === null) continue
    let payload: Bytes | null = null
    try {
      payload = await open(blobKey, sealed, secretBlobMessage.bodyBytes(body))
      return deviceSecretsMessage.decode(payload)
    } finally {
      wipeBytes(blobKey, payload)
    }
  }
  throw new CryptoError('cannot-unlock', 'This key does not open the secrets of this device.')
}
