/**
 * `npm run study -- exactness`: what a Decrypter costs that gives the same bits everywhere. Pictures are coded once, and
 * restored by one model in float32 and in whole numbers (codec/exact): how much worse the second is, how many bytes differ
 * between backends for either, and how long both take.
 */
import * as tf from '@tensorflow/tfjs-core'
import { createCodec, type CodecParts } from '../codec/codec'
import { fitSymbols } from '../codec/exact/symbol-energy'
import { wholeModelAt } from '../codec/exact/whole-synthesis'
import { psnrDb } from '../codec/metrics'
import type { Codec, RasterImage } from '../codec/types'
import { BLOCK, type CodecWeights } from '../codec/weights'
import { median } from '../lib/statistics'
import { cutMiddle } from '../training/middle'
import { opaque } from '../training/opaque'
import { proceduralImage } from '../training/procedural-images'
import { inFloat32, tilePicture } from '../training/whole-units'
import { table, type Cell, type Report } from './markdown'

/** Pictures are cut to squares of at most this: one tile. */
const SIDE = 384
const TIMED_SIDE = 512
/** Side of what is restored on two backends, and on the cpu slowly. */
const COMPARED_SIDE = 96
/** Pictures of each kind that are compared so. */
const COMPARED = 4

export interface ExactnessOptions {
  /** A model in whole numbers. */
  readonly weights: CodecWeights
  /** By what the report calls them; squares of whole blocks. */
  readonly pictures: ReadonlyMap<string, readonly RasterImage[]>
  readonly qualities: readonly number[]
  /** Restores on the first are compared with those on the second; both are registered, and the first is set. */
  readonly backends: readonly [string, string]
  readonly timedRounds: number
  readonly print: (line: string) => void
}

export function proceduralSquare(seed: number, side = SIDE): RasterImage {
  return opaque(proceduralImage(seed, side, side), side)
}

/** The middle of a picture, of whole blocks. */
export function middleOf(picture: RasterImage, side = SIDE): RasterImage {
  const ofBlocks = (length: number): number => Math.min(side, Math.floor(length / BLOCK) * BLOCK)
  return { ...cutMiddle(picture, ofBlocks(picture.width), ofBlocks(picture.height)), hasAlpha: false }
}

const differing = (a: RasterImage, b: RasterImage): number =>
  a.data.reduce((count, value, i) => count + (value === b.data[i] ? 0 : 1), 0)

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

interface Loss {
  readonly pictures: string
  readonly floatDb: number
  readonly meanDb: number
  readonly mostDb: number
  /** Between both restorations. */
  readonly betweenDb: number
  /** Blocks of more energy than the sums allow for. */
  readonly loudBlocks: number
}

interface Agreement {
  readonly values: number
  /** Bytes that differ between the backends. */
  readonly float: number
  readonly whole: number
  /** Between the kernel and tensors on the first backend. */
  readonly machines: number
}

/** Milliseconds of the networks per megapixel. */
interface Times {
  readonly float: number
  readonly kernel: number
  readonly tensors: number
}

interface QualityResult {
  readonly quality: number
  readonly losses: readonly Loss[]
  readonly agreement: Agreement
  readonly times: Times
}

/** Codecs of one study, and the milliseconds that each has spent in its networks. */
function openCodecs(weights: CodecWeights) {
  const spentMs = { float: 0, kernel: 0, tensors: 0 }
  const open = (name: keyof typeof spentMs, from: CodecWeights, parts: CodecParts = {}): Codec =>
    createCodec(from, {
      ...parts,
      onStage: (stage, ms) => (spentMs[name] += stage === 'transform' ? ms : 0),
    })
  const codecs = {
    float: open('float', inFloat32(weights)),
    kernel: open('kernel', weights),
    tensors: open('tensors', weights, { synthesis: 'tensors' }),
  }
  return { codecs, spentMs }
}

type Opened = ReturnType<typeof openCodecs>

async function lossesAt(
  { weights, pictures, print }: ExactnessOptions,
  { codecs }: Opened,
  quality: number,
): Promise<Loss[]> {
  const { energy } = wholeModelAt(weights, quality)
  const losses: Loss[] = []
  for (const [name, all] of pictures) {
    const floats: number[] = []
    const lost: number[] = []
    const between: number[] = []
    let loudBlocks = 0
    for (const picture of all) {
      const coded = await codecs.float.encode(picture, { quality, effort: 'fast' })
      const [float, whole] = [await codecs.float.decode(coded), await codecs.kernel.decode(coded)]
      const floatDb = psnrDb(picture, float)
      floats.push(floatDb)
      lost.push(floatDb - psnrDb(picture, whole))
      between.push(Math.min(99, psnrDb(float, whole)))
      const { symbols, channels } = await tilePicture(codecs.kernel, weights, picture, quality)
      if (channels > 0) loudBlocks += fitSymbols(symbols, channels, energy)
    }
    losses.push({
      pictures: `${name}, ${all.length}`,
      floatDb: mean(floats),
      meanDb: mean(lost),
      mostDb: lost.reduce((most, loss) => Math.max(most, loss)),
      betweenDb: mean(between),
      loudBlocks,
    })
    print(rowOf(quality, losses.at(-1)!).join('  '))
  }
  return losses
}

/** Both ways on two backends, and whole numbers by both machines on the first. */
async function agreementAt(
  { weights, pictures, backends: [here, there] }: ExactnessOptions,
  { codecs }: Opened,
  quality: number,
): Promise<Agreement> {
  const few = [...pictures.values()].flatMap((all) =>
    all.slice(0, COMPARED).map((picture) => middleOf(picture, COMPARED_SIDE)),
  )
  const coded: Uint8Array[] = []
  for (const picture of few) coded.push(await codecs.float.encode(picture, { quality, effort: 'fast' }))
  const restoreAll = async (codec: Codec): Promise<RasterImage[]> => {
    const restored: RasterImage[] = []
    for (const bitstream of coded) restored.push(await codec.decode(bitstream))
    return restored
  }
  const float = await restoreAll(codecs.float)
  const whole = await restoreAll(codecs.kernel)
  const tensors = await restoreAll(codecs.tensors)
  await tf.setBackend(there)
  const { codecs: others } = openCodecs(weights)
  const [floatThere, wholeThere] = [await restoreAll(others.float), await restoreAll(others.kernel)]
  for (const codec of Object.values(others)) codec.dispose()
  await tf.setBackend(here)
  const count = (x: readonly RasterImage[], y: readonly RasterImage[]): number =>
    x.reduce((sum, picture, i) => sum + differing(picture, y[i]!), 0)
  return {
    values: few.reduce((sum, { width, height }) => sum + 3 * width * height, 0),
    float: count(float, floatThere),
    whole: count(whole, wholeThere),
    machines: count(whole, tensors),
  }
}

async function timesAt({ codecs, spentMs }: Opened, quality: number, rounds: number): Promise<Times> {
  const coded = await codecs.float.encode(proceduralSquare(77, TIMED_SIDE), { quality, effort: 'fast' })
  const times: Record<keyof Times, number[]> = { float: [], kernel: [], tensors: [] }
  for (let round = -2; round < rounds; round++)
    for (const name of ['float', 'kernel', 'tensors'] as const) {
      const before = spentMs[name]
      await codecs[name].decode(coded)
      if (round >= 0) times[name].push(((spentMs[name] - before) * 1e6) / TIMED_SIDE ** 2)
    }
  const [float, kernel, tensors] = [times.float, times.kernel, times.tensors].map(median)
  return { float: float!, kernel: kernel!, tensors: tensors! }
}

const rowOf = (quality: number, loss: Loss): Cell[] => [
  ...[quality, loss.pictures, loss.floatDb.toFixed(2), loss.meanDb.toFixed(4), loss.mostDb.toFixed(4)],
  ...[loss.betweenDb.toFixed(1), loss.loudBlocks],
]

export async function studyExactness(
  options: ExactnessOptions,
): Promise<{ report: Report; qualities: readonly QualityResult[]; asExpected: boolean }> {
  const results: QualityResult[] = []
  for (const quality of options.qualities) {
    const opened = openCodecs(options.weights)
    const losses = await lossesAt(options, opened, quality)
    const agreement = await agreementAt(options, opened, quality)
    const times = await timesAt(opened, quality, options.timedRounds)
    results.push({ quality, losses, agreement, times })
    for (const codec of Object.values(opened.codecs)) codec.dispose()
  }
  const [here, there] = options.backends
  const asExpected = results.every(
    ({ agreement: { whole, machines }, losses }) =>
      whole === 0 && machines === 0 && losses.every(({ loudBlocks }) => loudBlocks === 0),
  )
  const markdown = `# A Decrypter that gives the same bits everywhere

One model with its synthesis in whole numbers, as the app runs it, and with the same weights in float32. Pictures are coded
once, at effort fast, and cut to ${SIDE} pixels a side.

## Loss

Positive is worse than float32. Blocks with more energy than the sums allow for would be restored darker.

${table(
  [
    ...['quality', 'pictures', 'float32, dB', 'mean loss, dB', 'largest loss, dB', 'between both, dB'],
    'blocks with too much energy',
  ],
  results.flatMap(({ quality, losses }) => losses.map((loss) => rowOf(quality, loss))),
)}

## Bytes that differ between ${here} and ${there}

Of squares of ${COMPARED_SIDE} pixels, and in whole numbers between the kernel and tensors on ${here}.

${table(
  ['quality', 'bytes', 'float32', 'whole numbers', 'kernel and tensors'],
  results.map(({ quality, agreement: a }) => [quality, a.values, a.float, a.whole, a.machines]),
)}

## Speed on ${here}

Milliseconds of the networks per megapixel of one tile of ${TIMED_SIDE} pixels a side, medians of ${options.timedRounds} in turns.

${table(
  ['quality', 'float32', 'whole numbers', 'ratio', 'whole numbers in tensors', 'ratio'],
  results.map(({ quality, times: { float, kernel, tensors } }): Cell[] => [
    ...[quality, float.toFixed(0), kernel.toFixed(0), (kernel / float).toFixed(2)],
    ...[tensors.toFixed(0), (tensors / float).toFixed(2)],
  ]),
)}
`
  return { report: { name: 'exactness', markdown, figures: {} }, qualities: results, asExpected }
}
