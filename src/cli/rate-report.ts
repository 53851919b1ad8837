/** Tables, BD-rates and an SVG plot out of measurements. */
import { bdRate, type RatePoint } from '../codec/metrics'
import type { Measurement } from './measure'

interface CurvePoint {
  readonly quality: number
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

const points = (curve: readonly CurvePoint[], metric: 'psnrDb' | 'msSsimDb'): RatePoint[] =>
  curve.map((p) => ({ bpp: p.bpp, quality: p[metric] }))

export function rateReport(measurements: readonly Measurement[]): RateReport {
  const curves = new Map([...group(measurements, (m) => m.codec)].map(([name, all]) => [name, curveOf(all)]))
  const own = curves.get('safelight') ?? []
  const bd = [...curves]
    .filter(([name]) => name !== 'safelight')
    .map(([name, anchor]) => ({
      against: name,
      psnr: bdRate(points(anchor, 'psnrDb'), points(own, 'psnrDb')),
      msSsim: bdRate(points(anchor, 'msSsimDb'), points(own, 'msSsimDb')),
    }))
  const lines = [`${new Set(measurements.map((m) => m.picture)).size} pictures, means`]
  for (const [name, curve] of curves) {
    lines.push('', `${name}: setting, bpp, PSNR dB, MS-SSIM dB, encode MP/s, decode MP/s`)
    for (const p of curve)
      lines.push(
        [
          String(p.quality).padStart(4),
          p.bpp.toFixed(3),
          p.psnrDb.toFixed(2),
          p.msSsimDb.toFixed(2),
          p.encodeMegapixelsPerSecond.toFixed(2),
          p.decodeMegapixelsPerSecond.toFixed(2),
        ].join('  '),
      )
  }
  const range = (r: { percent: number; from: number; to: number }): string =>
    `${r.percent.toFixed(1)} % over ${r.from.toFixed(1)} to ${r.to.toFixed(1)} dB`
  for (const b of bd)
    lines.push('', `BD-rate against ${b.against}: PSNR ${range(b.psnr)}; MS-SSIM ${range(b.msSsim)}`)
  const data = { means: Object.fromEntries(curves), bdRate: bd, pictures: measurements }
  return { data, text: lines.join('\n'), svg: plot(curves) }
}

const COLOURS = ['#c0392b', '#7f8c8d', '#95a5a6', '#2980b9', '#27ae60']

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
