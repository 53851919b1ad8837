import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createCodec } from '../codec/codec'
import { modelIds } from '../format/ids'
import { present } from '../lib/assert'
import { parseHex } from '../lib/bytes'
import { NEWEST_MODEL, RELEASED_MODELS } from '../model/released-models'
import { goldenStreamsOf } from '../training/golden-files'
import { MODELS, readModel as readReleased, readyWasm } from '../training/node-model'
import { codecOf, createModelCodecs, readModel, type ModelOnDevice, type PersonalCodec } from './model-codecs'

const SECRET = new Uint8Array(32).fill(9)
const idOf = (hex: string) => modelIds.fromBytes(present(parseHex(hex), 'no id'))
const idNumber = (n: number) => modelIds.fromBytes(new Uint8Array(32).fill(n))
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

async function onDevice({
  name,
  id,
}: {
  readonly name: string
  readonly id: string
}): Promise<ModelOnDevice> {
  const [description, weights, tables] = await Promise.all(
    ['model.json', 'weights.bin', 'cdf.bin'].map(
      async (file) => new Blob([await readFile(join(MODELS, name, file))]),
    ),
  )
  return { id: idOf(id), files: { description: description!, weights: weights!, tables: tables! } }
}

beforeAll(async () => {
  await readyWasm()
})

describe('models of a worker', () => {
  it.each(RELEASED_MODELS)('codes under its own personal weights: $name', async (released) => {
    const { codec, weightsHash } = await codecOf(await onDevice(released), SECRET)
    const { weightsHash: again } = await codecOf(await onDevice(released), SECRET)
    const { weightsHash: other } = await codecOf(await onDevice(released), new Uint8Array(32))
    expect(again).toEqual(weightsHash)
    expect(other).not.toEqual(weightsHash)
    const data = new Uint8ClampedArray(4 * 16 * 16).fill(99)
    const image = { width: 16, height: 16, hasAlpha: false, colorSpace: 'srgb' as const, data }
    const coded = await codec.encode(image, { quality: 48, effort: 'fast' })
    expect((await codec.decode(coded)).data.every((v, i) => i % 4 === 3 || Math.abs(v - 99) < 4)).toBe(true)
    codec.dispose()
  })

  it('refuses files of another model', async () => {
    const model = await onDevice(NEWEST_MODEL)
    await expect(readModel({ ...model, id: idNumber(1) })).rejects.toMatchObject({ code: 'wrong-model' })
    const files = { ...model.files, weights: model.files.weights.slice(0, -1) }
    await expect(readModel({ ...model, files })).rejects.toMatchObject({ code: 'wrong-model' })
  })

  it('keeps the newest, one older at a time, and drops that one when it rests', async () => {
    const model = await readReleased()
    const file = JSON.parse(await readFile(goldenStreamsOf(model), 'utf8')) as {
      streams: { bitstream: string }[]
    }
    const stream = new Uint8Array(Buffer.from(file.streams[3]!.bitstream, 'base64'))
    const made: string[] = []
    const make = ({ id }: ModelOnDevice): Promise<PersonalCodec> => {
      made.push(id)
      return Promise.resolve({ codec: createCodec(model.weights), weightsHash: modelIds.toBytes(id) })
    }
    const { files } = await onDevice(NEWEST_MODEL)
    const [newest, second, first] = [3, 2, 1].map((n): ModelOnDevice => ({ id: idNumber(n), files }))
    const codecs = createModelCodecs({ id: newest!.id, ...(await make(newest!)) }, make, 30)
    const decode = (one: ModelOnDevice) =>
      codecs.use(one, async ({ codec, weightsHash }) => {
        expect(weightsHash).toEqual(modelIds.toBytes(one.id))
        await pause(60) // longer than an older model is kept at rest
        await codec.decode(stream)
      })
    await decode(newest!)
    const tensors = tf.memory().numTensors
    await decode(second!)
    await decode(second!)
    await decode(newest!)
    await decode(first!)
    expect(made).toEqual([newest, second, first].map((one) => one!.id))
    await pause(60)
    expect(tf.memory().numTensors).toBe(tensors)
    await decode(first!)
    expect(made.at(-1)).toBe(first!.id)
    expect(made).toHaveLength(4)
    codecs.dispose()
  })

  it('tries again with an older model that could not be made', async () => {
    const { weights } = await readReleased()
    const model = await onDevice(NEWEST_MODEL)
    let fails = true
    const make = (): Promise<PersonalCodec> =>
      fails
        ? Promise.reject(new Error('no'))
        : Promise.resolve({ codec: createCodec(weights), weightsHash: new Uint8Array(32) })
    const newest = { id: idNumber(3), codec: createCodec(weights), weightsHash: new Uint8Array(32) }
    const codecs = createModelCodecs(newest, make)
    const use = () => codecs.use(model, ({ weightsHash }) => Promise.resolve(weightsHash.length))
    await expect(use()).rejects.toThrow('no')
    fails = false
    expect(await use()).toBe(32)
    codecs.dispose()
  })
})
