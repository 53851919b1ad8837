/** A personal model in whole numbers: the base model's whole weights in another order. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createCodec } from '../codec/codec'
import type { WholeFilter } from '../codec/exact/layers'
import { anySymbols } from '../codec/exact/testing'
import { createWholeMachine } from '../codec/exact/whole-machine'
import { wholeModelAt, type WholeModel } from '../codec/exact/whole-synthesis'
import { DEFAULT_QUALITY } from '../codec/quality'
import { withIntra } from '../codec/testing-intra'
import { withSplits } from '../codec/splits/testing-splits'
import type { RasterImage } from '../codec/types'
import { BLOCK, LATENTS, type CodecWeights } from '../codec/weights'
import { makePrng } from '../lib/prng'
import { wholeTestWeights } from '../training/testing'
import { drawsFrom } from './draws'
import { identity, type Relabelling } from './fold'
import { drawMediaTransform, foldMediaTransform } from './media-transform'

let base: CodecWeights
beforeAll(async () => {
  base = await wholeTestWeights()
})

const transformOf = async (n: number) => drawMediaTransform(base, await drawsFrom(new Uint8Array(32).fill(n)))

describe('a personal model in whole numbers', () => {
  it.each([2, 30, 61])('has the whole weights of the base model, quality %i', async (quality) => {
    const transform = await transformOf(quality)
    const [mine, theirs] = [foldMediaTransform(base, transform), base].map((w) =>
      wholeModelAt(w, quality),
    ) as [WholeModel, WholeModel]
    const { latents, synthesis, renderFeatures, render } = transform
    const [own, plain] = [mine.synthesis, theirs.synthesis]
    const signOf = (layer: WholeFilter, row: number): number =>
      layer === own.linear || layer === own.first ? latents.gain[row]! : 1
    /** Weights [taps, rows, columns] that are not those of the base model in the transform's labels. */
    const wrong = (
      layer: WholeFilter,
      before: WholeFilter,
      rows: Relabelling,
      columns: Relabelling,
    ): number =>
      layer.weights.reduce((count, weight, i) => {
        const c = i % layer.columns
        const row = Math.floor(i / layer.columns) % layer.rows
        const from = i - c - row * layer.columns + rows.order[row]! * layer.columns + columns.order[c]!
        return count + (weight === signOf(layer, row) * before.weights[from]! ? 0 : 1)
      }, 0)
    const { channels, blocks } = synthesis
    const depthwise = own.blocks[0]!.depthwise
    const spread = { order: channels.order, gain: blocks[0]!.spread }
    expect(wrong(own.linear, plain.linear, latents, identity(own.linear.columns))).toBe(0)
    expect(wrong(own.first, plain.first, latents, channels)).toBe(0)
    expect(wrong(depthwise, plain.blocks[0]!.depthwise, identity(1), spread)).toBe(0)
    expect(wrong(own.blocks[0]!.expand, plain.blocks[0]!.expand, spread, blocks[0]!.hidden)).toBe(0)
    expect(wrong(own.blocks[0]!.project, plain.blocks[0]!.project, blocks[0]!.hidden, channels)).toBe(0)
    expect(wrong(own.renderFeatures, plain.renderFeatures, renderFeatures, render)).toBe(0)
    expect(wrong(own.finish, plain.finish, render, identity(own.finish.columns))).toBe(0)
    expect(own.finish.shift).toEqual(plain.finish.shift)
    expect(mine.energy.limit / theirs.energy.limit).toBeCloseTo(1, 12)
  })

  it('restores the same bytes', async () => {
    const transform = await transformOf(1)
    const { order, gain } = transform.latents
    const models = [base, foldMediaTransform(base, transform)].map((w) => wholeModelAt(w, DEFAULT_QUALITY))
    const [plain, own] = models as [WholeModel, WholeModel]
    const region = { width: 5, height: 4 }
    const symbols = anySymbols(makePrng(3), region.width * region.height, LATENTS, plain.energy)
    const relabelled = symbols.map((_, i) => {
      const c = i % LATENTS
      return symbols[i - c + order[c]!]! * gain[c]!
    })
    const machine = await createWholeMachine()
    const window = { x: 0, y: 0, ...region }
    machine.use(plain.synthesis)
    const expected = await machine.restore(symbols, region, window, 'full')
    machine.use(own.synthesis)
    expect(await machine.restore(relabelled, region, window, 'full')).toEqual(expected)
    machine.dispose()
  })

  it.each([
    ['edges predict', null],
    ['positions are split', Uint8Array.of(1, 0, 3, 2, 0, 2, 1, 1, 3, 0, 0, 0, 2, 1, 3)],
  ])('restores the same pixels from the same residuals where %s', async (_, splits) => {
    const model = withSplits(withIntra(base, 9, { width: 12, hidden: 8 }, 300), 10)
    const transform = drawMediaTransform(model, await drawsFrom(new Uint8Array(32).fill(5)))
    const { order, gain } = transform.latents
    const [width, height] = [70, 41]
    const prng = makePrng(4)
    const positions = Math.ceil(width / BLOCK) * Math.ceil(height / BLOCK)
    const chosen = Int16Array.from({ length: positions * LATENTS }, (_, i) =>
      Math.round((prng.nextNormal() * 6) / (1 + (i % LATENTS) / 8)),
    )
    const own = chosen.map((_, i) => chosen[i - (i % LATENTS) + order[i % LATENTS]!]! * gain[i % LATENTS]!)
    const image: RasterImage = {
      ...{ width, height, hasAlpha: false, colorSpace: 'srgb' },
      data: new Uint8ClampedArray(4 * width * height).fill(128),
    }
    const restored = async (weights: CodecWeights, residuals: Int16Array): Promise<RasterImage> => {
      const codec = createCodec(weights, { choices: { chosen: residuals, splits } })
      const coded = await codec.encode(image, { quality: DEFAULT_QUALITY, effort: 'fast' })
      const pixels = await codec.decode(coded)
      codec.dispose()
      return pixels
    }
    const expected = await restored(model, chosen)
    expect(new Set(expected.data).size).toBeGreaterThan(50)
    expect(await restored(base, chosen)).not.toEqual(expected)
    expect(await restored(foldMediaTransform(model, transform), own)).toEqual(expected)
  })
})
