import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import { readModel, readyWasm } from '../training/node-model'
import { INTEGER_BITS, parameterShapes } from '../training/parameters'
import { predictScales } from '../training/rate-model'
import { contextModelAt, LOW_RANGE, LOW_SHIFT, RANK_SHIFT, SCALE_BITS } from './context-model'
import { buildTableBank, TABLES, tableScale } from './entropy-tables'
import { QUALITY_MAX } from './quality'
import { SCALE_STAGES, ScaleStages, stageShapes, type StageModel } from './scale-stages'
import { residuals, walk, type Region } from './testing-intra'
import { withCalibration, withStages } from './testing-stages'
import { decodeTile, encodeTile } from './tile-coder'
import { LATENTS, type CodecWeights } from './weights'

const ONE = 1 << 10

let shipped: CodecWeights
beforeAll(async () => {
  shipped = (await readModel('safelight-v3')).weights
})

/** A model in which only stages, and the features that they see, bear on the scales, and nothing drifts. */
function alone(seed: number, hidden: number, features: number, reach: number, wild: boolean): CodecWeights {
  const integers = new Map(shipped.integers)
  for (const [name, values] of integers) integers.set(name, new Int32Array(values.length))
  integers.set('thresholds', shipped.integers.get('thresholds')!)
  const draw = withStages(shipped, seed + 1, 1, 300).integers.get('stage_out_0')!
  const feature = Int32Array.from({ length: LATENTS * features }, (_, i) => draw[i % LATENTS]! + (i % 7))
  integers.set('feature', feature)
  integers.set('scale_feature', new Int32Array(4 * features * LATENTS))
  const { chromaPrediction, ...config } = { ...shipped.config, contextFeatures: features }
  expect(chromaPrediction).toBe(1)
  return withStages({ ...shipped, config, integers }, seed, hidden, reach, wild)
}

/** Scale sums [positions * active] said again slowly, from magnitudes of the same shape. */
function sumsAgain(
  { integers, config }: CodecWeights,
  { width, height, active }: Region,
  magnitudes: readonly number[],
): number[] {
  const wrap = (x: bigint): bigint => BigInt.asIntN(32, x)
  const { stageHidden, contextFeatures } = config
  const tensor = (name: string): Int32Array => integers.get(name)!
  const features = Array.from({ length: width * height }, (_, p) =>
    Array.from({ length: contextFeatures }, (_, f) => {
      let sum = 0n
      for (let c = 0; c < active; c++)
        sum += BigInt(tensor('feature')[c * contextFeatures + f]! * magnitudes[p * active + c]!)
      const inSixteenths = Number(wrap(sum) < 0n ? 0n : wrap(sum) >> 8n)
      return Math.min(4095, inSixteenths)
    }),
  )
  const none = new Array<number>(contextFeatures).fill(0)
  const at = (x: number, y: number): number[] =>
    x < 0 || y < 0 || x >= width ? none : features[y * width + x]!
  return magnitudes.map((_, i) => {
    const c = i % active
    const p = (i - c) / active
    const [x, y] = [p % width, Math.floor(p / width)]
    const seen = [...at(x - 1, y), ...at(x, y - 1), ...at(x - 1, y - 1), ...at(x + 1, y - 1)]
    let scale = 0n
    SCALE_STAGES.forEach((start, stage) => {
      if (c < start) return
      const inputs = [...magnitudes.slice(p * active, p * active + start).map((m) => 16 * m), ...seen]
      for (let g = 0; g < stageHidden!; g++) {
        let sum = BigInt(tensor(`stage_bias_${stage}`)[g]!)
        inputs.forEach((value, j) => {
          sum += BigInt(value) * BigInt(tensor(`stage_in_${stage}`)[g * inputs.length + j]!)
        })
        const unit = wrap(sum) >> 10n
        const limited = unit < 0n ? 0n : unit > 240n ? 240n : unit
        scale += limited * BigInt(tensor(`stage_out_${stage}`)[g * LATENTS + c]!)
      }
    })
    return Number(wrap(scale))
  })
}

describe('a stage', () => {
  /** Two units and one feature; only the first stage has weights. */
  const model: StageModel = {
    hidden: 2,
    in: SCALE_STAGES.map((start) => new Int32Array(2 * (start + 4))),
    bias: [Int32Array.of(65_536, 2 ** 31 - 1), ...[1, 2, 3].map(() => Int32Array.of(ONE, 3 * ONE - 1))],
    out: SCALE_STAGES.map(() => new Int32Array(2 * LATENTS)),
  }
  model.in[0]!.set([ONE], 0)
  model.in[0]!.set([-ONE / 2, 2 * ONE], 31)
  model.in[0]!.fill(32767, 36)

  it('sums magnitudes, features and a bias, once a position', () => {
    const stages = new ScaleStages(model)
    const magnitudes = new Uint8Array(2 * LATENTS)
    magnitudes[LATENTS] = 3
    magnitudes[LATENTS + 31] = 15
    // What comes later does not count.
    magnitudes[LATENTS + 32] = 9
    stages.start(model, Int32Array.of(5, 0, 7, 4095))
    expect(stages.reach(0, magnitudes, LATENTS)).toBeNull()
    expect(stages.reach(31, magnitudes, LATENTS)).toBeNull()
    // 16 * (3 - 15 / 2) + 5 * 2 + 64 = 2; the second unit passes 2^31, is negative, and rectified.
    expect(stages.reach(32, magnitudes, LATENTS)).toEqual({ stage: 0, layer: Int32Array.of(2, 0) })
    expect(stages.reach(32, magnitudes, LATENTS)).toBeNull()
    expect(stages.reach(95, magnitudes, LATENTS)).toBeNull()
    expect(stages.reach(96, magnitudes, LATENTS)).toEqual({ stage: 1, layer: Int32Array.of(1, 2) })
    stages.start(model, Int32Array.of(6, 0, 0, 0))
    expect(stages.reach(32, new Uint8Array(32), 0)!.layer).toEqual(Int32Array.of(76, 0))
    expect([96, 192, 320].map((c) => stages.reach(c, magnitudes, 0)!.stage)).toEqual([1, 2, 3])
    expect(stages.reach(320, magnitudes, 0)).toBeNull()
  })

  it('has tensors of these shapes, and a model without has none', () => {
    expect(stageShapes(shipped.config)).toEqual([])
    expect(stageShapes({ ...shipped.config, contextFeatures: 3, stageHidden: 5 })).toEqual([
      ...[
        ['stage_in_0', [5, 44]] as const,
        ['stage_bias_0', [5]] as const,
        ['stage_out_0', [5, 768]] as const,
      ],
      ...[
        ['stage_in_1', [5, 108]],
        ['stage_bias_1', [5]],
        ['stage_out_1', [5, 768]],
      ],
      ...[
        ['stage_in_2', [5, 204]],
        ['stage_bias_2', [5]],
        ['stage_out_2', [5, 768]],
      ],
      ...[
        ['stage_in_3', [5, 332]],
        ['stage_bias_3', [5]],
        ['stage_out_3', [5, 768]],
      ],
    ])
  })
})

describe('stages', () => {
  const REGIONS: readonly Region[] = [
    { width: 1, height: 1, active: 768 },
    { width: 2, height: 2, active: 32 },
    { width: 3, height: 2, active: 48 },
    { width: 2, height: 2, active: 208 },
    { width: 2, height: 3, active: 336 },
  ]

  it('bear on the tables as their definition says, whatever wraps', () => {
    const seeds = fc.nat(2 ** 31)
    const reach = fc.constantFrom(60, 800, 32767)
    const outcomes = new Set<number>()
    fc.assert(
      fc.property(seeds, reach, fc.constantFrom(...REGIONS), fc.boolean(), (seed, far, where, wild) => {
        const weights = alone(seed, 1 + (seed % 3), 1 + (seed % 2), far, wild)
        const model = contextModelAt(weights, 30)
        const next = residuals(seed, 3)
        const magnitudes: number[] = []
        const { tables } = walk(model, where, () => {
          const residual = next()
          magnitudes.push(Math.min(15, Math.abs(residual)))
          return residual
        })
        const expected = sumsAgain(weights, where, magnitudes).map((sum) => {
          const inLow = Math.max(0, (sum + LOW_RANGE) >> LOW_SHIFT)
          const rank = sum >= LOW_RANGE ? model.high[Math.min(511, sum >> SCALE_BITS)]! : model.low[inLow]!
          return model.tableOf[Math.min(model.tableOf.length - 1, (rank + 128) >> RANK_SHIFT)]!
        })
        expect(tables).toEqual(expected)
        expected.forEach((table) => outcomes.add(table))
      }),
      { numRuns: 40 },
    )
    expect(outcomes.size).toBeGreaterThan(40)
  })

  it('are what training computes in floats, but for rounding', async () => {
    await readyWasm()
    const weights = alone(3, 8, 4, 300, false)
    const where = { width: 4, height: 3, active: 768 }
    const random = makePrng(5)
    const put: number[] = []
    const { tables } = walk(contextModelAt(weights, 17), where, () => {
      put.push(Math.round((random.nextNormal() * 3) / (1 + put.length / 40)))
      return put.at(-1)!
    })
    const shapes = new Map(parameterShapes(weights.config))
    const tensor = (name: string): tf.Tensor => {
      const unit = 2 ** -INTEGER_BITS[name]!
      const values = Float32Array.from(weights.integers.get(name)!, (v) => v * unit)
      return tf.tensor(values, [...shapes.get(name)!])
    }
    const symbols = tf.tensor4d(put, [1, 3, 4, LATENTS])
    const scales = await tf.tidy(() => predictScales(tensor, weights.config, symbols, [], 17)).data()
    symbols.dispose()
    const step = Math.log(tableScale(1) / tableScale(0))
    const apart = tables.map((table, i) => Math.abs(Math.log(scales[i]! / tableScale(table)) / step))
    const inside = apart.filter((_, i) => tables[i]! > 0 && tables[i]! < TABLES - 1)
    expect(inside.length).toBeGreaterThan(2000)
    expect(Math.max(...inside)).toBeLessThan(0.7)
    expect(new Set(tables).size).toBeGreaterThan(20)
  })

  it.each([0, 16, 32, 48, 96, 208, 768])('let tiles of %i channels round trip', (active) => {
    for (const [width, height] of [
      [1, 1],
      [1, 3],
      [3, 2],
    ] as const)
      for (const isCalibrated of [false, true]) {
        const seed = 8 * active + 4 * height + width
        const from = isCalibrated ? withCalibration(shipped) : shipped
        const weights = withStages(from, seed, 5, 400, true)
        const [model, bank] = [
          contextModelAt(weights, seed % (QUALITY_MAX + 1)),
          buildTableBank(weights.tables),
        ]
        const entropy = { model, bank, kernel: null }
        const next = residuals(seed, 3)
        const chosen = Int16Array.from({ length: width * height * LATENTS }, (_, i) => {
          const c = i % LATENTS
          return c >= active ? 0 : c === active - 1 ? 1 : next()
        })
        const coded = encodeTile(entropy, new Float32Array(chosen.length), width, height, { chosen })
        const put = chosen.filter((_, i) => i % LATENTS < active).values()
        const { symbols } = walk(model, { width, height, active }, () => put.next().value!)
        expect(decodeTile(entropy, coded, width, height)).toEqual({ symbols, active, width })
      }
  })
})
