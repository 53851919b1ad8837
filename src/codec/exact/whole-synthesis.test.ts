import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../../lib/prng'
import { readModel } from '../../training/node-model'
import { wholeTestWeights } from '../../training/testing'
import { inFloat32, inWholeNumbers } from '../../training/whole-units'
import { SYMBOL_LIMIT } from '../context-model'
import { KNOTS, QUALITY_MAX } from '../quality'
import { LATENTS, type CodecWeights } from '../weights'
import { FINE_BITS, SEEN_MOST, type WholeFilter } from './layers'
import { fitSymbols } from './symbol-energy'
import { loudestFor } from './testing'
import { roundHalfAway } from './whole-layer'
import { activationChannels, unitName, wholeModelAt, wholeModelsOf, type WholeModel } from './whole-synthesis'

const LIMIT = 2 ** 24
const QUALITIES = [0, 11, 24, 34, 52, QUALITY_MAX]

let weights: CodecWeights
beforeAll(async () => {
  weights = await wholeTestWeights()
})

/** The largest sum of magnitudes that a column can come to, by what its inputs can be at most. */
function largestSum({ taps, rows, columns, weights }: WholeFilter, most: number, bias?: Int32Array): number {
  let largest = 0
  for (let c = 0; c < columns; c++) {
    let sum = Math.abs(bias?.[c] ?? 0)
    for (let i = 0; i < taps * rows; i++) sum += Math.abs(weights[i * columns + c]!) * most
    largest = Math.max(largest, sum)
  }
  return largest
}

function largestSymbolSum(filter: WholeFilter, { energy }: WholeModel, bias?: Int32Array): number {
  const { rows, columns, weights } = filter
  let largest = 0
  for (let c = 0; c < columns; c += 7) {
    const symbols = loudestFor(weights, c, columns, energy)
    let sum = Math.abs(bias?.[c] ?? 0)
    for (let row = 0; row < rows; row++) sum += Math.abs(weights[row * columns + c]! * symbols[row]!)
    largest = Math.max(largest, sum)
  }
  return largest
}

describe.each(QUALITIES)('the layers at quality %i', (quality) => {
  it('have no sum of 2^24, whatever the inputs', () => {
    const model = wholeModelAt(weights, quality)
    const { most, linear, linearFiner, first, blocks, features, renderPixels, renderFeatures, finish } =
      model.synthesis
    expect(largestSymbolSum(first, model, first.bias)).toBeLessThan(LIMIT)
    const finer = largestSymbolSum(linearFiner, model)
    expect(finer).toBeLessThan(LIMIT)
    expect(largestSymbolSum(linear, model, linear.bias) + finer / 2 ** FINE_BITS).toBeLessThan(LIMIT)
    linear.weights.forEach((weight, i) => {
      const both = weight * 2 ** FINE_BITS + linearFiner.weights[i]!
      if (Math.abs(both) > 32767) throw new Error(`${both} has more than 16 bits.`)
    })
    for (const { depthwise, expand, project } of blocks)
      for (const layer of [depthwise, expand, project])
        expect(largestSum(layer, most, layer.bias)).toBeLessThan(LIMIT)
    expect(largestSum(features, most, features.bias)).toBeLessThan(LIMIT)
    expect(largestSum(finish, most, finish.bias)).toBeLessThan(LIMIT)
    for (let c = 0; c < renderPixels.columns; c++) {
      let sum = Math.abs(renderPixels.bias[c]!)
      for (const [filter, input] of [
        [renderPixels, SEEN_MOST],
        [renderFeatures, most],
      ] as const)
        for (let i = c; i < filter.weights.length; i += filter.columns)
          sum += Math.abs(filter.weights[i]!) * input
      expect(sum).toBeLessThan(LIMIT)
    }
  })

  it('get the symbols of a block that is too loud shifted by as few bits as will do', () => {
    const { energy } = wholeModelAt(weights, quality)
    const { shares, limit } = energy
    const energyOf = (symbols: Int16Array) => symbols.reduce((sum, s, c) => sum + s * s * shares[c]!, 0)
    const random = makePrng(quality)
    for (const most of [64, 640, 6400, SYMBOL_LIMIT]) {
      const drawn = Int16Array.from({ length: LATENTS }, () => random.nextBelow(2 * most + 1) - most)
      expect(Number.isSafeInteger(energyOf(drawn))).toBe(true)
      let expected = drawn
      for (let bits = 1; energyOf(expected) > limit; bits++)
        expected = drawn.map((symbol) => Math.trunc(symbol / 2 ** bits))
      const [fitted, turned] = [drawn.slice(), drawn.map((symbol) => -symbol)]
      expect(fitSymbols(fitted, LATENTS, energy)).toBe(energyOf(drawn) > limit ? 1 : 0)
      fitSymbols(turned, LATENTS, energy)
      expect(fitted).toEqual(expected)
      expect(turned.map((symbol) => -symbol)).toEqual(expected)
    }
  })
})

/** Over all arrays of a model, in the order of their names. */
function digestOf(model: WholeModel): string {
  const hash = createHash('sha256')
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) hash.update(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
    else if (typeof value === 'object' && value !== null)
      for (const [, part] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) visit(part)
    else hash.update(String(value))
  }
  visit(model)
  return hash.digest('hex')
}

describe('whole weights', () => {
  it('are these bits for ever: pictures that were stored are restored by them', async () => {
    const { weights: first } = await readModel('safelight-v1')
    const units = [...activationChannels(first.config)].map(
      ([name, count]) => [unitName(name), new Float32Array(KNOTS * count).fill(2 ** -7)] as const,
    )
    const whole = inWholeNumbers(first, new Map(units), 10)
    expect([0, 34, QUALITY_MAX].map((quality) => digestOf(wholeModelAt(whole, quality))))
      .toMatchInlineSnapshot(`
      [
        "670d60f15ca5bdf41cd77d3052a87b16cc49f41c9034ba4da0aad911ff641f4f",
        "f57220b2842504a19912b78bd5b64e68e6d088c43984049c44fffc649dce4fc0",
        "4c64757ed17a08c7af218556cebac63f7d47c32af92cfa6fd5de11e24e62c1bb",
      ]
    `)
  })

  it('round halves away from zero', () => {
    expect([0.5, -0.5, 1.5, -1.5, 2.4, -2.6, 0].map(roundHalfAway)).toEqual([1, -1, 2, -2, 2, -3, 0])
  })

  it('are made once for two qualities that take turns', () => {
    const at = wholeModelsOf(weights)
    const [first, second] = [at(30), at(31)]
    expect([at(30) === first, at(31) === second]).toEqual([true, true])
    at(32)
    expect(at(31)).toBe(second)
    expect(at(30) === first).toBe(false)
  })

  it('are the same twice, and none where a model has no units', () => {
    const [once, again] = [1, 2].map(() => JSON.stringify(wholeModelAt(weights, 34)))
    expect(once === again).toBe(true)
    expect(() => wholeModelAt(inFloat32(weights), 34)).toThrow(RangeError)
    const tensors = new Map(weights.tensors)
    tensors.delete('unit_trunk')
    expect(() => wholeModelAt({ ...weights, tensors }, 34)).toThrow(/unit_trunk/)
  })
})
