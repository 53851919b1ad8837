import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import { readModel, readyWasm } from '../training/node-model'
import { INTEGER_BITS } from '../training/parameters'
import { predictIntra } from '../training/rate-model'
import { ChromaPrediction, SLOPE_GROUP, type ChromaModel } from './chroma-prediction'
import {
  contextModelAt,
  HIDDEN_CAP,
  LOW_RANGE,
  LOW_SHIFT,
  RANK_SHIFT,
  SYMBOL_LIMIT,
  SYMBOL_UNIT,
  type ContextModel,
} from './context-model'
import {
  EDGES,
  INTRA_CHANNELS,
  INTRA_INPUTS,
  INTRA_STAGES,
  IntraPrediction,
  intraShapes,
  type IntraModel,
} from './intra-prediction'
import { residuals, walk, withIntra, type Region } from './testing-intra'
import { TileContext } from './tile-context'
import { LATENTS, type CodecWeights } from './weights'

let shipped: CodecWeights
beforeAll(async () => {
  shipped = (await readModel('safelight-v2')).weights
})

const ONE = 1 << 10

/** What is foretold [positions][192] and the second layer of stage 0 [positions][hidden], said again slowly. */
function foretoldAgain(
  model: IntraModel,
  { width, height, active }: Region,
  symbols: Int16Array,
): { foretold: number[][]; seen: number[][] } {
  const wrap = (x: bigint): bigint => BigInt.asIntN(32, x)
  const saturate = (x: bigint): bigint => (x > 32767n ? 32767n : x < -32768n ? -32768n : x)
  const product = (row: Int32Array, values: readonly bigint[]): bigint =>
    wrap(values.reduce((sum, value, k) => sum + value * BigInt(row[k]!), 0n))
  const rowOf = (matrix: Int32Array, n: number, length: number): Int32Array =>
    matrix.subarray(n * length, (n + 1) * length)
  const layer = (matrix: Int32Array, rows: number, values: readonly bigint[]): bigint[] =>
    Array.from({ length: rows }, (_, n) => {
      const sum = product(rowOf(matrix, n, values.length), values) >> 10n
      return saturate(sum > 0n ? sum : 0n)
    })
  const scaledAt = (p: number): bigint[] =>
    Array.from({ length: INTRA_CHANNELS }, (_, c) =>
      c < active ? saturate(wrap(BigInt(symbols[p * active + c]!) * BigInt(model.step[c]!)) >> 10n) : 0n,
    )
  const edgesAt = (p: number): bigint[] => {
    const scaled = scaledAt(p)
    return Array.from({ length: EDGES }, (_, j) => {
      const column = scaled.map((_, c) => model.edges[c * EDGES + j]!)
      return saturate(wrap(product(Int32Array.from(column), scaled) + 16384n) >> 15n)
    })
  }
  const outside = new Array<bigint>(EDGES).fill(0n)
  const edges = Array.from({ length: width * height }, (_, p) => edgesAt(p))
  const edgesOf = (x: number, y: number): bigint[] =>
    x < 0 || y < 0 || x >= width ? outside : edges[y * width + x]!
  const foretold: number[][] = []
  const seen: number[][] = []
  for (let p = 0; p < width * height; p++) {
    const x = p % width
    const y = (p - x) / width
    const inputs = [
      ...edgesOf(x - 1, y).slice(0, 32),
      ...edgesOf(x, y - 1).slice(32, 64),
      ...edgesOf(x - 1, y - 1).slice(28, 32),
      ...edgesOf(x + 1, y - 1).slice(32, 64),
    ]
    const first = layer(model.in, model.width, inputs)
    const here: number[] = []
    for (const [stage, from] of INTRA_STAGES.slice(0, 3).entries()) {
      const second = layer(model.mid[stage]!, model.hidden, [...first, ...scaledAt(p).slice(0, from)])
      if (stage === 0) seen.push(second.map(Number))
      for (let c = from; c < INTRA_STAGES[stage + 1]!; c++) {
        const common = product(rowOf(model.out[stage]!, c - from, model.hidden), second) >> 10n
        here.push(Number(saturate(wrap(wrap(common * BigInt(model.gain[c]!)) + 512n) >> 10n)))
      }
    }
    foretold.push(here)
  }
  return { foretold, seen }
}

/** A model in which only intra prediction says anything of means and scales, and nothing drifts. */
function alone(width: number, hidden: number, seed: number, reach: number, wild = false): CodecWeights {
  const integers = new Map(shipped.integers)
  for (const [name, values] of integers) integers.set(name, new Int32Array(values.length))
  integers.set('thresholds', shipped.integers.get('thresholds')!)
  const { chromaPrediction, ...config } = shipped.config
  expect(chromaPrediction).toBe(1)
  return withIntra({ ...shipped, config, integers }, seed, { width, hidden }, reach, wild)
}

const clamp = (symbol: number): number => Math.max(-SYMBOL_LIMIT, Math.min(SYMBOL_LIMIT, symbol))

const REGIONS: readonly Region[] = [
  { width: 1, height: 1, active: 768 },
  { width: 1, height: 3, active: 112 },
  { width: 2, height: 2, active: 16 },
  { width: 2, height: 3, active: 96 },
  { width: 3, height: 2, active: 192 },
  { width: 3, height: 3, active: 32 },
  { width: 3, height: 2, active: 208 },
]
const region = fc.constantFrom(...REGIONS)
const seeds = fc.nat(2 ** 31)

describe('prediction from edges', () => {
  it('is what its definition says, whatever saturates or wraps', () => {
    const reach = fc.constantFrom(300, 3000, 32767)
    const spread = fc.constantFrom(0.5, 20, 600)
    const outcomes = { foretold: 0, saturated: 0 }
    fc.assert(
      fc.property(seeds, reach, spread, region, fc.boolean(), (seed, far, wide, where, wild) => {
        const model = contextModelAt(alone(1 + (seed % 5), 1 + (seed % 3), seed, far, wild), seed % 64)
        const { symbols, means } = walk(model, where, residuals(seed, wide))
        const { foretold } = foretoldAgain(model.intra!, where, symbols)
        const expected = means.map((_, i) => {
          const c = i % where.active
          return clamp(foretold[(i - c) / where.active]![c] ?? 0)
        })
        expect(means).toEqual(expected)
        outcomes.foretold += means.filter((mean) => mean !== 0).length
        outcomes.saturated += foretold.flat().filter((value) => Math.abs(value) >= 32767).length
      }),
      { numRuns: 40 },
    )
    expect(outcomes.foretold).toBeGreaterThan(1000)
    expect(outcomes.saturated).toBeGreaterThan(100)
  })

  it('is what training computes in floats, but for rounding', async () => {
    await readyWasm()
    const where = { width: 4, height: 3, active: 768 }
    const [quality, weights] = [17, alone(24, 12, 3, 200)]
    const random = makePrng(3)
    const { symbols, means } = walk(contextModelAt(weights, quality), where, () =>
      Math.round(random.nextNormal() * 100),
    )
    const known = tf.tensor4d(
      Float32Array.from(symbols, (v) => v / SYMBOL_UNIT),
      [1, 3, 4, LATENTS],
    )
    const shapes = new Map(intraShapes(weights.config))
    const tensor = (name: string): tf.Tensor => {
      const unit = 2 ** -INTEGER_BITS[name]!
      return tf.tensor(
        Float32Array.from(weights.integers.get(name)!, (v) => v * unit),
        [...shapes.get(name)!],
      )
    }
    const floats = await tf.tidy(() => predictIntra(tensor, known, quality).means).data()
    known.dispose()
    const foretold = means.filter((_, i) => i % LATENTS < INTRA_CHANNELS)
    const worst = foretold.reduce(
      (most, mean, i) => Math.max(most, Math.abs(mean - floats[i]! * SYMBOL_UNIT)),
      0,
    )
    expect(Math.max(...foretold)).toBeGreaterThan(500)
    expect(worst).toBeLessThan(3)
  })

  it('bears on the scales through the second layer of its first stage', () => {
    for (const seed of [1, 2, 3]) {
      const where = { width: 3, height: 2, active: 48 }
      const model = contextModelAt(alone(4, 3, seed, 3000), 31)
      const { symbols, tables } = walk(model, where, residuals(seed, 9))
      const { seen } = foretoldAgain(model.intra!, where, symbols)
      const expected = tables.map((_, i) => {
        const c = i % where.active
        const layer = seen[(i - c) / where.active]!
        const sum = layer.reduce(
          (total, value, g) =>
            total + Math.min(HIDDEN_CAP, value) * model.intra!.scaleWeights[g * LATENTS + c]!,
          0,
        )
        const inLow = Math.max(0, (sum + LOW_RANGE) >> LOW_SHIFT)
        const rank = sum >= LOW_RANGE ? model.high[sum >> 14]! : model.low[inLow]!
        return model.tableOf[Math.min(model.tableOf.length - 1, (rank + 128) >> RANK_SHIFT)]!
      })
      expect(tables).toEqual(expected)
      expect(new Set(tables).size).toBeGreaterThan(5)
    }
  })

  it('is added to the prediction from neighbours, before what luma foretells', () => {
    const integers = new Map(shipped.integers)
    const gains = integers.get('mean_gain')!
    // Large enough for the limit to bend what edges and neighbours say together.
    integers.set(
      'mean_gain',
      gains.map((gain) => 8 * gain),
    )
    const weights = withIntra({ ...shipped, integers }, 5, { width: 6, hidden: 4 }, 6000)
    const model = contextModelAt(weights, 20)
    const where = { width: 3, height: 3, active: 320 }
    const { symbols, means } = walk(model, where, residuals(4, 60))
    const nearby = meansOf({ ...model, intra: null, chroma: null }, where, symbols)
    const chroma = foretoldByLuma(model.chroma!, where, symbols)
    const { foretold } = foretoldAgain(model.intra!, where, symbols)
    let bent = 0
    const expected = means.map((_, i) => {
      const c = i % where.active
      const sum = nearby[i]! + (foretold[(i - c) / where.active]![c] ?? 0)
      if (sum !== clamp(sum) && chroma[i] !== 0) bent++
      return clamp(clamp(sum) + chroma[i]!)
    })
    expect(means).toEqual(expected)
    expect(bent).toBeGreaterThan(0)
  })

  it('carries an edge on, saturates at 16 bits and wraps at 32', () => {
    // One unit a layer: the west neighbour's first channel to its edge, from there to the first channel here.
    const foretold = (symbol: number, weight: number, gain: number): number => {
      const only = (length: number, value: number): Int32Array => new Int32Array(length).fill(value, 0, 1)
      const model: IntraModel = {
        width: 1,
        hidden: 1,
        edges: only(INTRA_CHANNELS * EDGES, 16384),
        step: only(INTRA_CHANNELS, 2 * ONE),
        gain: only(INTRA_CHANNELS, gain),
        in: only(INTRA_INPUTS, weight),
        mid: INTRA_STAGES.slice(0, 3).map((from) => only(1 + from, weight)),
        out: INTRA_STAGES.slice(0, 3).map((from, i) => only(INTRA_STAGES[i + 1]! - from, weight)),
        scaleWeights: new Int32Array(LATENTS),
      }
      const intra = new IntraPrediction(model, 3, 16)
      const [outside, west] = [0, 1]
      const symbols = new Int16Array(16)
      symbols[0] = symbol
      intra.start(model, Int32Array.of(outside, outside, outside, outside))
      expect(intra.of(0)).toBe(0)
      intra.finish(west, symbols, 0)
      intra.start(model, Int32Array.of(west, outside, outside, outside))
      expect(intra.of(1)).toBe(0)
      return intra.of(0)
    }
    expect(foretold(1600, ONE, ONE)).toBe(1600)
    expect(foretold(-1600, ONE, ONE)).toBe(0)
    expect(foretold(1600, ONE / 2, ONE)).toBe(200)
    expect(foretold(1600, ONE, -ONE / 2)).toBe(-800)
    expect(foretold(1, ONE, ONE / 2)).toBe(1)
    expect(foretold(1, ONE, -ONE / 2)).toBe(0)
    // A scaled symbol of 65,504 saturates to 32,767, and half of it is what the edge shows, rounded up.
    expect(foretold(32752, ONE, ONE)).toBe(16384)
    expect(foretold(32752, 4 * ONE, ONE)).toBe(32767)
    expect(foretold(32752, 4 * ONE, -ONE)).toBe(-32768)
    // Both layers saturate; 32,767 * 32,767 / 2^10 = 1,048,512, and times the gain it passes 2^31 and wraps.
    const wrapped = (Math.imul(1_048_512, 16 * ONE) + 512) >> 10
    expect(wrapped).toBeLessThan(0)
    expect(foretold(32752, 32767, 16 * ONE)).toBe(Math.max(-32768, wrapped))
  })
})

/** Means [positions, active] of a model when the tile holds these symbols. */
function meansOf(model: ContextModel, { width, height, active }: Region, symbols: Int16Array): number[] {
  const context = new TileContext(model, width, height, active)
  const means: number[] = []
  for (let p = 0; p < width * height; p++) {
    context.start(p % width, Math.floor(p / width))
    for (let c = 0; c < active; c++) means.push(context.mean(c))
    context.finish()
    context.symbols.set(symbols.subarray(p * active, (p + 1) * active), p * active)
  }
  return means
}

/** What luma foretells [positions, active]. */
function foretoldByLuma(
  model: ChromaModel,
  { width, height, active }: Region,
  symbols: Int16Array,
): number[] {
  const stride = width + 2
  const chroma = new ChromaPrediction(model, stride * (height + 1))
  const foretold: number[] = []
  for (let p = 0; p < width * height; p++) {
    const here = (Math.floor(p / width) + 1) * stride + (p % width) + 1
    chroma.start(Int32Array.of(here - 1, here - stride, here - stride - 1, here - stride + 1))
    for (let from = 0; from < active; from += SLOPE_GROUP) {
      chroma.startGroup(from, symbols, p * active)
      for (let c = from; c < from + SLOPE_GROUP; c++) foretold.push(chroma.of(c))
      chroma.finishGroup(from, symbols, p * active)
    }
    chroma.finish(here)
  }
  return foretold
}
