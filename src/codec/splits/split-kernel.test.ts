import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../../lib/prng'
import { readModel, readyWasm } from '../../training/node-model'
import { createCodec } from '../codec'
import { contextModelAt, type ContextModel } from '../context-model'
import { buildTableBank } from '../entropy-tables'
import { createEntropyKernel, type EntropyKernel } from '../kernel/entropy-kernel'
import { drawScreen } from '../testing-content'
import { LATENTS, type CodecWeights } from '../weights'
import { guessSplits, Splitter } from './split-choice'
import { SPLITS } from './split-model'

const POSITIONS = 40

describe('splits of the newest model in the kernel', () => {
  let weights: CodecWeights
  let model: ContextModel
  let kernel: EntropyKernel
  beforeAll(async () => {
    await readyWasm()
    weights = (await readModel()).weights
    model = contextModelAt(weights, 30)
    kernel = (await createEntropyKernel(weights.config, model, buildTableBank(weights.tables)))!
    kernel.use(model)
  })

  const drawn = (seed: number, spread: number): Float32Array => {
    const prng = makePrng(seed)
    return Float32Array.from(
      { length: POSITIONS * LATENTS },
      (_, i) => (prng.nextNormal() * spread) / (1 + (i % LATENTS) / 8),
    )
  }

  it.each([0.5, 20, 3000])('are guessed and taken as in TypeScript, latents spread by %f', (spread) => {
    const y = drawn(Math.round(spread), spread)
    const at = (position: number, of = y) => of.subarray(position * LATENTS, (position + 1) * LATENTS)
    const splitter = new Splitter(model.splits!)
    kernel.y.set(y)
    expect(kernel.guess(POSITIONS)).toEqual(
      guessSplits(POSITIONS, (position) => splitter.guess(at(position))),
    )
    const splits = Uint8Array.from({ length: POSITIONS }, (_, position) => position % SPLITS)
    kernel.split(splits)
    const expected = y.slice()
    splits.forEach((split, position) => {
      if (split !== 0) splitter.split(split, at(position), at(position, expected))
    })
    expect(kernel.y.slice(0, y.length)).toEqual(expected)
  })

  it('give the same picture, byte for byte, with the kernel and without', async () => {
    const image = drawScreen(3, 120, 90)
    const coded = await Promise.all(
      (['kernel', 'typescript'] as const).map((entropy) =>
        createCodec(weights, { entropy }).encode(image, { quality: 30, effort: 'fast' }),
      ),
    )
    expect(coded[0]).toEqual(coded[1])
    const whole = await createCodec(weights, { choices: { splits: null } }).encode(image, {
      quality: 30,
      effort: 'fast',
    })
    // Letters and lines take fewer bytes where they are split.
    expect(coded[0]!.length).toBeLessThan(0.97 * whole.length)
  })
})
