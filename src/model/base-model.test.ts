import { describe, expect, it } from 'vitest'
import { CodecError } from '../codec/errors'
import { EDGES, INTRA_CHANNELS, INTRA_INPUTS, intraShapes } from '../codec/intra-prediction'
import { stageShapes } from '../codec/scale-stages'
import type { CodecConfig } from '../codec/weights'
import type { ModelFiles } from '../format/model-id'
import { utf8 } from '../lib/bytes'
import { makePrng, type Prng } from '../lib/prng'
import { loadBaseModel, type BaseModel } from './base-model'
import { tinyModel } from './testing'

const TINY = tinyModel(1).config
const WIDTHS = { intraWidth: 3, intraHidden: 2 }

/** model.json as parsed, of a model with the tensors of intra prediction alone. */
interface Description {
  format: string
  version: number
  name: string
  config: Record<string, unknown>
  tensors: { name: string; type: string; shape: number[]; offset: number }[]
  tables: number[]
}

function description(widths: Partial<CodecConfig> = WIDTHS): Description {
  const config = { ...TINY, ...widths }
  let offset = 0
  const tensors = intraShapes(config).map(([name, shape]) => {
    const tensor = { name, type: 'int16', shape: [...shape], offset }
    offset += 2 * shape.reduce((a, b) => a * b, 1)
    return tensor
  })
  return { format: 'safelight-model', version: 1, name: 'tiny-v1', config, tensors, tables: [2] }
}

/** Weights that count, so that each shows where it was read. */
function filesOf(of: unknown): ModelFiles {
  const weights = Uint8Array.from({ length: 2 ** 16 }, (_, i) =>
    i % 2 === 0 ? (i >> 1) & 255 : (i >> 9) & 127,
  )
  return { description: utf8(JSON.stringify(of)), weights, tables: Uint8Array.of(0, 128, 0, 128) }
}

const load = (of: unknown): Promise<BaseModel> => loadBaseModel(filesOf(of))

async function expectRefusal(of: unknown): Promise<void> {
  const outcome = await load(of).catch((error: unknown) => error)
  expect(outcome).toBeInstanceOf(CodecError)
  expect((outcome as CodecError).code).toBe('wrong-model')
}

/** A description with something changed. */
function changed(change: (of: Description) => void): Description {
  const of = description()
  change(of)
  return of
}

describe('the files of a model that predicts from edges', () => {
  it('are read', async () => {
    const { weights } = await load(description())
    expect(weights.config).toMatchObject(WIDTHS)
    const sizes = [...weights.integers].map(([name, values]) => [name, values.length])
    expect(Object.fromEntries(sizes)).toMatchObject({
      intra_edges: INTRA_CHANNELS * EDGES,
      intra_in: 3 * INTRA_INPUTS,
      intra_mid_0: 2 * 3,
      intra_mid_1: 2 * (3 + 32),
      intra_mid_2: 2 * (3 + 96),
      intra_out_0: 32 * 2,
      intra_out_1: 64 * 2,
      intra_out_2: 96 * 2,
      scale_intra: 2 * 768,
    })
    expect([...weights.integers.get('intra_edges')!.subarray(0, 3)]).toEqual([0, 1, 2])
  })

  it('are read without any of it', async () => {
    const { weights } = await load(description({}))
    expect(weights.integers.size).toBe(0)
  })

  it('are refused with one width, or with one that is out of bounds', async () => {
    await expectRefusal(changed(({ config }) => delete config['intraWidth']))
    await expectRefusal(changed(({ config }) => delete config['intraHidden']))
    for (const width of [0, -1, 1.5, 513, 2 ** 32 + 3, null, '3', [3], true, {}]) {
      await expectRefusal(changed(({ config }) => (config['intraWidth'] = width)))
      await expectRefusal(changed(({ config }) => (config['intraHidden'] = width)))
    }
    await expectRefusal(description({ intraWidth: 513, intraHidden: 1 }))
  })

  it('are refused with a tensor that is missing, double, of another shape or of another type', async () => {
    const count = description().tensors.length
    expect(count).toBe(11)
    for (let i = 0; i < count; i++) {
      const at = ({ tensors }: Description) => tensors[i]!
      await expectRefusal(changed(({ tensors }) => tensors.splice(i, 1)))
      await expectRefusal(changed(({ tensors }) => tensors.push({ ...tensors[i]! })))
      await expectRefusal(changed((of) => (at(of).type = 'float16')))
      await expectRefusal(changed((of) => (at(of).type = 'int32')))
      await expectRefusal(changed((of) => at(of).shape.reverse()))
      await expectRefusal(changed((of) => at(of).shape.push(1)))
      await expectRefusal(changed((of) => at(of).shape[0]!--))
      await expectRefusal(changed((of) => (at(of).shape = [at(of).shape[0]! * at(of).shape[1]!])))
      await expectRefusal(changed((of) => (at(of).offset = 2 ** 16)))
    }
  })

  it('are read as what they say or refused, whatever changes in their description', async () => {
    const prng = makePrng(20_261_121)
    let refused = 0
    for (let n = 0; n < 1500; n++) {
      const of = description()
      mutate(prng, of)
      const outcome = await load(of).catch((error: unknown) => error)
      if (outcome instanceof CodecError) {
        expect(outcome.code).toBe('wrong-model')
        refused++
        continue
      }
      const { config, integers } = (outcome as BaseModel).weights
      for (const [name, shape] of intraShapes(config))
        expect(integers.get(name)).toHaveLength(shape.reduce((a, b) => a * b, 1))
    }
    expect(refused).toBeGreaterThan(500)
    expect(refused).toBeLessThan(1500)
  })
})

describe('the files of a model with scale stages', () => {
  const staged = (stageHidden: unknown = 3): Description => {
    const of = description({})
    of.config['stageHidden'] = stageHidden
    of.tensors = stageShapes({ ...TINY, stageHidden: 3 }).map(([name, shape], i) => ({
      ...{ name, shape: [...shape], offset: 5000 * i },
      type: name.startsWith('stage_bias') ? 'int32' : 'int16',
    }))
    return of
  }
  const expectRefusalOf = async (change: (of: Description) => void): Promise<void> => {
    const of = staged()
    change(of)
    await expectRefusal(of)
  }

  it('are read', async () => {
    const { config, integers } = (await load(staged())).weights
    expect(config.stageHidden).toBe(3)
    expect([...integers.values()].map(({ length }) => length)).toEqual(
      [32, 96, 192, 320].flatMap((start) => [3 * (start + 4 * TINY.contextFeatures), 3, 3 * 768]),
    )
  })

  it('are refused with a width that is out of bounds or not that of the tensors', async () => {
    for (const width of [0, -1, 2, 4, 1.5, 513, null, '3', [3], true, {}]) await expectRefusal(staged(width))
    await expectRefusalOf(({ config }) => (config['contextFeatures'] = TINY.contextFeatures + 1))
  })

  it('are refused with a tensor that is missing, double, of another shape or of another type', async () => {
    for (let i = 0; i < 12; i++) {
      await expectRefusalOf(({ tensors }) => tensors.splice(i, 1))
      await expectRefusalOf(({ tensors }) => tensors.push({ ...tensors[i]! }))
      await expectRefusalOf(({ tensors }) => (tensors[i]!.type = 'float16'))
      if (i % 3 !== 1) await expectRefusalOf(({ tensors }) => (tensors[i]!.type = 'int32'))
      await expectRefusalOf(({ tensors }) => tensors[i]!.shape[0]!--)
      await expectRefusalOf(({ tensors }) => tensors[i]!.shape.push(1))
    }
  })
})

describe('the files of a calibrated model', () => {
  const calibrated = (ranks: number): Description => {
    const shapes = { thresholds: [ranks - 1], drift: [ranks, 16], drift_shift: [ranks] }
    const of = description({ calibration: 1 })
    of.tensors = Object.entries(shapes).map(([name, shape]) => ({ name, shape, type: 'int16', offset: 0 }))
    of.tables = Array.from({ length: ranks }, () => 2)
    return of
  }
  const loadOf = (of: Description): Promise<BaseModel> => {
    const tables = Uint8Array.from({ length: 4 * of.tables.length }, (_, i) => 128 * (i % 2))
    return loadBaseModel({ ...filesOf(of), tables })
  }

  it('are read with as many ranks as levels reach', async () => {
    expect((await loadOf(calibrated(64))).weights.config.calibration).toBe(1)
    await expect(loadOf(calibrated(65))).rejects.toMatchObject({ code: 'wrong-model' })
  })

  it('are refused with another value than 1, or tensors of other ranks', async () => {
    for (const value of [0, 2, -1, 1.5, null, '1', [1], true, {}]) {
      const of = calibrated(8)
      of.config['calibration'] = value
      await expect(loadOf(of)).rejects.toMatchObject({ code: 'wrong-model' })
    }
    for (let i = 0; i < 3; i++) {
      const of = calibrated(8)
      of.tensors[i]!.shape[0]!--
      await expect(loadOf(of)).rejects.toMatchObject({ code: 'wrong-model' })
    }
  })
})

const ODD = [
  0,
  -1,
  1,
  2,
  3,
  0.5,
  511,
  513,
  2 ** 31,
  null,
  '',
  '3',
  [],
  {},
  true,
  'intra_in',
  'int16',
  'int32',
  'float16',
]

/** Sets one value, anywhere in a tree of parsed JSON, to an odd one, takes it out, or steps it. */
function mutate(prng: Prng, tree: object): void {
  let node = tree as Record<string, unknown>
  for (;;) {
    const keys = Object.keys(node)
    if (keys.length === 0) return
    const key = keys[prng.nextBelow(keys.length)]!
    const value = node[key]
    if (typeof value === 'object' && value !== null && prng.nextBelow(16) > 0) {
      node = value as Record<string, unknown>
      continue
    }
    const kind = prng.nextBelow(4)
    if (kind === 0) Reflect.deleteProperty(node, key)
    else if (kind === 1 && typeof value === 'number') node[key] = value + prng.nextBelow(3) - 1
    else node[key] = ODD[prng.nextBelow(ODD.length)]
    return
  }
}
