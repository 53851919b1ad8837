/** Where the released models' files are served; the build gives each a name with its hash. */
import { modelIds } from '../format/ids'
import { present } from '../lib/assert'
import { parseHex } from '../lib/bytes'
import { RELEASED_MODELS } from '../model/released-models'
import type { ServedModel } from '../vault/model-files'

const addresses = import.meta.glob<string>('../../models/safelight-v*/{model.json,weights.bin,cdf.bin}', {
  query: '?url',
  import: 'default',
  eager: true,
})

/** Newest first. */
export const SERVED_MODELS: readonly ServedModel[] = RELEASED_MODELS.map(({ name, id }) => {
  const addressOf = (file: string) =>
    present(addresses[`../../models/${name}/${file}`], `There is no ${file} of ${name}.`)
  return {
    id: modelIds.fromBytes(present(parseHex(id), `The id of ${name} is not hexadecimal.`)),
    addresses: {
      description: addressOf('model.json'),
      weights: addressOf('weights.bin'),
      tables: addressOf('cdf.bin'),
    },
  }
})
