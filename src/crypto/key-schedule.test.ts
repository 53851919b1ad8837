import { createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { PROCESS } from '../format/suite'
import type { Mask } from './artifact'
import { goldenContent, makeGolden, openGolden } from './vectors/golden'

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
    const golden = await makeGolden(noMaskForTesting)
    const text = (name: keyof typeof golden) => Buffer.from(golden[name], 'base64url')
    const artifact = text('artifact')
    const nonce = artifact.subarray(67, 91)
    const ids = Buffer.concat([
      artifact.subarray(8, 14), // format, suite, process
      artifact.subarray(16, 50), // model id, generation
      text('accountId'),
      artifact.subarray(51, 67), // artifact id
    ])
    expect(ids.length).toBe(88)

    const wrapped = text('wrappedKey')
    const wrapKey = derive(text('vaultKey'), nonce, 'wrap', ids)
    const dataKey = gcmOpen(wrapKey, wrapped.subarray(0, 12), ids, wrapped.subarray(12))
    const modelKey = derive(text('modelSecret'), nonce, 'model-lock', ids, text('weightsHash'))
    const both = Buffer.concat([dataKey, modelKey])
    expect(derive(both, nonce, 'commit', artifact.subarray(0, 128)).equals(artifact.subarray(128, 160))).toBe(
      true,
    )

    const aad = createHash('sha256').update(artifact.subarray(0, 160)).digest()
    const last = Buffer.from('000000000000000000000001', 'hex') // chunk 0, the last
    const thumbnailKey = derive(both, nonce, 'seal', ids, Buffer.from([2, 0]))
    const thumbnail = gcmOpen(thumbnailKey, last, aad, artifact.subarray(4096, 4096 + 4096 + 16))
    const [expected] = goldenContent.sections
    expect(thumbnail.subarray(0, expected?.length).toString()).toBe('its thumbnail')
    const index = gcmOpen(
      derive(both, nonce, 'seal', ids, Buffer.from([0, 0])),
      last,
      aad,
      artifact.subarray(160, 4096),
    )
    expect(index.readUInt16LE(0)).toBe(7)
  })

  it('opens what it sealed', async () => {
    expect(await openGolden(await makeGolden(noMaskForTesting), noMaskForTesting)).toEqual(goldenContent)
  })
})
