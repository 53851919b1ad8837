import { createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SECTION } from '../format/artifact'
import { accountIds, modelIds } from '../format/ids'
import { PROCESS } from '../format/suite'
import { utf8 } from '../lib/bytes'
import { sealArtifact, type Mask } from './artifact'
import { wrapDataKey } from './artifact-keys'
import { newArtifactId, randomBytes } from './random'

/** Leaves the bytes as they are, so that the seal can be looked at alone. */
const noMaskForTesting: Mask = {
  processId: PROCESS.torus32,
  apply: (_keys, _section, bytes) => Promise.resolve(new Uint8Array(bytes)),
  remove: (_keys, _section, bytes) => Promise.resolve(new Uint8Array(bytes)),
  removeChunk: (_keys, _section, _chunk, bytes) => Promise.resolve(new Uint8Array(bytes)),
}

const suite = Buffer.from([1, 0])
const derive = (ikm: Buffer, salt: Buffer, label: string, ...context: Buffer[]) => {
  const info = Buffer.concat([Buffer.from(`safelight/v1/${label}\0`), suite, ...context])
  return Buffer.from(hkdfSync('sha256', ikm, salt, info, 32))
}
function gcmOpen(key: Buffer, nonce: Buffer, aad: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(aad).setAuthTag(sealed.subarray(-16))
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
}

describe('the key schedule', () => {
  it('is the one of the protocol, followed with another library', async () => {
    const [modelSecret, weightsHash, vaultKey] = [randomBytes(32), randomBytes(32), randomBytes(32)]
    const account = randomBytes(32)
    const accountId = accountIds.fromBytes(account)
    const modelId = modelIds.fromBytes(randomBytes(32))
    const names = { accountId, artifactId: newArtifactId(), modelId, modelGeneration: 1 }
    const sealed = await sealArtifact({
      names,
      lock: { modelSecret, weightsHash },
      mask: noMaskForTesting,
      sections: [
        { id: SECTION.image, bytes: utf8('the image') },
        { id: SECTION.thumbnail, bytes: utf8('its thumbnail') },
      ],
      picture: { width: 2, height: 3, quality: 40, paddingRule: 'eighths' },
    })
    const header = { ...names, process: PROCESS.torus32, nonce: sealed.nonce }
    const wrapped = Buffer.from(await wrapDataKey(vaultKey, { accountId, header }, sealed.dataKey))
    const artifact = Buffer.from(sealed.bytes)
    const nonce = artifact.subarray(67, 91)
    const ids = Buffer.concat([
      artifact.subarray(8, 14), // format, suite, process
      artifact.subarray(16, 50), // model id, generation
      account,
      artifact.subarray(51, 67), // artifact id
    ])
    expect(ids.length).toBe(88)

    const wrapKey = derive(Buffer.from(vaultKey), nonce, 'wrap', ids)
    const dataKey = gcmOpen(wrapKey, wrapped.subarray(0, 12), ids, wrapped.subarray(12))
    const modelKey = derive(Buffer.from(modelSecret), nonce, 'model-lock', ids, Buffer.from(weightsHash))
    const both = Buffer.concat([dataKey, modelKey])
    expect(derive(both, nonce, 'commit', artifact.subarray(0, 128)).equals(artifact.subarray(128, 160))).toBe(
      true,
    )

    const aad = createHash('sha256').update(artifact.subarray(0, 160)).digest()
    const last = Buffer.from('000000000000000000000001', 'hex') // chunk 0, the last
    const thumbnailKey = derive(both, nonce, 'seal', ids, Buffer.from([2, 0]))
    const thumbnail = gcmOpen(thumbnailKey, last, aad, artifact.subarray(640, 640 + 4096 + 16))
    expect(thumbnail.subarray(0, 13).toString()).toBe('its thumbnail')
    const index = gcmOpen(
      derive(both, nonce, 'seal', ids, Buffer.from([0, 0])),
      last,
      aad,
      artifact.subarray(160, 640),
    )
    expect(index.readUInt16LE(0)).toBe(7)
  })
})
