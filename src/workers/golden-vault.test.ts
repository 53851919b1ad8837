/** The golden vault of format v1 (`npm run vectors` writes it): from 24 words to pixels, as the product opens it. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { createCodec } from '../codec/codec'
import { importSecret } from '../crypto/kdf'
import { personalModelSeed } from '../crypto/model-seed'
import { openGoldenVault, type GoldenPhoto, type GoldenVault } from '../crypto/vectors/golden'
import { CHUNK_BYTES, decodeHeader, SECTION } from '../format/artifact'
import { PROCESS } from '../format/suite'
import { present } from '../lib/assert'
import { parseBase64url, toHex, unsharedBytes } from '../lib/bytes'
import type { BaseModel } from '../model/base-model'
import { readModel, readyWasm } from '../training/node-model'
import { personalModel } from '../model/personal-model'
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

const text = readFileSync(new URL('../crypto/vectors/vault-v1.json', import.meta.url), 'utf8')
const golden = JSON.parse(text) as {
  readonly model: string
  readonly modelName: string
  readonly weightsHash: string
  readonly vault: GoldenVault
  readonly expected: readonly Expected[]
}

let model: BaseModel
let opened: Awaited<ReturnType<typeof openGoldenVault>>
beforeAll(async () => {
  await readyWasm()
  model = await readModel(golden.modelName)
  opened = await openGoldenVault(golden.vault)
})

const photoNamed = (name: string): GoldenPhoto =>
  present(
    opened.photos.find(({ photo }) => photo.name === name),
    `no ${name}`,
  )

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

describe('the golden vault', () => {
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

  it('names the production process in every artifact', () => {
    for (const { artifact } of opened.photos) expect(decodeHeader(artifact).process).toBe(PROCESS.torus32)
  })

  it('belongs to the personal model that its secret gives', async () => {
    expect(golden.model, 'the model changed: npm run vectors').toBe(toHex(model.id))
    const personal = await personalModel(model.weights, await personalModelSeed(opened.modelSecret, model.id))
    expect(toHex(personal.weightsHash)).toBe(golden.weightsHash)
  })

  it('restores every picture within 1 in 255, its thumbnail, and originals to the byte', async () => {
    const personal = await personalModel(model.weights, await personalModelSeed(opened.modelSecret, model.id))
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
      expect(worst, name).toBeLessThanOrEqual(1)

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
