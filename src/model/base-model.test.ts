import { describe, expect, it } from 'vitest'
import { CodecError } from '../codec/errors'
import { EDGES, INTRA_CHANNELS, INTRA_INPUTS, intraShapes } from '../codec/intra-prediction'
import { stageShapes } from '../codec/scale-stages'
import { SPLIT_TENSORS, splitName, splitShapes } from '../codec/splits/split-model'
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

describe('the files of a model with splits', () => {
  const CONFIG = { ...TINY, ...WIDTHS, stageHidden: 3, splits: 1 }
  const SHAPES: readonly (readonly [string, readonly number[]])[] = [
    ['scale_bias', [7, 768]],
    ['mean_weight', [8, 32]],
    ['mean_out', [8, 3]],
    ['mean_gain', [7, 8]],
    ...intraShapes(CONFIG),
    ...stageShapes(CONFIG),
  ]
  const shapeOf = (name: string): readonly number[] => SHAPES.find(([other]) => other === name)![1]
  const ALL: readonly (readonly [string, readonly number[]])[] = [
    ...SHAPES,
    ...splitShapes(CONFIG),
    ...[1, 2, 3].flatMap((split) =>
      SPLIT_TENSORS.map((name) => [splitName(split, name), shapeOf(name)] as const),
    ),
  ]
  const isWide = (name: string): boolean => /scale_bias|split_(un)?step/.test(name)
  const BYTES = 4 * ALL.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0)
  const splitTensors = ALL.map(([name]) => name).filter((name) => name.startsWith('split_'))

  /** Values that are turned by, whichever is asked for. */
  const VALUES: Readonly<Record<string, (i: number) => number>> = {
    split_place: (i) => (i * 5) % 768,
    split_sign: (i) => (i % 3 === 0 ? -1 : 1),
    split_halves: (i) => (i % 17 === 0 ? 16_384 : -16_384),
    split_step: (i) => (i % 2 === 0 ? 1 : 65_535),
    split_unstep: (i) => (i % 2 === 0 ? 65_535 : 1),
    split_prior: (i) => i,
  }

  interface Files {
    readonly of: Description
    readonly weights: DataView<ArrayBuffer>
  }

  function files(): Files {
    const of = description({})
    of.config = CONFIG
    let offset = 0
    of.tensors = ALL.map(([name, shape]) => {
      const tensor = { name, shape: [...shape], type: isWide(name) ? 'int32' : 'int16', offset }
      offset += 4 * shape.reduce((a, b) => a * b, 1)
      return tensor
    })
    const weights = new DataView(new ArrayBuffer(BYTES))
    for (const [name, valueAt] of Object.entries(VALUES))
      for (let i = 0; i < countOf(of, name); i++) put({ of, weights }, name, i, valueAt(i))
    return { of, weights }
  }
  const tensorOf = (of: Description, name: string) => of.tensors.find((tensor) => tensor.name === name)!
  const countOf = (of: Description, name: string): number =>
    tensorOf(of, name).shape.reduce((a, b) => a * b, 1)

  function put({ of, weights }: Files, name: string, i: number, value: number): void {
    const { type, offset } = tensorOf(of, name)
    if (type === 'int32') weights.setInt32(offset + 4 * i, value, true)
    else weights.setInt16(offset + 2 * i, value, true)
  }

  const loadOf = ({ of, weights }: Files): Promise<BaseModel> =>
    loadBaseModel({ ...filesOf(of), weights: new Uint8Array(weights.buffer) })

  async function expectRefusalOf(change: (files: Files) => void, why: string): Promise<void> {
    const own = files()
    change(own)
    await expect(loadOf(own), why).rejects.toMatchObject({ name: 'CodecError', code: 'wrong-model' })
  }
  const expectRefusalWith = (name: string, i: number, value: number): Promise<void> =>
    expectRefusalOf((own) => {
      put(own, name, i, value)
    }, `${name} ${i} ${value}`)

  it('are read, to the ends of every range', async () => {
    const { config, integers } = (await loadOf(files())).weights
    expect(config.splits).toBe(1)
    expect(splitTensors).toHaveLength(6 + 3 * 14)
    for (const [name, shape] of ALL) expect(integers.get(name)).toHaveLength(shape.reduce((a, b) => a * b, 1))
    for (const [name, valueAt] of Object.entries(VALUES))
      expect([...integers.get(name)!.subarray(0, 20)]).toEqual(
        Array.from({ length: Math.min(20, countOf(files().of, name)) }, (_, i) => valueAt(i)),
      )
  })

  it('are refused with another value than 1', async () => {
    for (const value of [0, 2, -1, 1.5, null, '1', [1], true, {}])
      await expectRefusalOf(({ of }) => (of.config = { ...of.config, splits: value }), JSON.stringify(value))
  })

  it('are refused without prediction from edges or stages', async () => {
    for (const names of [['intraWidth', 'intraHidden'], ['intraWidth'], ['stageHidden']])
      await expectRefusalOf(({ of }) => {
        of.config = { ...of.config }
        for (const name of names) Reflect.deleteProperty(of.config, name)
      }, names.join())
  })

  it('are refused with a tensor that is missing, double, of another shape or of another type', async () => {
    for (const name of splitTensors) {
      const at = ({ of }: Files) => tensorOf(of, name)
      const expectRefusalTo = (change: (files: Files) => void): Promise<void> => expectRefusalOf(change, name)
      await expectRefusalTo(({ of }) => (of.tensors = of.tensors.filter((tensor) => tensor.name !== name)))
      await expectRefusalTo((own) => own.of.tensors.push({ ...at(own) }))
      await expectRefusalTo((own) => (at(own).type = 'float16'))
      await expectRefusalTo((own) => at(own).shape.push(1))
      await expectRefusalTo((own) => at(own).shape[0]!--)
      await expectRefusalTo((own) => (at(own).offset = BYTES))
      // A split's own have the type of the whole's.
      if (/^split_\d_/.test(name))
        await expectRefusalTo((own) => (at(own).type = isWide(name) ? 'int16' : 'int32'))
    }
    // Nor is a split without what the whole has.
    for (const name of SPLIT_TENSORS)
      await expectRefusalOf(
        ({ of }) => (of.tensors = of.tensors.filter((tensor) => tensor.name !== name)),
        name,
      )
  })

  it('are refused with places that are no permutation', async () => {
    for (const [i, value] of [
      [0, 5],
      [767, 0],
      [1, 768],
      [0, -1],
      [300, 32_767],
      [300, -32_768],
    ] as const)
      await expectRefusalWith('split_place', i, value)
    await expectRefusalOf((own) => {
      for (let i = 0; i < 768; i++) put(own, 'split_place', i, 1 + i)
    }, 'places from 1 on')
  })

  it('are refused with signs, halves or steps out of range', async () => {
    for (const value of [0, 2, -2, 32_767]) await expectRefusalWith('split_sign', 700, value)
    for (const value of [16_385, -16_385, 32_767, -32_768])
      await expectRefusalWith('split_halves', 255, value)
    for (const name of ['split_step', 'split_unstep'])
      for (const value of [0, -1, 65_536, 2 ** 31 - 1, -(2 ** 31)])
        for (const i of [0, 7 * 768 - 1]) await expectRefusalWith(name, i, value)
  })

  it('are read whatever the splits are expected to be, as the coder bounds it', async () => {
    const own = files()
    for (const [i, value] of [0, -1, 32_767, -32_768].entries()) put(own, 'split_prior', i, value)
    const { integers } = (await loadOf(own)).weights
    expect([...integers.get('split_prior')!.subarray(0, 4)]).toEqual([0, -1, 32_767, -32_768])
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
