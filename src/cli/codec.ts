/**
 *     npm run codec -- encode IN OUT [--quality 0..63]     picture -> coded picture
 *     npm run codec -- decode IN OUT.png                   coded picture -> picture
 *     npm run codec -- eval DIR [--json] [--halve] [--crop N] [--jobs N] [--qualities 0,9,..] [--effort best|fast]
 *                               [--compare jpeg,webp,avif] [--plot F.svg] [--out F.json]
 *     npm run codec -- sheet DIR OUT.png [--quality Q] [--halve] [--crop 320] [--count 12]
 *
 * `eval` codes every picture of a folder at several rates into sealed artifacts, restores each from the artifact alone,
 * and prints bytes, bits per pixel, PSNR-RGB, MS-SSIM and speed. --halve first scales JPEGs down by two, so that the
 * grid of the camera is not what is coded; --crop takes the centre. --compare codes the same pixels with sharp's codecs
 * and gives the BD-rate against each; their results are kept in .cache/anchors. --qualities none measures them alone.
 * `sheet` draws original, restored and eight times the difference of pictures spread over the folder.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createCodec } from '../codec/codec'
import { DEFAULT_QUALITY } from '../codec/quality'
import type { Effort } from '../codec/types'
import { contactSheet } from './contact-sheet'
import { evaluate, runEvalJob } from './evaluate'
import { ANCHORS } from './measure'
import { readModel, readyWasm } from '../training/node-model'
import { readPicture, writePicture } from './picture-files'
import { rateReport } from './rate-report'

/** Ten rate points from about 0.1 to 5 bits per pixel. */
const QUALITIES = [0, 7, 14, 21, 28, 35, 42, 49, 56, 63]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quality: { type: 'string', default: String(DEFAULT_QUALITY) },
    effort: { type: 'string', default: 'best' },
    json: { type: 'boolean', default: false },
    halve: { type: 'boolean', default: false },
    crop: { type: 'string' },
    count: { type: 'string', default: '12' },
    jobs: { type: 'string', default: '1' },
    job: { type: 'boolean', default: false },
    qualities: { type: 'string', default: QUALITIES.join(',') },
    compare: { type: 'string', default: '' },
    plot: { type: 'string' },
    out: { type: 'string' },
    model: { type: 'string' },
  },
})

function wholeNumber(name: string, text: string): number {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 0) throw new Error(`--${name} is a whole number.`)
  return n
}

function effortOf(text: string): Effort {
  if (text !== 'best' && text !== 'fast') throw new Error('--effort is best or fast.')
  return text
}

async function openCodec() {
  await readyWasm()
  return createCodec((await readModel(values.model)).weights)
}

async function encodeFile(from: string, to: string): Promise<void> {
  const codec = await openCodec()
  const image = await readPicture(from)
  const quality = wholeNumber('quality', values.quality)
  const bytes = await codec.encode(image, { quality, effort: effortOf(values.effort) })
  await writeFile(to, bytes)
  console.log(`${bytes.length} bytes, ${((8 * bytes.length) / (image.width * image.height)).toFixed(3)} bpp`)
}

async function decodeFile(from: string, to: string): Promise<void> {
  const codec = await openCodec()
  await writePicture(await codec.decode(await readFile(from)), to)
}

async function evaluateFolder(folder: string): Promise<void> {
  const compare = values.compare.split(',').filter((name) => name !== '')
  if (compare.some((name) => !(name in ANCHORS)))
    throw new Error(`--compare knows ${Object.keys(ANCHORS).join(', ')}.`)
  const qualities = values.qualities === 'none' ? [] : values.qualities.split(',')
  const found = await evaluate(
    {
      folder,
      compare,
      halve: values.halve,
      crop: values.crop === undefined ? null : wholeNumber('crop', values.crop),
      qualities: qualities.map((q) => wholeNumber('qualities', q)),
      effort: effortOf(values.effort),
      jobs: wholeNumber('jobs', values.jobs),
      model: values.model,
    },
    fileURLToPath(import.meta.url),
  )
  const report = rateReport(found)
  const json = JSON.stringify(report.data, null, 1)
  console.log(values.json ? json : report.text)
  if (values.out !== undefined) await writeFile(values.out, json)
  if (values.plot !== undefined) await writeFile(values.plot, report.svg)
}

const [verb, from, to] = positionals
if (values.job) runEvalJob()
else if (verb === 'encode' && from !== undefined && to !== undefined) await encodeFile(from, to)
else if (verb === 'decode' && from !== undefined && to !== undefined) await decodeFile(from, to)
else if (verb === 'eval' && from !== undefined) await evaluateFolder(from)
else if (verb === 'sheet' && from !== undefined && to !== undefined)
  await contactSheet(await openCodec(), from, to, {
    quality: wholeNumber('quality', values.quality),
    halve: values.halve,
    side: wholeNumber('crop', values.crop ?? '320'),
    count: wholeNumber('count', values.count),
  })
else {
  console.error(
    'Usage: npm run codec -- encode IN OUT | decode IN OUT | eval DIR | sheet DIR OUT   (see src/cli/codec.ts)',
  )
  process.exitCode = 2
}
