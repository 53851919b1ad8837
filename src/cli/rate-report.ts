/** Tables, BD-rates and an SVG plot out of measurements. */
import { bdRate, type RatePoint } from '../codec/metrics'
import type { Measurement } from './measure'

interface CurvePoint {
  readonly quality: number
  readonly bytes: number
  readonly bpp: number
  readonly psnrDb: number
  readonly msSsimDb: number
  readonly encodeMegapixelsPerSecond: number
  readonly decodeMegapixelsPerSecond: number
}

export interface RateReport {
  readonly data: unknown
  readonly text: string
  readonly svg: string
}

const OWN = 'safelight'

type Metric = 'psnrDb' | 'msSsimDb'
type BdRate = ReturnType<typeof bdRate>

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length

function group<T>(items: readonly T[], key: (item: T) => string | number): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const k = String(key(item))
    groups.set(k, [...(groups.get(k) ?? []), item])
  }
  return groups
}

/** Mean over pictures of bpp and of quality in dB, per setting. */
function curveOf(measurements: readonly Measurement[]): CurvePoint[] {
  return [...group(measurements, (m) => m.quality).values()]
    .map((all) => ({
      quality: all[0]!.quality,
      bytes: mean(all.map((m) => m.bytes)),
      bpp: mean(all.map((m) => (8 * m.bytes) / m.pixels)),
      psnrDb: mean(all.map((m) => Math.min(m.psnrDb, 99))),
      msSsimDb: mean(all.map((m) => Math.min(m.msSsimDb, 60))),
      encodeMegapixelsPerSecond: sumOf(all, 'pixels') / sumOf(all, 'encodeSeconds') / 1e6,
      decodeMegapixelsPerSecond: sumOf(all, 'pixels') / sumOf(all, 'decodeSeconds') / 1e6,
    }))
    .sort((a, b) => a.bpp - b.bpp)
}

const sumOf = (all: readonly Measurement[], key: 'pixels' | 'encodeSeconds' | 'decodeSeconds'): number =>
  all.reduce((sum, m) => sum + m[key], 0)

const points = (curve: readonly CurvePoint[], metric: Metric): RatePoint[] =>
  curve.map((p) => ({ bpp: p.bpp, quality: p[metric] }))

/** A curve per codec, by name, of one picture or of the means of all. */
type Curves = ReadonlyMap<string, readonly CurvePoint[]>

function curvesOf(measurements: readonly Measurement[]): Curves {
  return new Map([...group(measurements, (m) => m.codec)].map(([name, all]) => [name, curveOf(all)]))
}

/** The anchors that Safelight is compared with: each codec, and the better of both JPEGs at every rate. */
function anchorsOf(curves: Curves, metric: Metric): Map<string, RatePoint[]> {
  const anchors = new Map<string, RatePoint[]>()
  const jpegs = [...curves].filter(([name]) => name.startsWith('jpeg'))
  if (jpegs.length > 1) {
    anchors.set('the better jpeg', bestOf(jpegs.map(([, curve]) => points(curve, metric))))
  }
  for (const [name, curve] of curves) if (name !== OWN) anchors.set(name, points(curve, metric))
  return anchors
}

/** At every rate point of each curve, the best quality that any of them has there; between points by log rate. */
function bestOf(curves: readonly (readonly RatePoint[])[]): RatePoint[] {
  const at = (curve: readonly RatePoint[], bpp: number): number => {
    const i = curve.findIndex((p, n) => n > 0 && curve[n - 1]!.bpp <= bpp && bpp <= p.bpp)
    if (i < 0) return -Infinity
    const [a, b] = [curve[i - 1]!, curve[i]!]
    return a.quality + (Math.log(bpp / a.bpp) / Math.log(b.bpp / a.bpp)) * (b.quality - a.quality)
  }
  return curves
    .flat()
    .map(({ bpp, quality }) => ({ bpp, quality: Math.max(quality, ...curves.map((c) => at(c, bpp))) }))
    .sort((p, q) => p.bpp - q.bpp || p.quality - q.quality)
    .filter((p, i, all) => i === 0 || (p.bpp > all[i - 1]!.bpp && p.quality > all[i - 1]!.quality))
}

interface BdRates {
  readonly against: string
  readonly psnr: BdRate
  readonly msSsim: BdRate
}

function bdRates(curves: Curves): BdRates[] {
  const own = curves.get(OWN) ?? []
  const byMsSsim = anchorsOf(curves, 'msSsimDb')
  return [...anchorsOf(curves, 'psnrDb')].map(([against, anchor]) => ({
    against,
    psnr: bdRate(anchor, points(own, 'psnrDb')),
    msSsim: bdRate(byMsSsim.get(against)!, points(own, 'msSsimDb')),
  }))
}

interface PictureReport {
  readonly picture: string
  readonly points: Record<string, readonly CurvePoint[]>
  readonly bdRate: readonly BdRates[]
  /** Most that the better JPEG is above Safelight at one of its rates, dB of PSNR; negative where it never is. */
  readonly deficitDb: number
  readonly deficitBpp: number
}

/** Compared at Safelight's own rate points, within the rates that JPEG spans. */
function deficit(curves: Curves): { deficitDb: number; deficitBpp: number } {
  const best = anchorsOf(curves, 'psnrDb').get('the better jpeg') ?? []
  let worst = { deficitDb: -Infinity, deficitBpp: NaN }
  for (const { bpp, psnrDb } of curves.get(OWN) ?? []) {
    const i = best.findIndex((p, n) => n > 0 && best[n - 1]!.bpp <= bpp && bpp <= p.bpp)
    if (i < 0) continue
    const [a, b] = [best[i - 1]!, best[i]!]
    const share = Math.log(bpp / a.bpp) / Math.log(b.bpp / a.bpp)
    const deficitDb = a.quality + share * (b.quality - a.quality) - psnrDb
    if (deficitDb > worst.deficitDb) worst = { deficitDb, deficitBpp: bpp }
  }
  return worst
}

function pictureReport(picture: string, measurements: readonly Measurement[]): PictureReport {
  const curves = curvesOf(measurements)
  return { picture, points: Object.fromEntries(curves), bdRate: bdRates(curves), ...deficit(curves) }
}

export function rateReport(measurements: readonly Measurement[]): RateReport {
  const curves = curvesOf(measurements)
  const ofMeans = bdRates(curves)
  const pictures = [...group(measurements, (m) => m.picture)].map(([name, all]) => pictureReport(name, all))
  pictures.sort((a, b) => a.picture.localeCompare(b.picture))
  const bdOf = (p: PictureReport, against: string): BdRates => p.bdRate.find((b) => b.against === against)!
  const meanBd = ofMeans.map(({ against }) => ({
    against,
    psnrPercent: mean(pictures.map((p) => bdOf(p, against).psnr.percent).filter(Number.isFinite)),
    msSsimPercent: mean(pictures.map((p) => bdOf(p, against).msSsim.percent).filter(Number.isFinite)),
  }))
  const data = { means: Object.fromEntries(curves), bdRate: ofMeans, meanBdRate: meanBd, pictures }

  const lines = [`${pictures.length} pictures, means`]
  for (const [name, curve] of curves) {
    lines.push('', `${name}: setting, bytes, bpp, PSNR dB, MS-SSIM dB, encode MP/s, decode MP/s`)
    for (const p of curve)
      lines.push(
        [
          String(p.quality).padStart(4),
          String(Math.round(p.bytes)).padStart(8),
          p.bpp.toFixed(3),
          p.psnrDb.toFixed(2),
          p.msSsimDb.toFixed(2),
          p.encodeMegapixelsPerSecond.toFixed(2),
          p.decodeMegapixelsPerSecond.toFixed(2),
        ].join('  '),
      )
  }
  lines.push('', 'BD-rate of the mean curves; mean of the BD-rates of pictures')
  const range = (r: BdRate): string =>
    `${r.percent.toFixed(1)} % over ${r.from.toFixed(1)} to ${r.to.toFixed(1)} dB`
  for (const [i, { against, psnr, msSsim }] of ofMeans.entries()) {
    const each = meanBd[i]!
    lines.push(
      `  ${against}: PSNR ${range(psnr)}; ${each.psnrPercent.toFixed(1)} %`,
      `  ${' '.repeat(against.length)}  MS-SSIM ${range(msSsim)}; ${each.msSsimPercent.toFixed(1)} %`,
    )
  }
  const byDeficit = pictures.filter((p) => p.deficitDb > -Infinity).sort((a, b) => b.deficitDb - a.deficitDb)
  if (byDeficit.length > 0) {
    const worst = byDeficit[0]!.deficitDb
    lines.push(
      '',
      `PSNR below the better JPEG at equal bytes, at most: ${worst.toFixed(2)} dB; the worst pictures:`,
    )
    for (const p of byDeficit.slice(0, 8)) {
      const percent = bdOf(p, 'the better jpeg').psnr.percent.toFixed(1)
      lines.push(
        `  ${p.picture}: ${p.deficitDb.toFixed(2)} dB at ${p.deficitBpp.toFixed(2)} bpp, BD-rate ${percent} %`,
      )
    }
  }
  return { data, text: lines.join('\n'), svg: plot(curves) }
}

const COLOURS = ['#c0392b', '#7f8c8d', '#e67e22', '#2980b9', '#27ae60']

/** PSNR over log rate. */
function plot(curves: ReadonlyMap<string, readonly CurvePoint[]>): string {
  const all = [...curves.values()].flat()
  const [width, height, margin] = [720, 480, 50]
  const low = Math.log2(Math.min(...all.map((p) => p.bpp)))
  const high = Math.log2(Math.max(...all.map((p) => p.bpp)))
  const floor = Math.floor(Math.min(...all.map((p) => p.psnrDb)))
  const top = Math.ceil(Math.max(...all.map((p) => p.psnrDb)))
  const x = (bpp: number): number => margin + ((Math.log2(bpp) - low) / (high - low)) * (width - 2 * margin)
  const y = (db: number): number => height - margin - ((db - floor) / (top - floor)) * (height - 2 * margin)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
  ]
  for (let db = floor; db <= top; db += 4)
    parts.push(
      `<path d="M${margin} ${y(db)}H${width - margin}" stroke="#ddd"/><text x="8" y="${y(db) + 4}">${db} dB</text>`,
    )
  for (let e = Math.ceil(low); e <= high; e++)
    parts.push(
      `<path d="M${x(2 ** e)} ${margin}V${height - margin}" stroke="#eee"/><text x="${x(2 ** e) - 8}" y="${height - margin + 18}">${2 ** e}</text>`,
    )
  parts.push(`<text x="${width / 2 - 40}" y="${height - 10}">bits per pixel</text>`)
  ;[...curves].forEach(([name, curve], i) => {
    const colour = COLOURS[i % COLOURS.length]!
    const path = curve
      .map((p, n) => `${n === 0 ? 'M' : 'L'}${x(p.bpp).toFixed(1)} ${y(p.psnrDb).toFixed(1)}`)
      .join('')
    parts.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="${i === 0 ? 3 : 1.5}"/>`)
    parts.push(
      `<text x="${width - margin - 90}" y="${height - margin - 20 - 16 * i}" fill="${colour}">${name}</text>`,
    )
  })
  parts.push('</svg>')
  return parts.join('\n')
}
