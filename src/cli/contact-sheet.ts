/** A sheet of pictures to look at: original, restored and eight times the difference, with what each cost. */
import { basename } from 'node:path'
import sharp, { type OverlayOptions } from 'sharp'
import { psnrDb } from '../codec/metrics'
import type { Codec, RasterImage } from '../codec/types'
import { readForEval } from './evaluate'
import { listPictures } from './picture-files'

const GAIN = 8
const GAP = 8
const LABEL = 20

export interface SheetOptions {
  readonly quality: number
  readonly halve: boolean
  /** Side of the centre that is coded and shown. */
  readonly side: number
  /** Pictures, spread evenly over the folder's. */
  readonly count: number
}

function difference(a: RasterImage, b: RasterImage): RasterImage {
  const data = a.data.map((value, i) => (i % 4 === 3 ? 255 : 128 + GAIN * (b.data[i]! - value)))
  return { ...a, data }
}

const escapeXml = (text: string): string =>
  text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]!)

function label(text: string, width: number): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${LABEL}"><text x="0" y="15" ` +
      `font-family="sans-serif" font-size="13" fill="#111">${escapeXml(text)}</text></svg>`,
  )
}

/** Two pictures a row. */
export async function contactSheet(
  codec: Codec,
  folder: string,
  to: string,
  { quality, halve, side, count }: SheetOptions,
): Promise<void> {
  const files = await listPictures(folder)
  const shown = Math.min(count, files.length)
  const cell = { width: 3 * (side + GAP) + GAP, height: side + LABEL + GAP }
  const parts: OverlayOptions[] = []
  for (let n = 0; n < shown; n++) {
    const file = files[Math.floor((n * files.length) / shown)]!
    const image = await readForEval(file, { halve, crop: side })
    const coded = await codec.encode(image, { quality, effort: 'best' })
    const restored = await codec.decode(coded)
    const left = GAP + (n & 1) * cell.width
    const top = (n >> 1) * cell.height
    const bpp = ((8 * coded.length) / (image.width * image.height)).toFixed(2)
    const words = `${basename(file)}: ${bpp} bpp, ${psnrDb(image, restored).toFixed(2)} dB`
    parts.push({ input: label(words, cell.width - GAP), left, top })
    for (const [i, each] of [image, restored, difference(image, restored)].entries()) {
      const raw = { width: each.width, height: each.height, channels: 4 as const }
      const input = Buffer.from(each.data.buffer, each.data.byteOffset, each.data.length)
      parts.push({ input, raw, left: left + i * (side + GAP), top: top + LABEL })
    }
    console.log(words)
  }
  const width = 2 * cell.width
  const height = Math.ceil(shown / 2) * cell.height
  await sharp({ create: { width, height, channels: 3, background: '#fff' } })
    .composite(parts)
    .toFile(to)
}
