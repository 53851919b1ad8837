/**
 * The golden hashes of personal weights, src/model/vectors/weights-hashes.json: of a tiny drawn model and of the released
 * ones, under several seeds. src/model/weights-hashes.test.ts and a journey in Chromium compute them again.
 */
import { readFile, writeFile } from 'node:fs/promises'
import type { CodecWeights } from '../codec/weights'
import { toHex } from '../lib/bytes'
import type { BaseModel } from '../model/base-model'
import { hashWeights, personalModel } from '../model/personal-model'
import { RELEASED_MODELS } from '../model/released-models'
import { tinyModel } from '../model/testing'
import { WEIGHTS_HASHES } from '../training/golden-files'

const TINY_SEEDS = [1, 2]
const PERSONAL_SEEDS = ['00'.repeat(32), 'ff'.repeat(32), '5afe11e7'.repeat(8)]

interface Entry {
  /** Seed of a drawn model, or id and name of a released one. */
  readonly tiny?: number
  readonly model?: string
  readonly modelName?: string
  readonly base: string
  readonly personal: readonly { readonly seed: string; readonly weightsHash: string }[]
}

async function entryOf(named: Omit<Entry, 'base' | 'personal'>, weights: CodecWeights): Promise<Entry> {
  const personal = await Promise.all(
    PERSONAL_SEEDS.map(async (seed) => {
      const { weightsHash } = await personalModel(weights, Buffer.from(seed, 'hex'))
      return { seed, weightsHash: toHex(weightsHash) }
    }),
  )
  return { ...named, base: toHex(await hashWeights(weights)), personal }
}

/** Adds what the file lacks. */
export async function writeWeightsHashes({ id, name, weights }: BaseModel): Promise<void> {
  const text = await readFile(WEIGHTS_HASHES, 'utf8').catch(() => '[]')
  const kept = (JSON.parse(text) as Entry[]).filter(
    // Ids that are on the list no more are of weights that were never released.
    ({ model }) => model === undefined || RELEASED_MODELS.some((released) => released.id === model),
  )
  for (const tiny of TINY_SEEDS)
    if (!kept.some((entry) => entry.tiny === tiny)) kept.push(await entryOf({ tiny }, tinyModel(tiny)))
  const model = toHex(id)
  if (!kept.some((entry) => entry.model === model))
    kept.push(await entryOf({ model, modelName: name }, weights))
  await writeFile(WEIGHTS_HASHES, `${JSON.stringify(kept, null, 2)}\n`)
  console.log(`hashes of weights: ${kept.length} models, ${PERSONAL_SEEDS.length} seeds each`)
}
