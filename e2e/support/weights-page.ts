/** The hashes of personal weights as a page computes them, from the same drawn and released models as on Node. */
import type { Page } from '@playwright/test'
import { openSourcePage } from './source-page'

/** One entry of src/model/vectors/weights-hashes.json; hashes and seeds are hexadecimal. */
export interface WeightsHashes {
  /** Seed of a drawn model, or id and name of a released one. */
  readonly tiny?: number
  readonly model?: string
  readonly modelName?: string
  readonly base: string
  readonly personal: readonly { readonly seed: string; readonly weightsHash: string }[]
}

const SOURCE = `
  import { toHex } from '/src/lib/bytes'
  import { loadBaseModel } from '/src/model/base-model'
  import { hashWeights, personalModel } from '/src/model/personal-model'
  import { tinyModel } from '/src/model/testing'

  const bytesOf = async (path) => {
    const response = await fetch(path)
    if (!response.ok) throw new Error(path + ' is not there')
    return new Uint8Array(await response.arrayBuffer())
  }
  const released = async (name) => {
    const files = ['model.json', 'weights.bin', 'cdf.bin'].map((file) => bytesOf('/models/' + name + '/' + file))
    const [description, weights, tables] = await Promise.all(files)
    const model = await loadBaseModel({ description, weights, tables })
    return { named: { model: toHex(model.id), modelName: model.name }, weights: model.weights }
  }
  window.computeHashes = async ({ tiny, modelName, personal }) => {
    const { named, weights } =
      tiny === undefined ? await released(modelName) : { named: { tiny }, weights: tinyModel(tiny) }
    const made = []
    for (const { seed } of personal) {
      const bytes = Uint8Array.from(seed.match(/../g), (pair) => parseInt(pair, 16))
      made.push({ seed, weightsHash: toHex((await personalModel(weights, bytes)).weightsHash) })
    }
    return { ...named, base: toHex(await hashWeights(weights)), personal: made }
  }
`

declare global {
  interface Window {
    computeHashes(asked: WeightsHashes): Promise<WeightsHashes>
  }
}

/** Computes anew what `asked` names: its models and seeds are read, its hashes are not. */
export async function computeWeightsHashes(
  page: Page,
  asked: readonly WeightsHashes[],
): Promise<WeightsHashes[]> {
  await openSourcePage(page, { source: SOURCE, gives: 'computeHashes', folders: { models: 'models' } })
  const computed: WeightsHashes[] = []
  for (const one of asked) computed.push(await page.evaluate((one) => window.computeHashes(one), one))
  return computed
}
