/**
 *     npm run codec -- encode IN OUT [--quality 0..63]     picture -> coded picture
 *     npm run codec -- decode IN OUT.png                   coded picture -> picture
 *     npm run codec -- eval DIR [--json] [--halve] [--jobs N] [--qualities 0,9,..] [--compare jpeg,webp,avif] [--plot F.svg]
 *
 * `eval` codes every picture of a folder at several rates, restores each from the coded bytes alone, and prints bytes,
 * bits per pixel, PSNR-RGB, MS-SSIM and speed. --halve first scales camera JPEGs down by two, so that the grid of the
 * JPEG is not what is coded. --compare codes the same pixels with sharp's codecs and gives the BD-rate against each.
 */
import { fork } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createCodec } from '../codec/codec'
import { DEFAULT_QUALITY } from '../codec/quality'
import { ANCHORS, measureAnchor, measureCodec, type Measurement } from './measure'
import { listPictures, readModel, readPicture, readyWasm, writePicture } from './node-codec'
import { rateReport } from './rate-report'

/** Ten rate points from about 0.1 to 5 bits per pixel. */
const QUALITIES = [0, 7, 14, 21, 28, 35, 42, 49, 56, 63]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quality: { type: 'string', default: String(DEFAULT_QUALITY) },
    json: { type: 'boolean', default: false },
    halve: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '1' },
    job: { type: 'string' },
    qualities: { type: 'string', default: QUALITIES.join(',') },
    compare: { type: 'string', default: '' },
    plot: { type: 'string' },
    model: { type: 'string' },
  },
})

async function openCodec() {
  await readyWasm()
  return createCodec((await readModel(values.model)).weights)
}

async function encodeFile(from: string, to: string): Promise<void> {
  const codec = await openCodec()
  const image = await readPicture(from)
  const bytes = await codec.encode(image, { quality: Number(values.quality), effort: 'best' })
  await writeFile(to, bytes)
  console.log(`${bytes.length} bytes, ${((8 * bytes.length) / (image.width * image.height)).toFixed(3)} bpp`)
}

async function decodeFile(from: string, to: string): Promise<void> {
  const codec = await openCodec()
  await writePicture(await codec.decode(await readFile(from)), to)
}

/** Measures every jobs-th picture, one message to the parent for each. */
async function measureShare(folder: string, job: number, jobs: number): Promise<void> {
  const codec = await openCodec()
  const files = (await listPictures(folder)).filter((_, i) => i % jobs === job)
  const anchors = values.compare.split(',').filter((name) => name !== '')
  for (const file of files) {
    const image = await readPicture(file, values.halve && /\.jpe?g$/i.test(file))
    const name = basename(file)
    for (const quality of values.qualities.split(',').map(Number))
      process.send?.(await measureCodec(codec, image, name, quality))
    for (const family of anchors)
      for (const anchor of ANCHORS[family] ?? [])
        for (const quality of anchor.qualities)
          process.send?.(await measureAnchor(anchor, image, name, quality))
  }
}

async function evaluate(): Promise<void> {
  const unknown = values.compare.split(',').find((name) => name !== '' && !(name in ANCHORS))
  if (unknown !== undefined) throw new Error(`--compare knows ${Object.keys(ANCHORS).join(', ')}`)
  const jobs = Number(values.jobs)
  const found: Measurement[] = []
  await Promise.all(
    Array.from({ length: jobs }, (_, job) => {
      const child = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--job', String(job)])
      return new Promise<void>((resolve, reject) => {
        child.on('message', (m) => found.push(m as Measurement))
        child.on('error', reject)
        child.on('exit', (code) =>
          code === 0 ? resolve() : reject(new Error(`a job ended with ${code ?? 'no code'}`)),
        )
      })
    }),
  )
  const report = rateReport(found)
  console.log(values.json ? JSON.stringify(report.data, null, 1) : report.text)
  if (values.plot !== undefined) await writeFile(values.plot, report.svg)
}

const [verb, from, to] = positionals
if (verb === 'encode' && from !== undefined && to !== undefined) await encodeFile(from, to)
else if (verb === 'decode' && from !== undefined && to !== undefined) await decodeFile(from, to)
else if (verb === 'eval' && from !== undefined)
  await (values.job === undefined ? evaluate() : measureShare(from, Number(values.job), Number(values.jobs)))
else {
  console.error('Usage: npm run codec -- encode IN OUT | decode IN OUT | eval DIR   (see src/cli/codec.ts)')
  process.exitCode = 2
}
