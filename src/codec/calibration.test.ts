import { beforeAll, describe, expect, it } from 'vitest'
import { readModel } from '../training/node-model'
import { BAND_OF_GROUP, CALIBRATION_RANKS, CELLS, cellOf } from './calibration'
import { contextModelAt } from './context-model'
import { buildTableBank, driftRate, driftTable, TABLES } from './entropy-tables'
import { residuals, walk } from './testing-intra'
import { withCalibration } from './testing-stages'
import { decodeTile, encodeTile } from './tile-coder'
import { LATENTS, type CodecWeights } from './weights'

let shipped: CodecWeights
beforeAll(async () => {
  shipped = (await readModel('safelight-v3')).weights
})

describe('kinds of symbols', () => {
  it('are a band of channels and four tables', () => {
    expect(cellOf(0, 0)).toBe(0)
    expect(cellOf(15, 1023)).toBe(0)
    expect(cellOf(16, 1024)).toBe(17)
    expect(cellOf(63, 2047)).toBe(33)
    expect(cellOf(64, 2048)).toBe(50)
    expect(cellOf(495, 16_383)).toBe(111)
    expect(cellOf(767, 16_383)).toBe(127)
    expect(CELLS).toBe(128)
    expect(CALIBRATION_RANKS).toBe(TABLES)
  })

  it('have bands that widen', () => {
    const sizes = [0, 1, 2, 3, 4, 5, 6, 7].map((band) => BAND_OF_GROUP.filter((b) => b === band).length)
    expect(sizes).toEqual([1, 1, 2, 3, 4, 8, 12, 17])
  })
})

/** Nothing but a bias bears on scales, so that ranks before offsets are known. */
function constant(weights: CodecWeights): CodecWeights {
  const integers = new Map(weights.integers)
  for (const [name, values] of integers)
    if (!['thresholds', 'drift', 'drift_shift', 'scale_bias'].includes(name))
      integers.set(name, new Int32Array(values.length))
  integers.set(
    'scale_bias',
    integers.get('scale_bias')!.map((_, i) => ((((i % LATENTS) * 37) % 40) - 24) << 12),
  )
  const { chromaPrediction, ...config } = weights.config
  expect(chromaPrediction).toBe(1)
  return { ...weights, config, integers }
}

describe('a calibrated tile', () => {
  it('drifts by channel and by kind', () => {
    const model = contextModelAt(constant(withCalibration(shipped)), 30)
    const where = { width: 3, height: 3, active: 560 }
    const next = residuals(5, 2)
    const put: number[] = []
    const { tables } = walk(model, where, () => {
      put.push(next())
      return put.at(-1)!
    })
    const limit = (x: number): number => Math.max(-(2 ** 19), Math.min(2 ** 19, x))
    const offsets = new Map<string, number>()
    const pending = new Map<string, number>()
    const read = (key: string): number => offsets.get(key) ?? 0
    const move = (key: string, step: number): unknown => offsets.set(key, limit(read(key) + step))
    const starts = [0, 16, 32, 64, 112, 176, 304, 496]
    let apart = 0
    const expected = put.map((residual, i) => {
      const c = i % where.active
      const fine = model.low[(model.bias[c]! + 2 ** 17) >> 7]!
      const band = starts.filter((start) => start <= c).length
      const [channel, kind] = [`channel ${c}`, `kind ${band} ${Math.floor(fine / 1024)}`]
      const total = read(channel) + read(kind)
      const rank = Math.max(0, Math.min(63, (fine + (total >> 8) + 128) >> 8))
      if (rank !== Math.max(0, Math.min(63, (fine + 128) >> 8))) apart++
      const level = Math.min(15, Math.abs(residual) >> model.driftShift[rank]!)
      const step = model.drift[16 * rank + level]!
      move(channel, step)
      pending.set(kind, (pending.get(kind) ?? 0) + step)
      if (c % 16 === 15) {
        pending.forEach((steps, moved) => move(moved, steps))
        pending.clear()
      }
      return rank
    })
    expect(tables).toEqual(expected)
    expect(apart).toBeGreaterThan(1000)
    expect(Math.max(...offsets.values())).toBe(2 ** 19)
  })

  it('starts anew, and round trips what is chosen from latents', () => {
    const weights = withCalibration(shipped)
    const entropy = { model: contextModelAt(weights, 40), bank: buildTableBank(weights.tables), kernel: null }
    const next = residuals(8, 4)
    const y = Float32Array.from({ length: 6 * LATENTS }, (_, i) => (i % LATENTS < 300 ? next() / 3 : 0))
    const first = encodeTile(entropy, y.slice(), 3, 2)
    expect(encodeTile(entropy, y.slice(), 3, 2)).toEqual(first)
    const without = { ...entropy, model: { ...entropy.model, isCalibrated: false } }
    expect(encodeTile(without, y.slice(), 3, 2)).not.toEqual(first)
    const { symbols, active } = decodeTile(entropy, first, 3, 2)
    symbols.forEach((symbol, i) => {
      const c = i % active
      expect(Math.abs(symbol / 16 - y[((i - c) / active) * LATENTS + c]!)).toBeLessThan(2)
    })
  })

  it('drifts at less than half the rate', () => {
    expect([driftRate(true), driftRate(false)]).toEqual([0.02, 0.05])
    const [slow, fast] = [driftTable(0.02), driftTable()]
    slow.forEach((step, i) => expect(Math.abs(step - 0.4 * fast[i]!)).toBeLessThan(1))
  })
})
