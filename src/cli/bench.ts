/**
 *     npm run bench -- codec [--workers 1,2] [--rounds 5] [--quality 0..63] [--effort fast|best] [--folder DIR] [--json]
 *
 * The whole path on Node and WebAssembly, decoded pixels to sealed artifact and back, in as many processes at once as
 * --workers says, one engine each: megapixels per second both ways, time by stage, thumbnails per second, peak memory.
 * In the same run: the networks against a plain large convolution, the entropy coder against its TypeScript reference,
 * and the mask alone. Medians over rounds. Without --folder the pictures are procedural; one round is all pictures once.
 */
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DEFAULT_QUALITY } from '../codec/quality'
import type { Effort } from '../codec/types'
import { measureMaskSpeed } from '../study/mask-speed'
import { measureTogether, workHere, type NodeReport } from './bench-node'
import { entropyLine, maskTable, peakLines, speedTable, stageTable, thumbnailLines } from './bench-report'
import { readyWasm } from './node-codec'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '5' },
    quality: { type: 'string', default: String(DEFAULT_QUALITY) },
    effort: { type: 'string', default: 'fast' },
    folder: { type: 'string' },
    json: { type: 'boolean', default: false },
    worker: { type: 'string' },
  },
})

const together = (workers: number, entropy: 'kernel' | 'typescript') =>
  measureTogether(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--worker', entropy], workers)

async function benchCodec(): Promise<void> {
  const kernel: NodeReport[][] = []
  for (const workers of values.workers.split(',').map(Number)) kernel.push(await together(workers, 'kernel'))
  const [typescript] = await together(1, 'typescript')
  await readyWasm()
  const mask = await measureMaskSpeed()
  const { quality, effort, rounds } = values
  const processor = cpus()[0]?.model ?? 'unknown processor'
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

if (positionals[0] !== 'codec') throw new Error('The benchmarks are: codec.')
const { worker: entropy, quality, effort } = values
if (entropy === 'kernel' || entropy === 'typescript')
  await workHere({
    entropy,
    rounds: entropy === 'kernel' ? Number(values.rounds) : 1,
    quality: Number(quality),
    effort: effort as Effort,
    folder: values.folder ?? null,
  })
else await benchCodec()
