/**
 *     npm run bench -- codec [--workers 1,2] [--rounds 5] [--quality 0..63] [--effort fast|best] [--folder DIR] [--json]
 *     npm run bench -- codec --browser [--backends wasm,webgpu]     the same in Chromium; webgpu in software, one tiny picture
 *     npm run bench -- kernel [--quality 0..63] [--model NAME]       the layers of the synthesis, beside TensorFlow.js
 *
 * The whole path on Node and WebAssembly, decoded pixels to sealed artifact and back, in as many processes at once as
 * --workers says, one engine each: megapixels per second both ways, time by stage, thumbnails per second, peak memory.
 * In the same run: the networks against a plain large convolution, the entropy coder against its TypeScript reference,
 * and the mask alone. Medians over rounds. Without --folder the pictures are procedural; one round is all pictures once.
 * In a browser also: one large photograph through the app, with its time, memory and the longest blocks of its main thread.
 */
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DEFAULT_QUALITY } from '../codec/quality'
import type { Effort } from '../codec/types'
import { measureMaskSpeed } from '../study/mask-speed'
import { measureInBrowser } from './bench-browser'
import { benchKernel } from './bench-kernel'
import { measureTogether, workHere, type NodeReport } from './bench-node'
import {
  appLines,
  entropyLine,
  maskTable,
  peakLines,
  speedTable,
  stageTable,
  thumbnailLines,
} from './bench-report'
import { readModel, readyWasm } from '../training/node-model'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '5' },
    quality: { type: 'string', default: String(DEFAULT_QUALITY) },
    effort: { type: 'string', default: 'fast' },
    folder: { type: 'string' },
    json: { type: 'boolean', default: false },
    browser: { type: 'boolean', default: false },
    backends: { type: 'string', default: 'wasm' },
    model: { type: 'string' },
    worker: { type: 'string' },
  },
})

const workerCounts = values.workers.split(',').map(Number)
const processor = cpus()[0]?.model ?? 'unknown processor'

const together = (workers: number, entropy: 'kernel' | 'typescript') =>
  measureTogether(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--worker', entropy], workers)

async function benchCodec(): Promise<void> {
  const kernel: NodeReport[][] = []
  for (const workers of workerCounts) kernel.push(await together(workers, 'kernel'))
  const [typescript] = await together(1, 'typescript')
  await readyWasm()
  const mask = await measureMaskSpeed()
  const { quality, effort, rounds } = values
  const node = process.versions.node
  if (values.json) {
    console.log(
      JSON.stringify({ processor, node, quality, effort, rounds, kernel, typescript, mask }, null, 1),
    )
    return
  }
  const rows = kernel.map((reports) => ({
    reports,
    peakBytes: Math.max(...reports.map(({ peakBytes }) => peakBytes)),
  }))
  const alone = kernel[0]![0]!
  console.log(
    [
      `${processor}, Node ${node}, quality ${quality}, effort ${effort}, medians of ${rounds} rounds`,
      speedTable(rows, 'peak of one'),
      stageTable(alone, typescript!),
      ...kernel.map(peakLines),
      thumbnailLines(alone),
      entropyLine(alone, typescript!),
      maskTable(mask),
    ].join('\n\n'),
  )
}

async function benchInBrowser(): Promise<void> {
  const { quality, effort, rounds, json, folder } = values
  const figures = await measureInBrowser({
    backends: values.backends.split(','),
    workers: workerCounts,
    rounds: Number(rounds),
    quality: Number(quality),
    effort,
    folder: folder ?? null,
  })
  if (json) {
    console.log(JSON.stringify({ processor, quality, effort, rounds, figures }, null, 1))
    return
  }
  const lines: string[] = []
  for (const backend of values.backends.split(',')) {
    const rows = figures.filter((each) => each.part === 'workers').filter((each) => each.backend === backend)
    const alone = rows[0]?.reports[0]
    if (alone === undefined) throw new Error(`Nothing was measured on ${backend}.`)
    const how =
      backend === 'webgpu' ? 'webgpu in software, a tiny picture once: no measure of a GPU' : backend
    lines.push(
      `${processor}, Chromium ${rows[0]!.browser}, ${how}, quality ${quality}, effort ${effort}, ${rounds} rounds`,
      speedTable(rows, 'peak of the page'),
      stageTable(alone, null),
      ...rows.map(({ reports }) => peakLines(reports)),
      thumbnailLines(alone),
    )
  }
  lines.push(...figures.filter((each) => each.part === 'app').map(appLines))
  console.log(lines.join('\n\n'))
}

async function benchLayers(): Promise<void> {
  await readyWasm()
  const { weights } = await readModel(values.model)
  console.log(
    `${processor}, Node ${process.versions.node}\n\n${await benchKernel(weights, Number(values.quality))}`,
  )
}

const [bench] = positionals
if (bench !== 'codec' && bench !== 'kernel') throw new Error('The benchmarks are: codec, kernel.')
const { worker: entropy, quality, effort } = values
if (bench === 'kernel') await benchLayers()
else if (entropy === 'kernel' || entropy === 'typescript')
  await workHere({
    entropy,
    rounds: entropy === 'kernel' ? Number(values.rounds) : 1,
    quality: Number(quality),
    effort: effort as Effort,
    folder: values.folder ?? null,
  })
else if (values.browser) await benchInBrowser()
else await benchCodec()
