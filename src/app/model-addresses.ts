/** Where the released model's files are served; the build gives each a name with its hash. */
import description from '../../models/safelight-v1/model.json?url'
import weights from '../../models/safelight-v1/weights.bin?url'
import tables from '../../models/safelight-v1/cdf.bin?url'
import type { ModelAddresses } from '../vault/model-files'

export const MODEL_ADDRESSES: ModelAddresses = { description, weights, tables }
