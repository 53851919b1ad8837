import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import { RELEASED_MODELS } from '../model/released-models'
import { goldenStreamsOf } from '../training/golden-files'
import { readModel } from '../training/node-model'
import { decodeAlpha } from './alpha'
import { assembleBitstream } from './bitstream'
import { contextModelAt } from './context-model'
import { buildTableBank } from './entropy-tables'
import { CodecError } from './errors'
import { SPLITS } from './splits/split-model'
import { makeVictim, mutate } from './testing'
import { withIntra } from './testing-intra'
import { withSplits } from './splits/testing-splits'
import { withCalibration, withStages } from './testing-stages'
import { encodeTile } from './tile-coder'
import { BLOCK, LATENTS, type CodecWeights } from './weights'

/** Of all models together. */
const ALL_MUTATIONS = 100_000
const MUTATIONS = Math.floor(ALL_MUTATIONS / RELEASED_MODELS.length)
const MEGABYTE = 2 ** 20

it.each(RELEASED_MODELS)(
  'meets mutations of $name with a picture of the right size or a typed refusal, in bounded memory',
  async (released) => {
    const { streams } = JSON.parse(readFileSync(goldenStreamsOf(released), 'utf8')) as {
      streams: { bitstream: string }[]
    }
    const victim = await makeVictim((await readModel(released.name)).weights)
    const sound = streams
      .map(({ bitstream }) => new Uint8Array(Buffer.from(bitstream, 'base64')))
      .filter(({ length }) => length < 3000)
    expect(sound.length).toBeGreaterThan(5)
    expectBounded(victim, sound, MUTATIONS)
  },
  300_000,
)

it.each([
  ['predicts from edges', (w: CodecWeights) => withIntra(w, 6, { width: 17, hidden: 9 }, 400, true)],
  ['stages and calibrates scales', (w: CodecWeights) => withStages(withCalibration(w), 7, 9, 400, true)],
  ['splits positions', (w: CodecWeights) => withSplits(w, 8, true)],
])('meets mutations of streams of a model that %s alike', async (_, changed) => {
  const weights = changed((await readModel('safelight-v4')).weights)
  const bank = buildTableBank(weights.tables)
  const prng = makePrng(1)
  const sound = [4, 30, 61].map((quality, n) => {
    const [columns, rows] = [1 + n, 2]
    const y = Float32Array.from({ length: columns * rows * LATENTS }, (_, i) => {
      const c = i % LATENTS
      return c < 208 ? (prng.nextNormal() * 20) / (1 + c / 12) : 0
    })
    const model = contextModelAt(weights, quality)
    const splits =
      model.splits === null ? null : Uint8Array.from({ length: columns * rows }, (_, p) => (p + 1) % SPLITS)
    const tile = encodeTile({ model, bank, kernel: null }, y, columns, rows, { splits })
    const picture = { width: columns * BLOCK, height: rows * BLOCK, hasAlpha: false, quality }
    return assembleBitstream({ ...picture, colorSpace: 'srgb' }, null, [tile])
  })
  expectBounded(await makeVictim(weights), sound, 10_000)
})

function expectBounded(
  victim: (bytes: Uint8Array) => string,
  sound: readonly Uint8Array[],
  mutations: number,
): void {
  for (const bytes of sound) expect(victim(bytes)).toBe('read')
  const before = process.memoryUsage().rss
  let peak = before
  const outcomes = new Map<string, number>()
  const prng = makePrng(20_261_121)
  for (let n = 0; n < mutations; n++) {
    const outcome = victim(mutate(prng, sound))
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (n % 1000 === 0) peak = Math.max(peak, process.memoryUsage().rss)
  }
  expect([...outcomes.keys()].sort()).toEqual(['damaged', 'read', 'too-large', 'unsupported'])
  expect(outcomes.get('damaged')).toBeGreaterThan(mutations / 2)
  expect(peak - before).toBeLessThan(400 * MEGABYTE)
}

it('refuses an alpha plane that its bytes cannot fill before it takes memory for it', () => {
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 20; i++)
    expect(() => decodeAlpha(new Uint8Array(900), 20_000, 10_000)).toThrow(CodecError)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * MEGABYTE)
})
