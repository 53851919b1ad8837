/**
 * The golden vault of format v1 with a released model, src/crypto/vectors/vault-v<n>.json: pictures of several sizes,
 * with and without alpha and original, padded by both rules, coded under a personal model of its own, sealed by two
 * devices in two epochs; with the pixels that they restore to. src/workers/golden-vault.test.ts opens it all.
 */
import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import sharp from 'sharp'
import { createCodec } from '../codec/codec'
import type { RasterImage } from '../codec/types'
import { personalModelSeed } from '../crypto/model-seed'
import { sealGoldenVault, type GoldenPicture } from '../crypto/vectors/golden'
import { createMask } from '../diffusion/mask'
import { toHex } from '../lib/bytes'
import type { BaseModel } from '../model/base-model'
import { personalModel } from '../model/personal-model'
import { proceduralImage } from '../training/procedural-images'

const THUMBNAIL_QUALITY = 36

interface Recipe extends Pick<GoldenPicture, 'name' | 'width' | 'height' | 'quality' | 'paddingRule'> {
  readonly hasAlpha?: boolean
  readonly original?: 'jpeg' | 'plain-png'
}

/** The last two are sealed in the second epoch. The plain PNG is longer than one chunk. */
const RECIPES: readonly Recipe[] = [
  { name: 'one pixel.png', width: 1, height: 1, quality: 34, paddingRule: 'eighths' },
  { name: 'odd sides, alpha.png', width: 43, height: 37, quality: 34, paddingRule: 'halves', hasAlpha: true },
  {
    name: 'with its original.jpg',
    width: 48,
    height: 32,
    quality: 48,
    paddingRule: 'halves',
    original: 'jpeg',
  },
  { name: 'two tiles.png', width: 520, height: 7, quality: 24, paddingRule: 'eighths' },
  {
    name: 'long original.png',
    width: 800,
    height: 28,
    quality: 0,
    paddingRule: 'eighths',
    original: 'plain-png',
  },
  { name: 'Föhn über Zürich.png', width: 51, height: 35, quality: 63, paddingRule: 'halves', hasAlpha: true },
]

function draw({ width, height, hasAlpha = false }: Recipe, seed: number): RasterImage {
  const side = Math.max(16, width)
  const scene = proceduralImage(seed, side, Math.max(16, height))
  const data = new Uint8ClampedArray(4 * width * height)
  for (let i = 0; i < width * height; i++) {
    const from = 3 * (((i / width) | 0) * side + (i % width))
    data.set(scene.subarray(from, from + 3), 4 * i)
    data[4 * i + 3] = hasAlpha ? 3 * i : 255
  }
  return { width, height, hasAlpha, colorSpace: seed & 1 ? 'display-p3' : 'srgb', data }
}

async function fileOf(kind: Recipe['original'], { width, height, data }: RasterImage) {
  if (kind === undefined) return null
  const picture = sharp(Buffer.from(data), { raw: { width, height, channels: 4 } }).removeAlpha()
  return kind === 'jpeg'
    ? { bytes: new Uint8Array(await picture.jpeg().toBuffer()), mediaType: 'image/jpeg' }
    : { bytes: new Uint8Array(await picture.png({ compressionLevel: 0 }).toBuffer()), mediaType: 'image/png' }
}

export async function goldenVault(base: BaseModel): Promise<object> {
  const expected: unknown[] = []
  let weightsHash = ''
  const vault = await sealGoldenVault(createMask(), async (modelSecret) => {
    const personal = await personalModel(base.weights, await personalModelSeed(modelSecret, base.id))
    weightsHash = toHex(personal.weightsHash)
    const codec = createCodec(personal.weights)
    const pictures: GoldenPicture[] = []
    for (const [i, recipe] of RECIPES.entries()) {
      const { name, width, height, quality, paddingRule, hasAlpha = false } = recipe
      const picture = draw(recipe, 777 + i)
      const image = await codec.encode(picture, { quality, effort: i & 1 ? 'fast' : 'best' })
      const thumbnail = await codec.encode(picture, { quality: THUMBNAIL_QUALITY, effort: 'fast' })
      const original = await fileOf(recipe.original, picture)
      pictures.push({ name, width, height, quality, paddingRule, image, thumbnail, original })
      expected.push({
        ...{ name, width, height, hasAlpha, paddingRule },
        pixels: deflateRawSync((await codec.decode(image)).data, { level: 9 }).toString('base64'),
        original: original === null ? null : createHash('sha256').update(original.bytes).digest('hex'),
      })
    }
    codec.dispose()
    return { modelId: base.id, weightsHash: personal.weightsHash, pictures }
  })
  return { weightsHash, vault, expected }
}
