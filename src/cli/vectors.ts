/**
 *     npm run vectors [-- streams tile vault hashes]
 *
 *   streams   the golden streams of the codec, src/codec/vectors/streams-v<n>.json: small procedural pictures of awkward
 *             sizes, coded with the model, with the hash of their symbols and the pixels that they restore to
 *   tile      the tile that engines are probed with, in src/workers/vectors/probe-tiles.json
 *   vault     the golden vault of format v1, src/crypto/vectors/vault-v<n>.json (golden-vault.ts)
 *   hashes    the golden hashes of personal weights, in src/model/vectors/weights-hashes.json (weights-hashes.ts)
 *
 * All of them unless some are named, for every released model that has none yet. What is there is never written again:
 * it must stay readable.
 */
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { deflateRawSync } from 'node:zlib'
import { parseBitstream } from '../codec/bitstream'
import { createCodec } from '../codec/codec'
import { readSymbols } from '../codec/symbols'
import type { Codec, Effort, RasterImage } from '../codec/types'
import { toHex } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import type { BaseModel } from '../model/base-model'
import { RELEASED_MODELS } from '../model/released-models'
import { goldenStreamsOf, goldenVaultOf, PROBE_TILES } from '../training/golden-files'
import { proceduralImage } from '../training/procedural-images'
import { goldenVault } from './golden-vault'
import { readModel, readyWasm } from '../training/node-model'
import { writeWeightsHashes } from './weights-hashes'

type Kind = 'scene' | 'noise' | 'flat' | 'checks'

interface Recipe {
  readonly name: string
  readonly kind: Kind
  readonly width: number
  readonly height: number
  readonly quality: number
  readonly effort: Effort
  readonly hasAlpha?: boolean
}

const RECIPES: readonly Recipe[] = [
  { name: 'one pixel', kind: 'flat', width: 1, height: 1, quality: 34, effort: 'fast' },
  { name: 'one pixel wide', kind: 'scene', width: 1, height: 61, quality: 63, effort: 'best' },
  { name: 'one pixel high', kind: 'scene', width: 83, height: 1, quality: 20, effort: 'fast' },
  { name: 'smaller than a block', kind: 'scene', width: 13, height: 7, quality: 63, effort: 'fast' },
  { name: 'odd sides', kind: 'scene', width: 67, height: 43, quality: 34, effort: 'best' },
  {
    name: 'odd sides with alpha',
    kind: 'scene',
    width: 43,
    height: 37,
    quality: 34,
    effort: 'fast',
    hasAlpha: true,
  },
  { name: 'the coarsest step', kind: 'scene', width: 96, height: 64, quality: 0, effort: 'best' },
  { name: 'the finest step', kind: 'scene', width: 64, height: 48, quality: 63, effort: 'best' },
  { name: 'noise at the finest step', kind: 'noise', width: 48, height: 32, quality: 63, effort: 'fast' },
  { name: 'black and white checks', kind: 'checks', width: 40, height: 40, quality: 63, effort: 'best' },
  { name: 'one colour', kind: 'flat', width: 200, height: 17, quality: 10, effort: 'fast' },
  { name: 'two tiles side by side', kind: 'scene', width: 560, height: 18, quality: 45, effort: 'fast' },
  {
    name: 'two tiles one above the other',
    kind: 'scene',
    width: 21,
    height: 531,
    quality: 27,
    effort: 'best',
  },
  {
    name: 'very long with alpha',
    kind: 'checks',
    width: 2300,
    height: 3,
    quality: 50,
    effort: 'fast',
    hasAlpha: true,
  },
]

function draw({ kind, width, height, hasAlpha = false }: Recipe, seed: number): RasterImage {
  const random = makePrng(seed)
  const scene = kind === 'scene' ? proceduralImage(seed, Math.max(16, width), Math.max(16, height)) : null
  const stride = Math.max(16, width)
  const data = new Uint8ClampedArray(4 * width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 4; c++) {
        const check = ((x >> 2) + (y >> 2)) & 1
        const drawn = {
          scene: scene?.[3 * (y * stride + x) + c] ?? 0,
          noise: 0,
          flat: 40 + 70 * c,
          checks: 255 * check,
        }
        const value = kind === 'noise' ? random.nextU32() & 255 : drawn[kind]
        data[4 * (y * width + x) + c] = c < 3 ? value : hasAlpha ? (5 * x + 11 * y) & 255 : 255
      }
  return { width, height, hasAlpha, colorSpace: seed & 1 ? 'srgb' : 'display-p3', data }
}

const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

const textOf = (file: URL): Promise<string | null> => readFile(file, 'utf8').catch(() => null)

/** Writes a model's own file where there is none. Throws where one of another model stands in its place. */
async function writeOnce(file: URL, model: BaseModel, make: () => Promise<object>): Promise<void> {
  const name = file.pathname.split('/').at(-1)
  const text = await textOf(file)
  if (text === null) {
    await writeFile(file, jsonText({ model: toHex(model.id), modelName: model.name, ...(await make()) }))
    console.log(`${name}: written`)
  } else if ((JSON.parse(text) as { model: string }).model !== toHex(model.id))
    throw new Error(
      `${name} is of other weights than ${model.name} has. Delete it if they were never released.`,
    )
  else console.log(`${name}: there`)
}

/** A scene with every frequency that the codec has, as the base model restores it on WASM. */
async function writeProbeTile(model: BaseModel, codec: Codec): Promise<void> {
  const tiles = JSON.parse((await textOf(PROBE_TILES)) ?? '[]') as { model: string }[]
  const id = toHex(model.id)
  if (tiles.some((tile) => tile.model === id)) return
  const recipe = { name: 'probe', kind: 'scene', width: 96, height: 64, quality: 34, effort: 'best' } as const
  const bitstream = await codec.encode(draw(recipe, 77), recipe)
  const { width, height, data } = await codec.decode(bitstream)
  const tile = {
    ...{ model: id, modelName: model.name, width, height },
    bitstream: Buffer.from(bitstream).toString('base64'),
    pixels: deflateRawSync(data, { level: 9 }).toString('base64'),
  }
  // Tiles of ids that are on the list no more are of weights that were never released.
  const released = tiles.filter(({ model }) => RELEASED_MODELS.some(({ id }) => id === model))
  await writeFile(PROBE_TILES, jsonText([...released, tile]))
  console.log(`probe tile of ${model.name}: written`)
}

async function goldenStreams(model: BaseModel, codec: Codec): Promise<object> {
  const streams: unknown[] = []
  for (const [i, recipe] of RECIPES.entries()) {
    const bitstream = await codec.encode(draw(recipe, 4242 + i), recipe)
    const restored = await codec.decode(bitstream)
    const symbols = await readSymbols(model.weights, parseBitstream(bitstream))
    const { name, width, height } = recipe
    streams.push({
      ...{ name, width, height },
      bitstream: Buffer.from(bitstream).toString('base64'),
      symbols: createHash('sha256').update(symbols).digest('hex'),
      pixels: deflateRawSync(restored.data, { level: 9 }).toString('base64'),
    })
    console.log(`${name}: ${bitstream.length} bytes`)
  }
  return { streams }
}

const writers: Readonly<Record<string, (model: BaseModel, codec: Codec) => Promise<void>>> = {
  streams: (model, codec) => writeOnce(goldenStreamsOf(model), model, () => goldenStreams(model, codec)),
  tile: writeProbeTile,
  vault: (model) => writeOnce(goldenVaultOf(model), model, () => goldenVault(model)),
  hashes: writeWeightsHashes,
}
const asked = process.argv.slice(2)
const kinds = asked.length > 0 ? asked : Object.keys(writers)
await readyWasm()
for (const { name, id } of RELEASED_MODELS.toReversed()) {
  const model = await readModel(name)
  if (toHex(model.id) !== id)
    throw new Error(
      `The files of ${name} have the id ${toHex(model.id)}; src/model/released-models.ts says ${id}.`,
    )
  const codec = createCodec(model.weights)
  for (const kind of kinds) {
    const write = writers[kind]
    if (write === undefined) throw new Error(`The vectors are: ${Object.keys(writers).join(', ')}.`)
    await write(model, codec)
  }
  codec.dispose()
}
