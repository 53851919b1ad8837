/** Random bytes for secrets, nonces and ids: WebCrypto and nothing else. */
import type { Bytes } from '../lib/bytes'
import { artifactIds, recordIds, type ArtifactId, type RecordId } from '../format/ids'

const MOST_PER_CALL = 65536

export function randomBytes(length: number): Bytes {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i += MOST_PER_CALL)
    crypto.getRandomValues(bytes.subarray(i, Math.min(length, i + MOST_PER_CALL)))
  return bytes
}

export const newArtifactId = (): ArtifactId => artifactIds.fromBytes(randomBytes(artifactIds.bytes))
export const newRecordId = (): RecordId => recordIds.fromBytes(randomBytes(recordIds.bytes))
