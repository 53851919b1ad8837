/** Golden streams of every released model (`npm run vectors` writes them): the same symbols and pixels everywhere. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { RELEASED_MODELS } from '../model/released-models'
import { goldenStreamsOf } from '../training/golden-files'
import { readModel, readyWasm } from '../training/node-model'
import { parseBitstream } from './bitstream'
import { createCodec } from './codec'
import { largestDifference } from './exactness'
import { readSymbols } from './symbols'
import type { CodecWeights } from './weights'

interface Golden {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly bitstream: string
  /** SHA-256, see symbols.ts. */
  readonly symbols: string
  /** RGBA, deflated. */
  readonly pixels: string
}

const bytesOf = ({ bitstream }: Golden) => new Uint8Array(Buffer.from(bitstream, 'base64'))

beforeAll(async () => {
  await readyWasm()
})
afterEach(() => tf.setBackend('wasm'))

describe.each(RELEASED_MODELS)('golden streams of $name', (released) => {
  const { model: id, streams } = JSON.parse(readFileSync(goldenStreamsOf(released), 'utf8')) as {
    readonly model: string
    readonly streams: readonly Golden[]
  }
  let weights: CodecWeights

  beforeAll(async () => {
    weights = (await readModel(released.name)).weights
  })

  it('are of the released weights', () => {
    expect(streams.length).toBeGreaterThan(10)
    expect(id, 'npm run vectors').toBe(released.id)
  })

  it.each(['kernel', 'typescript'] as const)('give the same symbols in the %s', async (entropy) => {
    for (const stream of streams) {
      const symbols = await readSymbols(weights, parseBitstream(bytesOf(stream)), entropy)
      expect(createHash('sha256').update(symbols).digest('hex'), stream.name).toBe(stream.symbols)
    }
  })

  it.each(['wasm', 'cpu'])(
    'restore to the same pixels on %s, as far as the model goes to the bit',
    async (backend) => {
      await tf.setBackend(backend)
      const codec = createCodec(weights)
      for (const stream of streams) {
        const expected = inflateRawSync(Buffer.from(stream.pixels, 'base64'))
        const { width, height, hasAlpha, data } = await codec.decode(bytesOf(stream))
        expect([width, height], stream.name).toEqual([stream.width, stream.height])
        expect(data.length).toBe(expected.length)
        let worst = 0
        for (let i = 0; i < data.length; i++) {
          const difference = Math.abs(data[i]! - expected[i]!)
          if (i % 4 === 3 && hasAlpha) expect(difference).toBe(0)
          worst = Math.max(worst, difference)
        }
        expect(worst, stream.name).toBeLessThanOrEqual(largestDifference(weights.config))
      }
      codec.dispose()
    },
  )
})
