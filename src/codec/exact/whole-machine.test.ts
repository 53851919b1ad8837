/** One arithmetic, three machines: the WebAssembly kernel, and tensors on two backends, give the same bytes. */
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../../lib/prng'
import { opaque } from '../../training/opaque'
import { proceduralImage } from '../../training/procedural-images'
import { wholeTestWeights } from '../../training/testing'
import { inFloat32 } from '../../training/whole-units'
import type { BlockRegion } from '../blocks'
import { createCodec } from '../codec'
import { psnrDb } from '../metrics'
import { DEFAULT_QUALITY, QUALITY_MAX } from '../quality'
import type { RasterImage } from '../types'
import { LATENTS, type CodecWeights } from '../weights'
import { createWholeKernel } from './kernel/whole-kernel'
import type { WholeMachine } from './layers'
import { createTensorMachine } from './tensor-machine'
import { anySymbols } from './testing'
import { createWholeMachine } from './whole-machine'
import { wholeModelAt, type WholeModel } from './whole-synthesis'

let weights: CodecWeights
beforeAll(async () => {
  weights = await wholeTestWeights()
})
afterEach(() => tf.setBackend('wasm'))

interface Run {
  readonly symbols: Int16Array
  readonly region: { readonly width: number; readonly height: number }
  readonly window: BlockRegion
}

/** A region of odd size, a window in it, and symbols of any size. */
function anyRun({ energy }: WholeModel, seed: number): Run {
  const random = makePrng(seed)
  const region = { width: 1 + random.nextBelow(5), height: 1 + random.nextBelow(5) }
  const [x, y] = [random.nextBelow(region.width), random.nextBelow(region.height)]
  const window = {
    ...{ x, y },
    width: 1 + random.nextBelow(region.width - x),
    height: 1 + random.nextBelow(region.height - y),
  }
  const channels = 64 * (1 + random.nextBelow(LATENTS / 64))
  return { region, window, symbols: anySymbols(random, region.width * region.height, channels, energy) }
}

async function restoredBy(machine: WholeMachine, model: WholeModel, runs: readonly Run[]): Promise<string[]> {
  machine.use(model.synthesis)
  const restored: string[] = []
  for (const { symbols, region, window } of runs) {
    const full = Buffer.from(new Int16Array(await machine.restore(symbols, region, window, 'full')).buffer)
    const whole = { x: 0, y: 0, ...region }
    const quick = Buffer.from(new Int16Array(await machine.restore(symbols, region, whole, 'quick')).buffer)
    restored.push(full.toString('base64'), quick.toString('base64'))
  }
  machine.dispose()
  return restored
}

describe('machines of the synthesis in whole numbers', () => {
  it.each([0, 9, 21, DEFAULT_QUALITY, 47, QUALITY_MAX])(
    'agree on symbols of any size in windows of any size, quality %i',
    async (quality) => {
      const model = wholeModelAt(weights, quality)
      const runs = Array.from({ length: 4 }, (_, i) => anyRun(model, 100 * quality + i))
      const tensors = tf.memory().numTensors
      const kernel = await createWholeKernel()
      const byKernel = await restoredBy(kernel!, model, runs)
      expect(new Set(byKernel).size).toBeGreaterThan(1)
      const onWasm = await restoredBy(createTensorMachine(), model, runs)
      expect(onWasm.map((bytes, i) => bytes === byKernel[i])).toEqual(byKernel.map(() => true))
      await tf.setBackend('cpu')
      const onCpu = await restoredBy(createTensorMachine(), model, runs)
      expect(onCpu.map((bytes, i) => bytes === byKernel[i])).toEqual(byKernel.map(() => true))
      expect(tf.memory().numTensors).toBe(tensors)
    },
    60_000,
  )

  it('give what the caller may keep', async () => {
    for (const machine of [await createWholeMachine('kernel'), await createWholeMachine('tensors')]) {
      const model = wholeModelAt(weights, 30)
      machine.use(model.synthesis)
      const [a, b] = [anyRun(model, 1), anyRun(model, 2)]
      const first = await machine.restore(a.symbols, a.region, a.window, 'full')
      const copy = first.slice()
      await machine.restore(b.symbols, b.region, b.window, 'full')
      expect(first).toEqual(copy)
      machine.dispose()
    }
  })

  it('refuse to start without layers', async () => {
    const run = anyRun(wholeModelAt(weights, 30), 3)
    for (const machine of [await createWholeMachine('kernel'), await createWholeMachine('tensors')])
      await expect(async () => machine.restore(run.symbols, run.region, run.window, 'full')).rejects.toThrow()
  })
})

const differing = (a: RasterImage, b: RasterImage): number =>
  a.data.reduce((count, value, i) => count + (value === b.data[i] ? 0 : 1), 0)

describe('a codec in whole numbers', () => {
  const picture = opaque(proceduralImage(8, 530, 36), 530, 36)

  it('restores the same bytes on every machine, in full and quickly', async () => {
    const codecs = {
      kernel: createCodec(weights),
      tensors: createCodec(weights, { synthesis: 'tensors' }),
      typescript: createCodec(weights, { entropy: 'typescript' }),
    }
    const tall = opaque(proceduralImage(9, 36, 530), 36, 530)
    for (const [image, quality] of [
      [picture, 12],
      [tall, DEFAULT_QUALITY],
      [picture, 58],
    ] as const) {
      const coded = await codecs.kernel.encode(image, { quality, effort: 'fast' })
      for (const detail of ['full', 'quick'] as const) {
        await tf.setBackend('wasm')
        const expected = await codecs.kernel.decode(coded, { detail })
        for (const codec of [codecs.tensors, codecs.typescript])
          expect(differing(await codec.decode(coded, { detail }), expected)).toBe(0)
        await tf.setBackend('cpu')
        const codec = createCodec(weights)
        expect(differing(await codec.decode(coded, { detail }), expected)).toBe(0)
        codec.dispose()
      }
      await tf.setBackend('wasm')
    }
    for (const codec of Object.values(codecs)) codec.dispose()
  }, 60_000)

  it('restores what the same model in float32 does, nearly', async () => {
    const [whole, float] = [createCodec(weights), createCodec(inFloat32(weights))]
    for (const quality of [8, DEFAULT_QUALITY, 56, QUALITY_MAX]) {
      const coded = await float.encode(picture, { quality, effort: 'fast' })
      const [ours, theirs] = [await whole.decode(coded), await float.decode(coded)]
      expect(psnrDb(picture, ours)).toBeGreaterThan(psnrDb(picture, theirs) - 0.05)
      const [quick, floatQuick] = [
        await whole.decode(coded, { detail: 'quick' }),
        await float.decode(coded, { detail: 'quick' }),
      ]
      const worst = quick.data.reduce((most, v, i) => Math.max(most, Math.abs(v - floatQuick.data[i]!)), 0)
      expect(worst).toBeLessThanOrEqual(1)
    }
    for (const codec of [whole, float]) codec.dispose()
  }, 60_000)
})
