/**
 * Studies of what an artifact gives away; reports go to reports/.
 *
 *     npm run study -- keystream [--megabytes 64] [--dieharder 0,2,15] [--pipe-megabytes 1000]
 *     npm run study -- keystream --pipe           1 GB of the mask over zeros to standard output, for any battery
 *     npm run study -- artifact [--photos 200] [--folder path] [--pairs 12]
 *     npm run study -- bypass [--photos 200] [--folder path]   wrong keys with every check skipped
 *     npm run study -- exactness [--photos 12] [--folder path] [--qualities 20,34,50] [--against cpu|webgpu]
 *                                                 the Decrypter in whole numbers: loss, cost and agreement
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { createCodec } from '../codec/codec'
import { DEFAULT_QUALITY } from '../codec/quality'
import type { RasterImage } from '../codec/types'
import { studyArtifacts } from '../study/artifact-study'
import { studyBypass } from '../study/bypass-study'
import { middleOf, proceduralSquare, studyExactness } from '../study/exactness-study'
import { studyKeystream } from '../study/keystream-study'
import { shippedPieces } from '../study/keystream-streams'
import { writeReport, type Report } from '../study/markdown'
import { photoFrom, proceduralPhoto } from '../study/study-photos'
import { readyBackend } from '../training/backend'
import { readModel, readyWasm } from '../training/node-model'
import { inWholeNumbers, measureUnits } from '../training/whole-units'
import { listPictures, readPicture } from './picture-files'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    megabytes: { type: 'string', default: '64' },
    dieharder: { type: 'string' },
    'pipe-megabytes': { type: 'string', default: '1000' },
    pipe: { type: 'boolean', default: false },
    photos: { type: 'string' },
    pairs: { type: 'string', default: '12' },
    folder: { type: 'string' },
    qualities: { type: 'string', default: `20,${DEFAULT_QUALITY},50` },
    against: { type: 'string', default: 'cpu' },
    out: { type: 'string', default: 'reports' },
  },
})

const print = (line: string): void => console.log(line)

function wholeNumber(text: string): number {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1) throw new Error(`${text} is not a whole number above zero.`)
  return n
}

async function finish({ report, asExpected }: { report: Report; asExpected: boolean }): Promise<void> {
  print(`report: ${await writeReport(report, values.out)}`)
  if (!asExpected) process.exitCode = 1
}

async function pipe(): Promise<void> {
  process.stdout.on('error', () => process.exit()) // the battery has read enough
  for await (const piece of shippedPieces(wholeNumber(values['pipe-megabytes']) * 1e6))
    if (!process.stdout.write(piece)) await once(process.stdout, 'drain')
}

async function collectPhotos(): Promise<RasterImage[]> {
  const photos: RasterImage[] = []
  for (let seed = 1; photos.length < wholeNumber(values.photos ?? '200'); seed++) {
    photos.push(proceduralPhoto(seed))
    if (seed % 50 === 0) print(`${seed} photos drawn`)
  }
  if (values.folder === undefined) return photos
  for (const [index, file] of (await listPictures(values.folder)).entries()) {
    const photo = photoFrom(await readPicture(file), 1_000_000 + index)
    if (photo !== null) photos.push(photo)
  }
  return photos
}

async function artifact(): Promise<void> {
  await readyWasm()
  const codec = createCodec((await readModel()).weights)
  const encode = (image: RasterImage) => codec.encode(image, { quality: DEFAULT_QUALITY, effort: 'fast' })
  const photos = await collectPhotos()
  try {
    await finish(
      await studyArtifacts({
        photos,
        encode,
        pairs: wholeNumber(values.pairs),
        train: 100,
        test: 100,
        print,
      }),
    )
  } finally {
    codec.dispose()
  }
}

async function bypass(): Promise<void> {
  await readyWasm()
  const { weights } = await readModel()
  await finish(await studyBypass({ photos: await collectPhotos(), base: weights, print }))
}

async function keystream(): Promise<void> {
  await readyWasm()
  const tests = values.dieharder?.split(',').map((test) => (test === 'all' ? 'all' : Number(test))) ?? []
  await finish(
    await studyKeystream({
      megabytes: wholeNumber(values.megabytes),
      dieharderTests: tests,
      pipeMegabytes: wholeNumber(values['pipe-megabytes']),
      print,
    }),
  )
}

async function exactness(): Promise<void> {
  const against = values.against === 'webgpu' ? 'webgpu' : 'cpu'
  await readyBackend(against)
  await readyWasm()
  const { weights: released } = await readModel()
  const weights =
    released.config.wholeActivationBits === undefined
      ? inWholeNumbers(released, await measureUnits(released, 24))
      : released
  const count = wholeNumber(values.photos ?? '12')
  const pictures = new Map([['procedural', Array.from({ length: count }, (_, i) => proceduralSquare(i + 1))]])
  if (values.folder !== undefined) {
    const photos: RasterImage[] = []
    for (const file of await listPictures(values.folder)) photos.push(middleOf(await readPicture(file, true)))
    pictures.set('of the folder, halved', photos)
  }
  await finish(
    await studyExactness({
      ...{ weights, pictures, print },
      qualities: values.qualities.split(',').map(Number),
      backends: ['wasm', against],
      timedRounds: 15,
    }),
  )
}

switch (positionals[0]) {
  case 'keystream':
    await (values.pipe ? pipe() : keystream())
    break
  case 'artifact':
    await artifact()
    break
  case 'bypass':
    await bypass()
    break
  case 'exactness':
    await exactness()
    break
  default:
    throw new Error('The studies are: keystream, artifact, bypass, exactness.')
}
