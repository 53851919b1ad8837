/** Blocks of any picture are within the energy that whole numbers allow for; what is not restores the same everywhere. */
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../../lib/prng'
import { wholeTestWeights } from '../../training/testing'
import { tilePicture } from '../../training/whole-units'
import { createCodec } from '../codec'
import { SYMBOL_MAX } from '../context-model'
import { DEFAULT_QUALITY, QUALITY_MAX } from '../quality'
import type { RasterImage } from '../types'
import { BLOCK, LATENTS, type CodecWeights } from '../weights'
import { fitSymbols } from './symbol-energy'
import { wholeModelAt } from './whole-synthesis'

const SIDE = 4 * BLOCK

let weights: CodecWeights
beforeAll(async () => {
  weights = await wholeTestWeights()
})
afterEach(() => tf.setBackend('wasm'))

/** A picture of nothing but black and white, or of the eight corners of the colours. */
function draw(isLight: (x: number, y: number, colour: number) => boolean): RasterImage {
  const data = Uint8ClampedArray.from({ length: 4 * SIDE * SIDE }, (_, i) => {
    const pixel = i >> 2
    return i % 4 === 3 || isLight(pixel % SIDE, Math.floor(pixel / SIDE), i % 4) ? 255 : 0
  })
  return { width: SIDE, height: SIDE, hasAlpha: false, colorSpace: 'srgb', data }
}

const random = makePrng(6)
const LOUDEST: Record<string, RasterImage> = {
  white: draw(() => true),
  black: draw(() => false),
  red: draw((_x, _y, colour) => colour === 0),
  edge: draw((x) => x < 40),
  pixels: draw((x, y) => (x + y) % 2 === 0),
  lines: draw((x) => x % 2 === 0),
  fours: draw((x, y, colour) => ((x >> 2) + (y >> 2) + colour) % 2 === 0),
  blocks: draw((x, y) => ((x >> 4) + (y >> 4)) % 2 === 0),
  noise: draw(() => random.nextBelow(2) === 0),
}

describe('the energy of blocks', () => {
  it.each([0, 20, DEFAULT_QUALITY, 50, QUALITY_MAX])(
    'allows for every picture, quality %i',
    async (quality) => {
      const { energy } = wholeModelAt(weights, quality)
      const codec = createCodec(weights)
      for (const [name, picture] of Object.entries(LOUDEST))
        for (const effort of ['fast', 'best'] as const) {
          const { symbols, channels } = await tilePicture(codec, weights, picture, quality, effort)
          if (channels > 0) expect(fitSymbols(symbols, channels, energy), `${name}, ${effort}`).toBe(0)
        }
      codec.dispose()
    },
    30_000,
  )

  it('of symbols that no encoder gives is brought down, and they restore the same bytes everywhere', async () => {
    const chosen = Int16Array.from({ length: 16 * LATENTS }, (_, i) => {
      const most = [0, 3, 60, SYMBOL_MAX][Math.floor(i / LATENTS) % 4]!
      return random.nextBelow(2 * most + 1) - most
    })
    const hostile = createCodec(weights, { choices: { chosen } })
    for (const quality of [4, 33, 62]) {
      const coded = await hostile.encode(LOUDEST['noise']!, { quality, effort: 'fast' })
      const codecs = [createCodec(weights), createCodec(weights, { synthesis: 'tensors' })]
      const restored = [await codecs[0]!.decode(coded), await codecs[1]!.decode(coded)]
      await tf.setBackend('cpu')
      codecs.push(createCodec(weights))
      restored.push(await codecs[2]!.decode(coded))
      await tf.setBackend('wasm')
      const [first, ...others] = restored.map(({ data }) => Buffer.from(data))
      for (const other of others) expect(Buffer.compare(other, first!)).toBe(0)
      for (const codec of codecs) codec.dispose()
    }
    hostile.dispose()
  }, 60_000)
})
