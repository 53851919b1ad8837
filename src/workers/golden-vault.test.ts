/** The golden vaults of every released model (`npm run vectors` writes them): from 24 words to pixels, as the product opens them. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { createCodec } from '../codec/codec'
import { largestDifference } from '../codec/exactness'
import { importSecret } from '../crypto/kdf'
import { openGoldenVault, type GoldenPhoto, type GoldenVault } from '../crypto/vectors/golden'
import { CHUNK_BYTES, decodeHeader, SECTION } from '../format/artifact'
import { modelIds } from '../format/ids'
import { PROCESS } from '../format/suite'
import { present } from '../lib/assert'
import { parseBase64url, toHex, unsharedBytes } from '../lib/bytes'
import type { BaseModel } from '../model/base-model'
import { RELEASED_MODELS } from '../model/released-models'
import { goldenVaultOf } from '../training/golden-files'
import { readModel, readyWasm } from '../training/node-model'
import { personalModelOf } from './model-codecs'
import { openBeginning, openSection, type ArtifactKey } from './sealing'

interface Expected {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly hasAlpha: boolean
  /** RGBA, deflated. */
  readonly pixels: string
  /** SHA-256, or null where none was kept. */
  readonly original: string | null
}

interface Golden {
  readonly model: string
  readonly weightsHash: string
  readonly vault: GoldenVault
  readonly expected: readonly Expected[]
}

beforeAll(async () => {
  await readyWasm()
})

async function keyOf({ photo, names, modelSecret, vaultKey }: GoldenPhoto): Promise<ArtifactKey> {
  const { wrappedKey, weightsHash } = photo.artifact
  return {
    names,
    wrappedKey: present(parseBase64url(wrappedKey), 'no key'),
    locks: {
      modelSecret: await importSecret(modelSecret),
      vaultKey: await importSecret(vaultKey),
      weightsHash: present(parseBase64url(weightsHash), 'no hash'),
    },
  }
}
const fileOf = ({ artifact }: GoldenPhoto) => new Blob([unsharedBytes(artifact)])

describe.each(RELEASED_MODELS)('the golden vault of $name', (released) => {
  const golden = JSON.parse(readFileSync(goldenVaultOf(released), 'utf8')) as Golden
  let model: BaseModel
  let opened: Awaited<ReturnType<typeof openGoldenVault>>

  beforeAll(async () => {
    model = await readModel(released.name)
    opened = await openGoldenVault(golden.vault)
  })

  const photoNamed = (name: string): GoldenPhoto =>
    present(
      opened.photos.find(({ photo }) => photo.name === name),
      `no ${name}`,
    )

  it('opens from its 24 words: roster, two epochs, chains and records', () => {
    expect(golden.expected.length).toBeGreaterThanOrEqual(6)
    expect(opened.photos.map(({ photo }) => photo.name).sort()).toEqual(
      golden.expected.map(({ name }) => name).sort(),
    )
    expect(new Set(opened.entries.map(({ device }) => device)).size).toBe(2)
    expect(new Set(opened.entries.map(({ epoch }) => epoch))).toEqual(new Set([1, 2]))
    expect(opened.entries.some(({ action }) => action === 'delete')).toBe(true)
    const edited = photoNamed(golden.expected[0]!.name)
    expect([edited.version, edited.photo['caption']]).toEqual([2, 'a second version'])
    for (const { photo } of opened.photos) expect(photo['unknown']).toEqual({ kept: [1, null, 'Föhn'] })
  })

  it('names the production process and its model in every artifact', () => {
    const modelId = modelIds.fromBytes(model.id)
    for (const { artifact } of opened.photos)
      expect(decodeHeader(artifact)).toMatchObject({ process: PROCESS.torus32, modelId })
  })

  it('belongs to the personal model that its secret gives', async () => {
    expect([golden.model, toHex(model.id)]).toEqual([released.id, released.id])
    const personal = await personalModelOf(model, opened.modelSecret)
    expect(toHex(personal.weightsHash)).toBe(golden.weightsHash)
  })

  it('restores every picture as far as the model goes to the bit, its thumbnail, and originals to the byte', async () => {
    const personal = await personalModelOf(model, opened.modelSecret)
    const codec = createCodec(personal.weights)
    let longest = 0
    for (const { name, width, height, hasAlpha, pixels, original } of golden.expected) {
      const photo = photoNamed(name)
      const key = await keyOf(photo)
      const restored = await codec.decode(await openSection(key, fileOf(photo), SECTION.image))
      expect([restored.width, restored.height, restored.hasAlpha], name).toEqual([width, height, hasAlpha])
      const expected = inflateRawSync(Buffer.from(pixels, 'base64'))
      expect(restored.data.length).toBe(expected.length)
      const worst = expected.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - restored.data[i]!)),
        0,
      )
      expect(worst, name).toBeLessThanOrEqual(largestDifference(model.weights.config))

      const preview = present(await openBeginning(key, fileOf(photo), SECTION.thumbnail), 'no thumbnail')
      const thumbnail = await codec.decode(preview.bytes)
      expect([thumbnail.width, thumbnail.height], name).toEqual([width, height])

      expect(photo.photo.keptOriginal).toBe(original !== null)
      if (original === null) continue
      const file = await openSection(key, fileOf(photo), SECTION.original)
      expect(createHash('sha256').update(file).digest('hex'), name).toBe(original)
      expect(file.length).toBe(photo.photo.originalBytes)
      longest = Math.max(longest, file.length)
    }
    expect(longest).toBeGreaterThan(CHUNK_BYTES)
    codec.dispose()
  })
})
