import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createCodec } from '../codec/codec'
import { contextModelAt } from '../codec/context-model'
import { buildTableBank } from '../codec/entropy-tables'
import { INTRA_CHANNELS } from '../codec/intra-prediction'
import { psnrDb } from '../codec/metrics'
import { withIntra } from '../codec/testing-intra'
import { withSplits } from '../codec/splits/testing-splits'
import { withCalibration, withStages } from '../codec/testing-stages'
import { decodeTile, encodeTile } from '../codec/tile-coder'
import { analyze, synthesize, transformAt } from '../codec/transform'
import type { Codec, RasterImage } from '../codec/types'
import { LATENTS, type CodecWeights } from '../codec/weights'
import { openArtifact, sealArtifact } from '../crypto/artifact'
import { CryptoError } from '../crypto/errors'
import { deriveKey, LABEL } from '../crypto/kdf'
import { newArtifactId, randomBytes } from '../crypto/random'
import { createMask } from '../diffusion/mask'
import { INDEX_OFFSET, SECTION } from '../format/artifact'
import { accountIds, modelIds } from '../format/ids'
import { PROCESS } from '../format/suite'
import { toBase64url, utf8 } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import { opaque } from '../training/opaque'
import { proceduralImage } from '../training/procedural-images'
import { readModel, readyWasm } from '../training/node-model'
import { drawsFrom } from './draws'
import { identity } from './fold'
import { drawMediaTransform, foldMediaTransform } from './media-transform'
import { hashWeights, personalModel } from './personal-model'

const seedOf = (n: number) => new Uint8Array(32).fill(n)

let base: CodecWeights
/** Without scale stages and calibration. */
let earlier: CodecWeights

beforeAll(async () => {
  await readyWasm()
  base = (await readModel()).weights
  earlier = (await readModel('safelight-v3')).weights
})

function photo(seed: number, side = 192): RasterImage {
  return opaque(proceduralImage(seed, side, side), side)
}

describe('the personal model', () => {
  it('is decided by its seed', async () => {
    const [a, again, b] = await Promise.all([1, 1, 2].map((n) => personalModel(base, seedOf(n))))
    expect(again!.weightsHash).toEqual(a!.weightsHash)
    expect(b!.weightsHash).not.toEqual(a!.weightsHash)
    expect(toBase64url(await hashWeights(base))).not.toBe(toBase64url(a!.weightsHash))
  })

  it('changes every weight tensor that has channels, and writes no negative zero', async () => {
    const { weights } = await personalModel(base, seedOf(1))
    const untouched = new Set([
      'analysis_scale',
      'synthesis_gain',
      'render_gain',
      'render_scale',
      'render_out_bias',
      'drift',
      'drift_shift',
      'mean_weight',
      'mean_gain',
      'intra_edges',
      'intra_step',
      'intra_gain',
      'thresholds',
      'split_halves',
      'split_prior',
    ])
    // Every split has what the whole has.
    const kinOf = (name: string): string => name.replace(/^split_\d_/, '')
    for (const [name, values] of [...weights.tensors, ...weights.integers]) {
      const before = base.tensors.get(name) ?? base.integers.get(name)
      if (before?.some((v) => v !== 0) !== true) continue
      const same = values.every((v, i) => v === before[i])
      expect([name, same]).toEqual([name, untouched.has(kinOf(name))])
      expect(values.some((v) => Object.is(v, -0))).toBe(false)
    }
    expect(weights.tables.some((table, i) => table.length !== base.tables[i]!.length)).toBe(true)
  })

  it.each([3, 4])('analyses and synthesises as the base model does, seed %i', async (n) => {
    const transform = drawMediaTransform(base, await drawsFrom(seedOf(n)))
    const folded = foldMediaTransform(base, transform)
    const random = makePrng(n)
    for (const quality of [5, 34, 60]) {
      const [ours, theirs] = [transformAt(folded, quality), transformAt(base, quality)]
      const pixels = Float32Array.from({ length: 16 * LATENTS }, () => random.nextBelow(256) - 128)
      const blocks = tf.tensor4d(pixels, [1, 4, 4, LATENTS])
      const wide = base.config.analysisOut
      const [a, b] = await Promise.all(
        [ours, theirs].map(async (t) => Promise.all(analyze(t, blocks).map((x) => x.data()))),
      )
      const { order, gain } = transform.latents
      const off = (mine: ArrayLike<number>, base: ArrayLike<number>, columns: number): number => {
        let most = 0
        for (let i = 0; i < mine.length; i++) {
          const c = i % columns
          most = Math.max(most, Math.abs(mine[i]! - base[i - c + order[c]!]! * gain[c]!))
        }
        return most
      }
      expect(off(a![0]!, b![0]!, LATENTS)).toBeLessThan(1e-3)
      expect(off(a![1]!, b![1]!, wide)).toBeLessThan(1e-2)

      const symbols = Float32Array.from({ length: 16 * LATENTS }, (_, i) => {
        const c = i % LATENTS
        return c < 400 ? Math.round(random.nextNormal() * (40 / (1 + c))) : 0
      })
      const relabelled = symbols.map(
        (_, i) => symbols[i - (i % LATENTS) + order[i % LATENTS]!]! * gain[i % LATENTS]!,
      )
      const restored = await Promise.all(
        [
          synthesize(ours, tf.tensor4d(relabelled, [1, 4, 4, LATENTS])),
          synthesize(theirs, tf.tensor4d(symbols, [1, 4, 4, LATENTS])),
        ].map((x) => x.data()),
      )
      const [mine, plain] = restored.map((values) => Array.from(values))
      const most = mine!.reduce((m, v, i) => Math.max(m, Math.abs(v - plain![i]!)), 0)
      expect(most).toBeLessThan(0.5)
      ours.dispose()
      theirs.dispose()
    }
  })

  it.each([
    [5, 'fast'],
    [5, 'best'],
    [34, 'fast'],
    [34, 'best'],
    [60, 'best'],
  ] as const)('restores photos as the base model does, within 1 in 255: %i, %s', async (quality, effort) => {
    const codecs = [(await personalModel(base, seedOf(quality))).weights, base].map((w) => createCodec(w))
    const [mine, plain] = codecs as [Codec, Codec]
    const image = photo(quality)
    const [own, theirs] = [
      await mine.encode(image, { quality, effort }),
      await plain.encode(image, { quality, effort }),
    ]
    expect(own).not.toEqual(theirs)
    expect(Math.abs(own.length - theirs.length)).toBeLessThan(0.002 * theirs.length + 4)
    const [a, b] = [await mine.decode(own), await plain.decode(theirs)]
    expect(a.data.reduce((most, v, i) => Math.max(most, Math.abs(v - b.data[i]!)), 0)).toBeLessThanOrEqual(1)
    for (const codec of codecs) codec.dispose()
  })

  it('changes the layers of scale stages, and the draws of nothing else', async () => {
    const model = withStages(earlier, 2, 9, 300)
    const [plain, transform] = await Promise.all(
      [earlier, model].map(async (weights) => drawMediaTransform(weights, await drawsFrom(seedOf(12)))),
    )
    expect({ ...transform!, stages: [] }).toEqual(plain)
    expect(new Set(transform!.stages.map(({ order }) => order.join())).size).toBe(4)
    const folded = foldMediaTransform(model, transform!)
    for (const name of model.integers.keys())
      if (name.startsWith('stage_'))
        expect([name, folded.integers.get(name)]).not.toEqual([name, model.integers.get(name)])
  })

  it.each([
    ['edges foretell', (weights: CodecWeights) => withIntra(weights, 5, { width: 11, hidden: 7 }, 500), true],
    ['stages show', (weights: CodecWeights) => withStages(weights, 5, 7, 300), false],
    ['tables are calibrated', withCalibration, false],
  ])('codes the symbols of the base model in its own labels where %s', async (_, having, hasOtherMeans) => {
    const model = having(earlier)
    const transform = drawMediaTransform(model, await drawsFrom(seedOf(11)))
    const own = foldMediaTransform(model, transform)
    const { order, gain } = transform.latents
    const predicted = { order: order.slice(0, INTRA_CHANNELS), gain: gain.slice(0, INTRA_CHANNELS) }
    expect(predicted).toEqual(identity(INTRA_CHANNELS))
    const relabelled = (values: Int16Array): Int16Array =>
      values.map((_, i) => values[i - (i % LATENTS) + order[i % LATENTS]!]! * gain[i % LATENTS]!)
    const random = makePrng(8)
    const [width, height] = [3, 4]
    const residuals = Int16Array.from({ length: width * height * LATENTS }, (_, i) =>
      Math.round((random.nextNormal() * 30) / (1 + (i % LATENTS) / 8)),
    )
    residuals[LATENTS - 1] = 1
    for (const quality of [4, 30, 61]) {
      const coded = (weights: CodecWeights, chosen: Int16Array) => {
        const contexts = contextModelAt(weights, quality)
        const entropy = { model: contexts, bank: buildTableBank(weights.tables), kernel: null }
        const tables: number[] = []
        const observe = (table: number): number => tables.push(table)
        const bytes = encodeTile(entropy, new Float32Array(chosen.length), width, height, { chosen, observe })
        return { symbols: decodeTile(entropy, bytes, width, height).symbols, tables }
      }
      const [plain, mine] = [coded(model, residuals), coded(own, relabelled(residuals))]
      expect(mine.symbols).toEqual(relabelled(plain.symbols))
      expect(mine.tables.map((table) => transform.tables.order[table])).toEqual(
        mine.tables.map((_, i) => plain.tables[i - (i % LATENTS) + order[i % LATENTS]!]),
      )
      const without = coded(earlier, residuals)
      expect(plain.tables).not.toEqual(without.tables)
      expect(String(plain.symbols) !== String(without.symbols)).toBe(hasOtherMeans)
    }
  })

  it('codes what is split as the base model does, in its own labels', async () => {
    const model = withSplits(base, 6)
    const transform = drawMediaTransform(model, await drawsFrom(seedOf(13)))
    const own = foldMediaTransform(model, transform)
    const { order, gain } = transform.latents
    expect(gain.includes(-1)).toBe(true)
    const relabelled = (values: Int16Array): Int16Array =>
      values.map((_, i) => values[i - (i % LATENTS) + order[i % LATENTS]!]! * gain[i % LATENTS]!)
    const random = makePrng(8)
    const [width, height] = [3, 4]
    const residuals = Int16Array.from({ length: width * height * LATENTS }, (_, i) =>
      Math.round((random.nextNormal() * 30) / (1 + (i % LATENTS) / 8)),
    )
    residuals[LATENTS - 1] = 1
    for (const [quality, splits] of [
      [4, [1, 2, 3, 0, 1, 2, 3, 0, 0, 3, 2, 1]],
      [30, [0, 0, 0, 0, 2, 2, 1, 3, 3, 0, 1, 0]],
      [61, [1, 1, 1, 1, 1, 1, 3, 3, 3, 2, 2, 2]],
    ] as const) {
      const coded = (weights: CodecWeights, chosen: Int16Array, of: readonly number[]) => {
        const contexts = contextModelAt(weights, quality)
        const entropy = { model: contexts, bank: buildTableBank(weights.tables), kernel: null }
        const tables: number[] = []
        const choices = {
          ...{ chosen, splits: Uint8Array.from(of) },
          observe: (table: number) => tables.push(table),
        }
        const bytes = encodeTile(entropy, new Float32Array(chosen.length), width, height, choices)
        return { ...decodeTile(entropy, bytes, width, height), tables }
      }
      const [plain, mine] = [coded(model, residuals, splits), coded(own, relabelled(residuals), splits)]
      expect([mine.active, plain.active]).toEqual([LATENTS, LATENTS])
      expect(String(mine.symbols)).toBe(String(relabelled(plain.symbols)))
      expect(String(mine.tables.map((table) => transform.tables.order[table]))).toBe(
        String(mine.tables.map((_, i) => plain.tables[i - (i % LATENTS) + order[i % LATENTS]!])),
      )
      const whole = coded(
        model,
        residuals,
        splits.map(() => 0),
      )
      expect(String(plain.symbols)).not.toBe(String(whole.symbols))
      expect(String(plain.tables)).not.toBe(String(whole.tables))
    }
  })

  it('turns splits by places, signs and steps of its own', async () => {
    const model = withSplits(base, 7)
    const folded = (await personalModel(model, seedOf(14))).weights
    const [mine, plain] = [contextModelAt(folded, 20).splits!, contextModelAt(model, 20).splits!]
    expect(mine.place).not.toEqual(plain.place)
    expect(mine.sign).not.toEqual(plain.sign)
    expect(new Set(mine.place).size).toBe(LATENTS)
    for (const table of ['step', 'unstep'] as const)
      expect(Array.from(mine.place, (c) => mine[table][c])).toEqual(
        Array.from(plain.place, (c) => plain[table][c]),
      )
    expect([mine.halves, mine.prior]).toEqual([plain.halves, plain.prior])
  })

  it('shows nobody else its photos', async () => {
    const image = photo(12)
    const [own, other] = await Promise.all([5, 6].map((n) => personalModel(base, seedOf(n))))
    const coded = await createCodec(own!.weights).encode(image, { quality: 34, effort: 'best' })
    for (const stranger of [other!.weights, base]) {
      const shown = await createCodec(stranger)
        .decode(coded)
        .then(
          (restored) => psnrDb(image, restored),
          () => 0,
        )
      expect(shown).toBeLessThan(20)
    }
  })

  it('opens artifacts for its own secret and weights alone', async () => {
    const secret = seedOf(7)
    const hashFor = async (weights: CodecWeights, key: Uint8Array) =>
      (await personalModel(weights, await deriveKey(key, null, LABEL.personalModel))).weightsHash
    const lock = { modelSecret: secret, weightsHash: await hashFor(base, secret) }
    const names = {
      accountId: accountIds.fromBytes(randomBytes(32)),
      artifactId: newArtifactId(),
      modelId: modelIds.fromBytes(randomBytes(32)),
      modelGeneration: 1,
    }
    const { bytes, dataKey } = await sealArtifact({
      names,
      lock,
      mask: createMask(PROCESS.torus32),
      sections: [{ id: SECTION.image, bytes: utf8('an image') }],
      picture: { width: 2, height: 3, quality: 34, paddingRule: 'eighths' },
    })
    const open = (keys: typeof lock, first: Uint8Array = bytes) =>
      openArtifact({ first, names, lock: keys, mask: createMask(PROCESS.torus32), dataKey }).then(
        () => 'opened',
        (error: unknown) => (error instanceof CryptoError ? error.code : 'other'),
      )
    const touched = new Map(base.tensors)
    touched.set(
      'render_out',
      base.tensors.get('render_out')!.map((v, i) => (i === 7 ? v + 2 ** -12 : v)),
    )
    expect(await open(lock)).toBe('opened')
    expect(await open({ ...lock, weightsHash: await hashFor({ ...base, tensors: touched }, secret) })).toBe(
      'wrong-key-or-model',
    )
    expect(await open({ modelSecret: seedOf(8), weightsHash: await hashFor(base, seedOf(8)) })).toBe(
      'wrong-key-or-model',
    )
    const damaged = Uint8Array.from(bytes)
    damaged[INDEX_OFFSET + 9]! ^= 1
    expect(await open(lock, damaged)).toBe('damaged')
  })

  it('gives another hash for one changed weight, and refuses another architecture', async () => {
    const { weights, weightsHash } = await personalModel(base, seedOf(1))
    const touched = new Float32Array(weights.tensors.get('render_out')!)
    touched[7] = touched[7]! + 2 ** -20
    const changed = { ...weights, tensors: new Map(weights.tensors).set('render_out', touched) }
    expect(await hashWeights(changed)).not.toEqual(weightsHash)
    const other = { ...base, config: { ...base.config, synthesisWidth: 96 } }
    await expect(personalModel(other, seedOf(1))).rejects.toThrow(RangeError)
  })
})
