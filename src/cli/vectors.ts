/**
 *     npm run vectors [-- streams tile vault hashes]
 *
 *   streams   the golden streams of the codec, src/codec/vectors/streams.json: small procedural pictures of awkward
 *             sizes, coded with the current model, with the hash of their symbols and the pixels that they restore to
 *   tile      the tile that engines are probed with, src/workers/probe-tile.ts
 *   vault     the golden vault of format v1 (golden-vault.ts)
 *   hashes    the golden hashes of personal weights (weights-hashes.ts)
 *
 * All of them unless some are named. They are written anew with a new model and never otherwise: what they hold must
 * stay readable.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { format, resolveConfig } from 'prettier'
import { parseBitstream } from '../codec/bitstream'
import { createCodec } from '../codec/codec'
import { readSymbols } from '../codec/symbols'
import type { Effort, RasterImage } from '../codec/types'
import { toHex } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import { proceduralImage } from '../training/procedural-images'
import { writeGoldenVault } from './golden-vault'
import { readModel, readyWasm } from '../training/node-model'
import { writeWeightsHashes } from './weights-hashes'

const FILE = fileURLToPath(new URL('../codec/vectors/streams.json', import.meta.url))

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

/** A scene with every frequency that the codec has, as the base model restores it on WASM. */
async function writeProbeTile(): Promise<void> {
  const recipe = { name: 'probe', kind: 'scene', width: 96, height: 64, quality: 34, effort: 'best' } as const
  const bitstream = await codec.encode(draw(recipe, 77), recipe)
  const { width, height, data } = await codec.decode(bitstream)
  const tile = {
    ...{ width, height },
    bitstream: Buffer.from(bitstream).toString('base64'),
    pixels: deflateRawSync(data, { level: 9 }).toString('base64'),
  }
  const text = `/** Written by npm run vectors. */\nexport const PROBE_TILE = ${JSON.stringify(tile)}\n`
  const path = fileURLToPath(new URL('../workers/probe-tile.ts', import.meta.url))
  await writeFile(path, await format(text, { ...(await resolveConfig(path)), parser: 'typescript' }))
}

async function writeStreams(): Promise<void> {
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
  const file = { model: toHex(model.id), modelName: model.name, streams }
  await writeFile(FILE, `${JSON.stringify(file, null, 2)}\n`)
}

await readyWasm()
const model = await readModel()
const codec = createCodec(model.weights)
const writers: Readonly<Record<string, () => Promise<void>>> = {
  streams: writeStreams,
  tile: writeProbeTile,
  vault: () => writeGoldenVault(model),
  hashes: () => writeWeightsHashes(model),
}
const named = process.argv.slice(2)
for (const name of named.length > 0 ? named : Object.keys(writers)) {
  const write = writers[name]
  if (write === undefined) throw new Error(`The vectors are: ${Object.keys(writers).join(', ')}.`)
  await write()
}
codec.dispose()
