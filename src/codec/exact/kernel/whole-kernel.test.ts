import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../../../lib/prng'
import type { BlockRegion } from '../../blocks'
import type { WholeMachine, WholeSynthesis } from '../layers'
import { restoreReference, testLayers, type WholeSizes } from './testing-reference'
import { createWholeKernel } from './whole-kernel'

let kernel: WholeMachine
beforeAll(async () => {
  kernel = (await createWholeKernel())!
  expect(kernel).not.toBeNull()
})

const SMALL: WholeSizes = { most: 1023, seen: 20, trunk: 12, wide: 18, blocks: 2, features: 3, drawn: 5 }
const SHIPPED: WholeSizes = {
  ...{ most: 1023, seen: 320, trunk: 192, wide: 384, blocks: 3, features: 24, drawn: 32 },
}
const SYMBOL_MOST = 400

type Content = 'random' | 'most' | 'least' | 'mixed' | 'sparse' | 'silent'
function symbolsFor(count: number, content: Content, seed: number): Int16Array {
  const random = makePrng(seed)
  const next = (): number => random.nextBelow(2 * SYMBOL_MOST + 1) - SYMBOL_MOST
  return Int16Array.from({ length: count }, () => {
    if (content === 'most') return SYMBOL_MOST
    if (content === 'least') return -SYMBOL_MOST
    if (content === 'silent' || (content === 'sparse' && random.nextBelow(20) > 0)) return 0
    return content === 'mixed' ? SYMBOL_MOST * Math.sign(next()) : next()
  })
}

/** Three of each size are enough, and they take the time. */
const layers = new Map<string, WholeSynthesis>()
function layersOf(sizes: WholeSizes, seed: number): WholeSynthesis {
  const key = JSON.stringify([sizes, seed % 3])
  const found = layers.get(key) ?? testLayers(sizes, SYMBOL_MOST, makePrng(seed % 3))
  layers.set(key, found)
  return found
}

interface Case {
  readonly sizes?: WholeSizes
  readonly region: readonly [width: number, height: number]
  readonly window?: readonly [x: number, y: number, width: number, height: number]
  readonly channels?: number
  readonly content?: Content
  readonly detail?: 'full' | 'quick'
}

async function expectSame(
  { sizes = SMALL, region, window, channels = 64, content = 'random', detail = 'full' }: Case,
  seed: number,
): Promise<void> {
  const [width, height] = region
  const [x, y, w, h] = window ?? [0, 0, width, height]
  const part: BlockRegion = { x, y, width: w, height: h }
  const synthesis = layersOf(sizes, seed)
  const symbols = symbolsFor(width * height * channels, content, seed + 1)
  kernel.use(synthesis)
  const restored = await kernel.restore(symbols, { width, height }, part, detail)
  const reference = restoreReference(synthesis, symbols, { width, height }, part, detail)
  expect(restored.length).toBe(16 * w * h * 48)
  const difference = restored.findIndex((value, i) => value !== reference[i])
  expect(difference).toBe(-1)
}

describe('the kernel of the whole-number synthesis', () => {
  it('gives what plain loops give, at every small size', async () => {
    for (let width = 1; width <= 7; width++)
      for (const height of [1, 2, 5]) {
        await expectSame({ region: [width, height] }, 10 * width + height)
        await expectSame({ region: [width, height], detail: 'quick' }, 10 * width + height)
      }
  })

  it('gives the same where everything is at its limits', async () => {
    for (const content of ['most', 'least', 'mixed'] as const)
      for (let seed = 1; seed <= 4; seed++) {
        await expectSame({ region: [5, 3], content, channels: 64 * seed }, seed)
        await expectSame({ region: [5, 3], content, detail: 'quick', channels: 768 }, seed)
      }
  })

  it('gives the same where most symbols are zero', async () => {
    for (const content of ['sparse', 'silent'] as const)
      for (let width = 1; width <= 9; width++) {
        await expectSame({ region: [width, 2], content, channels: 192 }, width)
        await expectSame({ region: [width, 2], content, channels: 192, detail: 'quick' }, width)
      }
  })

  it('gives the same for layers of any width', async () => {
    const random = makePrng(7)
    const upTo = (most: number): number => 1 + random.nextBelow(most)
    for (let seed = 0; seed < 12; seed++) {
      const widths = { trunk: upTo(40), wide: upTo(50), features: upTo(20), drawn: upTo(20) }
      const sizes = { most: 2 ** (6 + (seed % 9)) - 1, seen: upTo(200), blocks: seed % 4, ...widths }
      await expectSame({ sizes, region: [upTo(6), upTo(6)], channels: 64 * upTo(3) }, seed)
    }
  })

  it('gives the same in a window of a region', async () => {
    const blocks = { ...SMALL, blocks: 3 }
    await expectSame({ sizes: blocks, region: [11, 9], window: [3, 2, 4, 5] }, 1)
    await expectSame({ sizes: blocks, region: [9, 12], window: [0, 5, 6, 7] }, 2)
    await expectSame({ sizes: blocks, region: [9, 5], window: [8, 0, 1, 1] }, 3)
  })

  it('gives the same at the size that ships, through one kernel', async () => {
    await expectSame({ sizes: SHIPPED, region: [6, 5], window: [1, 0, 4, 5], channels: 704 }, 4)
    await expectSame({ sizes: SHIPPED, region: [3, 3], channels: 128, content: 'mixed' }, 5)
    await expectSame({ region: [3, 3] }, 6)
  })

  it('refuses what does not fit', async () => {
    kernel.use(testLayers(SMALL, SYMBOL_MOST, makePrng(1)))
    const refuses = async (
      length: number,
      region: { width: number; height: number },
      window: BlockRegion,
      detail: 'full' | 'quick' = 'full',
    ): Promise<void> => {
      const attempt = async () => kernel.restore(new Int16Array(length), region, window, detail)
      await expect(attempt()).rejects.toThrow(RangeError)
    }
    const two = { width: 2, height: 2 }
    const all = { x: 0, y: 0, ...two }
    await refuses(4 * 63, two, all)
    await refuses(4 * 832, two, all)
    await refuses(0, two, all)
    await refuses(4 * 64 + 1, two, all)
    await refuses(4 * 64, two, { ...all, x: 1 })
    await refuses(4 * 64, two, { ...all, y: -1 })
    await refuses(4 * 64, two, { ...all, x: 0.5, width: 1 })
    await refuses(4 * 64, two, { ...all, width: 0 })
    await refuses(4 * 64, two, { ...all, width: 1 }, 'quick')
    await refuses(64, { width: -1, height: -1 }, { x: 0, y: 0, width: -1, height: -1 })
    await refuses(64 * 900 * 900, { width: 900, height: 900 }, { x: 0, y: 0, width: 900, height: 900 })
    const broken = testLayers(SMALL, SYMBOL_MOST, makePrng(1))
    expect(() => kernel.use({ ...broken, finish: broken.first })).toThrow(RangeError)
    for (const most of [0, 0.5, 16384]) expect(() => kernel.use({ ...broken, most })).toThrow(RangeError)
  })
})
