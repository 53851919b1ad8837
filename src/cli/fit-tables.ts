/**
 * Refits the magnitude tables of a model to what its own integer context model sees on procedural images:
 *
 *     npx tsx src/cli/fit-tables.ts --model my-model --scenes 24
 *
 * Counts each table's magnitudes over several qualities, adds a little of the Laplace law, and rewrites cdf.bin in the
 * model's folder. Run it before a model is released: a released one is refused.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createCodec } from '../codec/codec'
import { laplaceMagnitudes, quantizeFrequencies, tableScale } from '../codec/entropy-tables'
import { opaque } from '../training/opaque'
import { proceduralImage } from '../training/procedural-images'
import { RELEASED_MODELS } from '../model/released-models'
import { MODELS, readModel, readyWasm } from '../training/node-model'

/** Weight of the Laplace law, in symbols. */
const PRIOR = 400

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    scenes: { type: 'string', default: '24' },
    seed: { type: 'string', default: '77' },
  },
})

const { model } = values
if (model === undefined || RELEASED_MODELS.some(({ name }) => name === model))
  throw new Error('Name a model that is not released: --model, a folder in models/.')
await readyWasm()
const { weights } = await readModel(model)
const counts = weights.tables.map((table) => new Float64Array(table.length))
const observe = (table: number, magnitude: number): void => {
  const count = counts[table]!
  const entry = Math.min(magnitude, count.length - 1)
  count[entry] = count[entry]! + 1
}
const codec = createCodec(weights, { choices: { observe } })
const side = 512
for (let scene = 0; scene < Number(values.scenes); scene++) {
  const image = opaque(proceduralImage(Number(values.seed) * 1_000_003 + scene, side, side), side)
  for (const quality of [7, 21, 35, 49]) await codec.encode(image, { quality, effort: 'best' })
  console.log(`${scene + 1} of ${values.scenes} scenes`)
}
const tables = counts.map((count, i) => {
  const prior = laplaceMagnitudes(tableScale(i), count.length)
  return quantizeFrequencies(count.map((n, m) => n + PRIOR * prior[m]!))
})
const out = new Uint8Array(2 * tables.reduce((n, table) => n + table.length, 0))
const view = new DataView(out.buffer)
tables.flatMap((table) => [...table]).forEach((frequency, i) => view.setUint16(2 * i, frequency, true))
await writeFile(join(MODELS, model, 'cdf.bin'), out)
