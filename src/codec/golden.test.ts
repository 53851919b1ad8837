/** Golden streams of the shipped model (`npm run vectors` writes them): the same symbols and pixels everywhere. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../lib/bytes'
import type { BaseModel } from '../model/base-model'
import { readModel, readyWasm } from '../training/node-model'
import { parseBitstream } from './bitstream'
import { createCodec } from './codec'
import { readSymbols } from './symbols'

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

const text = readFileSync(new URL('./vectors/streams.json', import.meta.url), 'utf8')
const golden = JSON.parse(text) as { model: string; modelName: string; streams: Golden[] }
const bytesOf = ({ bitstream }: Golden) => new Uint8Array(Buffer.from(bitstream, 'base64'))

let model: BaseModel
beforeAll(async () => {
  await readyWasm()
  model = await readModel(golden.modelName)
})
afterEach(() => tf.setBackend('wasm'))

async function expectPixels(): Promise<void> {
  const codec = createCodec(model.weights)
  for (const stream of golden.streams) {
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
    expect(worst, stream.name).toBeLessThanOrEqual(1)
  }
  codec.dispose()
}

describe('golden streams', () => {
  it('are those of the shipped model', () => {
    expect(golden.streams.length).toBeGreaterThan(10)
    expect(golden.model, 'the model changed: npm run vectors').toBe(toHex(model.id))
  })

  it.each(['kernel', 'typescript'] as const)('give the same symbols in the %s', async (entropy) => {
    for (const stream of golden.streams) {
      const symbols = await readSymbols(model.weights, parseBitstream(bytesOf(stream)), entropy)
      expect(createHash('sha256').update(symbols).digest('hex'), stream.name).toBe(stream.symbols)
    }
  })

  it('restore to the same pixels on wasm, within 1 in 255', async () => {
    await tf.setBackend('wasm')
    await expectPixels()
  })

  it('restore to the same pixels on cpu, within 1 in 255', async () => {
    await tf.setBackend('cpu')
    await expectPixels()
  })
})
