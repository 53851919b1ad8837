/** The seed of the personal model: what src/model draws the random media transform from. */
import type { Bytes } from '../lib/bytes'
import { deriveKey, LABEL, type Secret } from './kdf'

/** HKDF(modelSecret, "personal-model" ‖ SHA-256 of the base model's files), 32 bytes; the caller wipes it. */
export function personalModelSeed(modelSecret: Secret, baseModelId: Uint8Array): Promise<Bytes> {
  return deriveKey(modelSecret, null, LABEL.personalModel, baseModelId)
}
