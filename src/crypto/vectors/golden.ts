/**
 * One sealed artifact and one sealed record with everything that opens them, as plain text to be committed: what was
 * sealed once must open for ever. makeGolden draws new keys; openGolden opens what was kept.
 */
import { SECTION } from '../../format/artifact'
import { accountIds, artifactIds, modelIds, recordIds } from '../../format/ids'
import { present } from '../../lib/assert'
import { parseBase64url, toBase64url, utf8, type Bytes } from '../../lib/bytes'
import { openArtifact, sealArtifact, sealedSection, type Mask } from '../artifact'
import { unwrapDataKey, wrapDataKey } from '../artifact-keys'
import { newArtifactId, newRecordId, randomBytes } from '../random'
import { openRecord, sealRecord } from '../record'

export interface Golden {
  readonly modelSecret: string
  readonly weightsHash: string
  readonly vaultKey: string
  readonly accountId: string
  readonly artifactId: string
  readonly recordId: string
  readonly modelId: string
  readonly artifact: string
  readonly wrappedKey: string
  readonly record: string
}

const IMAGE = utf8('the image section of a golden artifact')
const THUMBNAIL = utf8('its thumbnail')
const BODY = { kind: 'golden', name: 'Föhn.jpg', unknown: { kept: [1, 2, 3] } }

export async function makeGolden(mask: Mask): Promise<Golden> {
  const [modelSecret, weightsHash, vaultKey] = [randomBytes(32), randomBytes(32), randomBytes(32)]
  const accountId = accountIds.fromBytes(randomBytes(32))
  const modelId = modelIds.fromBytes(randomBytes(32))
  const names = { accountId, artifactId: newArtifactId(), modelId, modelGeneration: 1 }
  const recordId = newRecordId()
  const { bytes, dataKey, nonce } = await sealArtifact({
    names,
    lock: { modelSecret, weightsHash },
    mask,
    sections: [
      { id: SECTION.image, bytes: IMAGE },
      { id: SECTION.thumbnail, bytes: THUMBNAIL },
    ],
    picture: { width: 2, height: 3, quality: 40, paddingRule: 'eighths' },
  })
  const context = { accountId, header: { ...names, process: mask.processId, nonce } }
  const record = await sealRecord({
    names: { accountId, recordId, version: 1 },
    epoch: 1,
    modelId,
    modelGeneration: 1,
    modelSecret,
    vaultKey,
    body: BODY,
  })
  return {
    modelSecret: toBase64url(modelSecret),
    weightsHash: toBase64url(weightsHash),
    vaultKey: toBase64url(vaultKey),
    accountId,
    artifactId: names.artifactId,
    recordId,
    modelId,
    artifact: toBase64url(bytes),
    wrappedKey: toBase64url(await wrapDataKey(vaultKey, context, dataKey)),
    record: toBase64url(record),
  }
}

function bytesOf(text: string): Bytes {
  return present(parseBase64url(text), 'A golden file is not base64url.')
}

/** What the golden artifact and record hold; throws what opening throws. */
export async function openGolden(golden: Golden, mask: Mask) {
  const accountId = accountIds.fromBytes(bytesOf(golden.accountId))
  const artifactId = artifactIds.fromBytes(bytesOf(golden.artifactId))
  const modelId = modelIds.fromBytes(bytesOf(golden.modelId))
  const recordId = recordIds.fromBytes(bytesOf(golden.recordId))
  const names = { accountId, artifactId, modelId, modelGeneration: 1 }
  const first = bytesOf(golden.artifact)
  const modelSecret = bytesOf(golden.modelSecret)
  const vaultKey = bytesOf(golden.vaultKey)
  const header = { ...names, process: mask.processId, nonce: first.slice(67, 91) }
  const dataKey = await unwrapDataKey(vaultKey, { accountId, header }, bytesOf(golden.wrappedKey))
  const lock = { modelSecret, weightsHash: bytesOf(golden.weightsHash) }
  const reader = await openArtifact({ first, names, lock, mask, dataKey })
  const sections: Bytes[] = []
  for (const entry of reader.index.sections)
    sections.push(await reader.section(entry.id, sealedSection(first, entry)))
  const recordNames = { accountId, recordId, version: 1 }
  const { body } = await openRecord(bytesOf(golden.record), recordNames, modelSecret, () => vaultKey)
  return { sections, body }
}

/** What openGolden must give. */
export const goldenContent = { sections: [THUMBNAIL, IMAGE], body: BODY }
