/**
 * Makes an exported model one in whole numbers: adds the units of its activations, measured on procedural scenes, and the
 * field of its config that says so, and tries every quality. After fit-tables.ts and before a release, never after; it may be run again.
 *
 *     npx tsx src/cli/whole-units.ts --model safelight-v5 --scenes 24
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { wholeModelAt } from '../codec/exact/whole-synthesis'
import { KNOTS, QUALITY_MAX } from '../codec/quality'
import type { CodecConfig } from '../codec/weights'
import { concatBytes } from '../lib/bytes'
import { RELEASED_MODELS } from '../model/released-models'
import { MODELS, readModel, readyWasm } from '../training/node-model'
import { ACTIVATION_BITS, measureUnits } from '../training/whole-units'

interface Description {
  readonly config: CodecConfig
  readonly tensors: readonly {
    readonly name: string
    readonly type: string
    readonly shape: readonly number[]
    readonly offset: number
  }[]
}

const { values } = parseArgs({
  options: { model: { type: 'string' }, scenes: { type: 'string', default: '24' } },
})
const { model } = values
if (model === undefined || RELEASED_MODELS.some(({ name }) => name === model))
  throw new Error('Name a model that is not released: --model safelight-v5')
const folder = join(MODELS, model)

await readyWasm()
const { weights } = await readModel(model)
const units = await measureUnits(weights, Number(values.scenes))

const descriptionFile = join(folder, 'model.json')
const weightsFile = join(folder, 'weights.bin')
const description = JSON.parse(await readFile(descriptionFile, 'utf8')) as Description
const bytes = new Uint8Array(await readFile(weightsFile))
// Units of an earlier run lie at the end.
const kept = description.tensors.filter(({ name }) => !units.has(name))
const old = description.tensors.filter(({ name }) => units.has(name)).map(({ offset }) => offset)
const end = Math.ceil(Math.min(bytes.length, ...old) / 4) * 4
const blob = new Uint8Array(end)
blob.set(bytes.subarray(0, Math.min(end, bytes.length)))

const added: Description['tensors'][number][] = []
const pieces: Uint8Array[] = [blob]
let offset = end
for (const [name, table] of units) {
  const piece = new Uint8Array(4 * table.length)
  const view = new DataView(piece.buffer)
  table.forEach((unit, i) => {
    view.setFloat32(4 * i, unit, true)
  })
  added.push({ name, type: 'float32', shape: [KNOTS, table.length / KNOTS], offset })
  pieces.push(piece)
  offset += piece.length
}
const config = { ...description.config, wholeActivationBits: ACTIVATION_BITS }
await writeFile(weightsFile, concatBytes(...pieces))
await writeFile(
  descriptionFile,
  JSON.stringify({ ...description, config, tensors: [...kept, ...added] }, null, 1),
)
const { weights: whole } = await readModel(model)
for (let quality = 0; quality <= QUALITY_MAX; quality++) wholeModelAt(whole, quality)
console.log(`${model}: units of ${units.size} activations, ${offset - end} bytes`)
