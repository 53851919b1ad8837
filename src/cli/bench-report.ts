/** What the codec benchmark prints. */
import { percent, table, type Cell } from '../study/markdown'
import type { MaskSpeed } from '../study/mask-speed'
import type { AppInBrowser, Strain } from './bench-browser'
import type { BenchStage, Stages, WorkerReport } from './bench-rounds'

const STAGES: Readonly<Record<BenchStage, string>> = {
  pixels: 'pixels to blocks and back',
  transform: 'transform: the networks, with transfers',
  latents: 'latents to tiles and back',
  entropy: 'quantize and entropy code',
  mask: 'noise: the mask',
  seal: 'seal: keys, padding, AES-GCM',
}

export interface WorkerRow {
  readonly reports: readonly WorkerReport[]
  /** Of one worker where they are processes, of all of them where they share one. */
  readonly peakBytes: number
  /** The same by the app's own workers in a browser, to PNG files. */
  readonly darkroomThumbnailsPerSecond?: number
}

const total = (reports: readonly WorkerReport[], of: (report: WorkerReport) => number): number =>
  reports.reduce((sum, report) => sum + of(report), 0)

const sumOf = (stages: Stages): number => Object.values(stages).reduce((a, b) => a + b, 0)

/** Speed by number of workers. */
export function speedTable(rows: readonly WorkerRow[], memory: string): string {
  const head = [
    ...[
      'workers',
      'threads of each',
      'encode MP/s',
      'decode MP/s',
      'upload MP/s',
      'thumbnails/s',
      'as PNG/s',
      memory,
    ],
  ]
  const body = rows.map(({ reports, peakBytes, darkroomThumbnailsPerSecond }): Cell[] => [
    reports.length,
    reports[0]!.threads ?? '-',
    total(reports, (r) => r.megapixels / r.encodeSeconds).toFixed(2),
    total(reports, (r) => r.megapixels / r.decodeSeconds).toFixed(2),
    total(reports, (r) => r.megapixels / (r.encodeSeconds + r.decodeSeconds)).toFixed(2),
    total(reports, (r) => r.thumbnails.perSecond).toFixed(1),
    darkroomThumbnailsPerSecond?.toFixed(1) ?? '-',
    `${Math.round(peakBytes / 1e6)} MB`,
  ])
  const note =
    'encode: pixels to sealed artifact; decode: back; upload: encode and the verifying restore; thumbnails: opened alone; ' +
    "as PNG: by the app's workers"
  return `${table(head, body)}\n\n${note}`
}

/** Share of each stage; `typescript` is the same with the entropy coder's reference. */
export function stageTable(alone: WorkerReport, typescript: WorkerReport | null): string {
  const ways = ['encode', 'decode'] as const
  const head = [
    'way',
    'stage',
    'ms per MP',
    'share',
    ...(typescript === null ? [] : ['entropy in TypeScript']),
  ]
  const rows = ways.flatMap((way) => {
    const stages = alone[`${way}Stages`]
    return (Object.keys(STAGES) as BenchStage[]).map((stage): Cell[] => [
      way,
      STAGES[stage],
      (stages[stage] / alone.megapixels).toFixed(1),
      percent(stages[stage] / sumOf(stages)),
      ...(typescript === null
        ? []
        : [(typescript[`${way}Stages`][stage] / typescript.megapixels).toFixed(1)]),
    ])
  })
  return table(head, rows)
}

/** How near the networks come to what the backend can do. */
export function peakLines(reports: readonly WorkerReport[]): string {
  const rows = (['encode', 'decode'] as const).map((way): Cell[] => {
    const share = (of: 'done' | 'needed') =>
      percent(total(reports, (r) => r[`${way}Networks`][of] / r.convolution) / reports.length, 0)
    const speed = total(reports, (r) => r[`${way}Networks`].done) / reports.length
    return [way, speed.toFixed(1), share('done'), share('needed')]
  })
  const convolution = total(reports, (r) => r.convolution) / reports.length
  return [
    `plain large convolution, ${reports.length} at once: ${convolution.toFixed(1)} billion multiply-adds per second each`,
    '',
    table(['networks', 'billion per second', 'of the convolution', 'without halos and filling'], rows),
  ].join('\n')
}

export function thumbnailLines(alone: WorkerReport): string {
  const { width, height, codedBytes, stages } = alone.thumbnails
  const head = [
    `stage of one thumbnail, ${width} x ${height}, ${Math.round(codedBytes)} bytes`,
    'ms',
    'share',
  ]
  const rows = (Object.keys(STAGES) as BenchStage[]).map((stage): Cell[] => [
    STAGES[stage],
    stages[stage].toFixed(2),
    percent(stages[stage] / sumOf(stages)),
  ])
  return table(head, rows)
}

export function entropyLine(alone: WorkerReport, typescript: WorkerReport): string {
  const millions = (report: WorkerReport, way: 'encode' | 'decode'): string =>
    (
      (way === 'encode' ? report.codedSymbols : report.symbols) /
      report[`${way}Stages`].entropy /
      1e3
    ).toFixed(1)
  return (
    `entropy coding, million symbols per second of one worker: encode ${millions(alone, 'encode')}, ` +
    `decode ${millions(alone, 'decode')}; in TypeScript ${millions(typescript, 'encode')} and ` +
    `${millions(typescript, 'decode')}; ${(alone.symbols / alone.megapixels / 1e6).toFixed(2)} million symbols, ` +
    `${((8 * alone.codedBytes) / alone.megapixels / 1e6).toFixed(2)} bits per pixel`
  )
}

export function appLines({
  backend,
  cores,
  megapixels,
  upSeconds,
  downSeconds,
  up,
  down,
}: AppInBrowser): string {
  const head = [
    'one photograph in the app',
    's',
    'MP/s',
    'peak of the page',
    'longest task',
    'longest frame gap',
  ]
  const row = (name: string, seconds: number, strain: Strain): Cell[] => [
    name,
    seconds.toFixed(1),
    (megapixels / seconds).toFixed(2),
    `${Math.round(strain.peakBytes / 1e6)} MB`,
    strain.longestTaskMs === 0 ? 'below 50 ms' : `${Math.round(strain.longestTaskMs)} ms`,
    `${Math.round(strain.longestFrameGapMs)} ms`,
    strain.longestScript === '' ? '-' : strain.longestScript,
  ]
  const rows = [row('file to safe', upSeconds, up), row('artifact to screen', downSeconds, down)]
  return `${megapixels.toFixed(1)} megapixels, ${backend}, ${cores} cores\n\n${table(head, rows)}`
}

export function maskTable(speeds: readonly MaskSpeed[]): string {
  const rows = speeds.map(({ engine, bytes, applyMs, removeMs }): Cell[] => [
    engine,
    bytes,
    (bytes / applyMs / 1e3).toFixed(1),
    (bytes / removeMs / 1e3).toFixed(1),
  ])
  return table(['mask engine', 'bytes', 'apply MB/s', 'remove MB/s'], rows)
}
