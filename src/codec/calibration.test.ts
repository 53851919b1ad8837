import { beforeAll, describe, expect, it } from 'vitest'
import { readModel } from '../training/node-model'
import { BAND_OF_GROUP, CALIBRATION_RANKS, cellCount, cellOf } from './calibration'
import { contextModelAt } from './context-model'
import { nextState, quantizerOf, type State } from './dependent-quantization'
import { buildTableBank, driftRate, driftTable, lawsOf, TABLES } from './entropy-tables'
import { withDependentQuantization } from './testing-dependent'
import { residuals, walk } from './testing-intra'
import { withCalibration } from './testing-stages'
import { decodeTile, encodeTile } from './tile-coder'
import { LATENTS, type CodecWeights } from './weights'

let shipped: CodecWeights
beforeAll(async () => {
  shipped = (await readModel('safelight-v3')).weights
})

describe('kinds of symbols', () => {
  it('are a quantizer, a band of channels and four tables', () => {
    expect(cellOf(0, 0, 0)).toBe(0)
    expect(cellOf(0, 15, 1023)).toBe(0)
    expect(cellOf(0, 16, 1024)).toBe(17)
    expect(cellOf(0, 63, 2047)).toBe(33)
    expect(cellOf(0, 64, 2048)).toBe(50)
    expect(cellOf(1, 0, 0)).toBe(128)
    expect(cellOf(1, 495, 16_383)).toBe(239)
    expect(cellOf(1, 767, 16_383)).toBe(255)
    expect([cellCount(1), cellCount(2)]).toEqual([128, 256])
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
  it.each([1, 2] as const)('drifts by channel and by kind, with %i quantizers', (quantizers) => {
    const base = quantizers === 2 ? withDependentQuantization(shipped) : shipped
    const model = contextModelAt(constant(withCalibration(base)), 30)
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
    let state: State = 0
    let apart = 0
    const expected = put.map((residual, i) => {
      const c = i % where.active
      if (c === 0) state = 0
      const quantizer = quantizers === 2 ? quantizerOf(state) : 0
      const fine = model.low[(model.bias[c]! + 2 ** 17) >> 7]!
      const band = starts.filter((start) => start <= c).length
      const [channel, kind] = [`channel ${c}`, `kind ${quantizer} ${band} ${Math.floor(fine / 1024)}`]
      const total = read(channel) + read(kind)
      const rank = Math.max(0, Math.min(63, (fine + (total >> 8) + 128) >> 8))
      if (rank !== Math.max(0, Math.min(63, (fine + 128) >> 8))) apart++
      const record = 64 * quantizer + rank
      const level = Math.min(15, Math.abs(residual) >> model.driftShift[record]!)
      const step = model.drift[16 * record + level]!
      move(channel, step)
      pending.set(kind, (pending.get(kind) ?? 0) + step)
      if (c % 16 === 15) {
        pending.forEach((steps, moved) => move(moved, steps))
        pending.clear()
      }
      if (quantizers === 2) state = nextState(state, residual)
      return record
    })
    expect(tables).toEqual(expected)
    expect(apart).toBeGreaterThan(1000)
    expect(Math.max(...offsets.values())).toBe(2 ** 19)
  })

  it('starts anew, and round trips what is chosen from latents', () => {
    const weights = withCalibration(withDependentQuantization(shipped))
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
    const laws = lawsOf(true)
    const [slow, fast] = [driftTable(laws, 0.02), driftTable(laws)]
    slow.forEach((step, i) => expect(Math.abs(step - 0.4 * fast[i]!)).toBeLessThan(1))
  })
})
