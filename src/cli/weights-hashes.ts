/**
 * The golden hashes of personal weights, src/model/vectors/weights-hashes.json: of a tiny drawn model and of the current
 * one, under several seeds. src/model/weights-hashes.test.ts and a journey in Chromium compute them again.
 */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { toHex } from '../lib/bytes'
import type { BaseModel } from '../model/base-model'
import { hashWeights, personalModel } from '../model/personal-model'
import { tinyModel } from '../model/testing'

const FILE = fileURLToPath(new URL('../model/vectors/weights-hashes.json', import.meta.url))
const TINY_SEEDS = [1, 2]
const PERSONAL_SEEDS = ['00'.repeat(32), 'ff'.repeat(32), '5afe11e7'.repeat(8)]

export async function writeWeightsHashes(current: BaseModel): Promise<void> {
  const models = [
    ...TINY_SEEDS.map((tiny) => ({ named: { tiny }, weights: tinyModel(tiny) })),
    { named: { model: toHex(current.id), modelName: current.name }, weights: current.weights },
  ]
  const file = await Promise.all(
    models.map(async ({ named, weights }) => ({
      ...named,
      base: toHex(await hashWeights(weights)),
      personal: await Promise.all(
        PERSONAL_SEEDS.map(async (seed) => {
          const { weightsHash } = await personalModel(weights, Buffer.from(seed, 'hex'))
          return { seed, weightsHash: toHex(weightsHash) }
        }),
      ),
    })),
  )
  await writeFile(FILE, `${JSON.stringify(file, null, 2)}\n`)
  console.log(`hashes of weights: ${models.length} models, ${PERSONAL_SEEDS.length} seeds each`)
}
