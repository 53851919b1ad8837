/**
 * The id of a model, as src/model/released-models.ts lists it:
 *
 *     npx tsx src/cli/model-id.ts safelight-v5
 */
import { toHex } from '../lib/bytes'
import { readModel } from '../training/node-model'

const { name, id } = await readModel(process.argv[2])
console.log(`{ name: '${name}', id: '${toHex(id)}' },`)
