/**
 *     npm run bench -- codec [--workers 1,2] [--rounds 5] [--quality 0..63] [--effort fast|best] [--folder DIR] [--json]
 *
 * The whole path on Node and WebAssembly, decoded pixels to sealed artifact and back, in as many processes at once as
 * --workers says, one engine each: megapixels per second both ways, time by stage, peak memory. In the same run: the
 * entropy coder against its TypeScript reference, the networks against a plain large convolution, and the mask alone.
 * Medians over rounds. Without --folder the pictures are procedural; one round is all pictures once.
 */
import { fork } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Effort } from '../codec/types'
import { DEFAULT_QUALITY } from '../codec/quality'
import { table } from '../study/markdown'
import { measureMaskSpeed, type MaskSpeed } from '../study/mask-speed'
import { measureRounds, type WorkerReport } from './bench-codec'
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

interface Bench {
  readonly processor: string
  readonly node: string
  readonly quality: number
  readonly effort: Effort
  readonly rounds: number
  /** By number of workers at once. */
  readonly kernel: readonly WorkerReport[][]
  /** The same with the entropy coder in TypeScript, one worker. */
  readonly typescript: WorkerReport
  readonly mask: readonly MaskSpeed[]
}

/** Measures in `workers` processes that begin together. */
function measureTogether(workers: number, entropy: 'kernel' | 'typescript'): Promise<WorkerReport[]> {
  const given = process.argv.slice(2)
  const children = Array.from({ length: workers }, () =>
    fork(fileURLToPath(import.meta.url), [...given, '--worker', entropy]),
  )
  let ready = 0
  return Promise.all(
    children.map(
      (child) =>
        new Promise<WorkerReport>((resolve, reject) => {
          child.on('message', (message: 'ready' | WorkerReport) => {
            if (message !== 'ready') resolve(message)
            else if (++ready === workers) for (const each of children) each.send('begin')
          })
          child.on('error', reject)
          child.on('exit', (code) => reject(new Error(`A worker ended with ${code ?? 'no code'}.`)))
        }),
    ),
  )
}

async function work(entropy: 'kernel' | 'typescript'): Promise<void> {
  const begin = new Promise<void>((resolve) => process.once('message', () => resolve()))
  const report = await measureRounds({
    entropy,
    rounds: entropy === 'kernel' ? Number(values.rounds) : 1,
    quality: Number(values.quality),
    effort: values.effort as Effort,
    folder: values.folder ?? null,
    ready: () => {
      process.send?.('ready')
      return begin
    },
  })
  process.send?.(report)
  process.disconnect()
}

const total = (reports: readonly WorkerReport[], of: (report: WorkerReport) => number): number =>
  reports.reduce((sum, report) => sum + of(report), 0)

function print(bench: Bench): void {
  const { processor, node, quality, effort, rounds } = bench
  console.log(
    `${processor}, Node ${node}, quality ${quality}, effort ${effort}, medians of ${rounds} rounds\n`,
  )
  const head = ['workers', 'encode MP/s', 'decode MP/s', 'upload MP/s', 'peak RSS per worker']
  const rows = bench.kernel.map((reports) => [
    reports.length,
    total(reports, (r) => r.megapixels / r.encodeSeconds).toFixed(2),
    total(reports, (r) => r.megapixels / r.decodeSeconds).toFixed(2),
    total(reports, (r) => r.megapixels / (r.encodeSeconds + r.decodeSeconds)).toFixed(2),
    `${Math.round(Math.max(...reports.map((r) => r.peakBytes)) / 1e6)} MB`,
  ])
  console.log(table(head, rows))
  console.log(
    '\nencode: pixels to sealed artifact; decode: back; upload: encode and the verifying restore.\n',
  )

  const alone = bench.kernel[0]![0]!
  const { typescript } = bench
  const stages = (['encode', 'decode'] as const).flatMap((way) => {
    const stagesOf = alone[`${way}Stages`]
    const sum = Object.values(stagesOf).reduce((a, b) => a + b, 0)
    return Object.entries(stagesOf).map(([stage, ms]) => [
      way,
      stage,
      (ms / alone.megapixels).toFixed(1),
      `${((100 * ms) / sum).toFixed(1)} %`,
      (typescript[`${way}Stages`][stage as keyof typeof stagesOf] / typescript.megapixels).toFixed(1),
    ])
  })
  console.log(table(['way', 'stage', 'ms per MP', 'share', 'ms per MP, entropy in TypeScript'], stages))

  const millions = (report: WorkerReport, way: 'encode' | 'decode'): string =>
    (report.symbols / report[`${way}Stages`].entropy / 1e3).toFixed(1)
  console.log(
    `\nentropy coding, million symbols per second of one worker: encode ${millions(alone, 'encode')}, ` +
      `decode ${millions(alone, 'decode')}; in TypeScript ${millions(typescript, 'encode')} and ` +
      `${millions(typescript, 'decode')}; ${(alone.symbols / alone.megapixels / 1e6).toFixed(2)} million symbols, ` +
      `${((8 * alone.codedBytes) / alone.megapixels / 1e6).toFixed(2)} bits per pixel`,
  )
  console.log(
    `plain convolution: ${alone.convolutionGmacs.toFixed(1)} billion multiply-adds per second; the networks do ` +
      `${alone.encodeGmacs.toFixed(1)} (encode) and ${alone.decodeGmacs.toFixed(1)} (decode) that count, halos left out`,
  )
  console.log(`\n${table(['mask engine', 'bytes', 'apply MB/s', 'remove MB/s'], bench.mask.map(maskRow))}`)
}

const maskRow = ({ engine, bytes, applyMs, removeMs }: MaskSpeed) => [
  engine,
  bytes,
  (bytes / applyMs / 1e3).toFixed(1),
  (bytes / removeMs / 1e3).toFixed(1),
]

async function benchCodec(): Promise<void> {
  const kernel: WorkerReport[][] = []
  for (const workers of values.workers.split(',').map(Number))
    kernel.push(await measureTogether(workers, 'kernel'))
  const [typescript] = await measureTogether(1, 'typescript')
  await readyWasm()
  const bench: Bench = {
    processor: cpus()[0]?.model ?? 'unknown processor',
    node: process.versions.node,
    quality: Number(values.quality),
    effort: values.effort as Effort,
    rounds: Number(values.rounds),
    kernel,
    typescript: typescript!,
    mask: await measureMaskSpeed(),
  }
  if (values.json) console.log(JSON.stringify(bench, null, 1))
  else print(bench)
}

if (positionals[0] !== 'codec') throw new Error('The benchmarks are: codec.')
if (values.worker === 'kernel' || values.worker === 'typescript') await work(values.worker)
else await benchCodec()
