/**
 * `npm run study -- exactness`: what a Decrypter costs that gives the same bits everywhere. Photos are coded once, restored
 * by the float32 synthesis and by one in whole numbers (integer-synthesis), and compared with what they were; the integer
 * one is also run on two backends, and its sums are checked against 2^24. It is a study: the app restores in float32.
 */
import * as tf from '@tensorflow/tfjs-core'
import { parseBitstream } from '../codec/bitstream'
import { writeQuarters } from '../codec/blocks'
import { createCodec } from '../codec/codec'
import { SYMBOL_UNIT } from '../codec/context-model'
import { psnrDb } from '../codec/metrics'
import { readSymbols } from '../codec/symbols'
import { synthesize, transformAt, type QualityTransform } from '../codec/transform'
import type { RasterImage } from '../codec/types'
import { BLOCK, type CodecWeights } from '../codec/weights'
import { median } from '../lib/statistics'
import { opaque } from '../training/opaque'
import { proceduralImage } from '../training/procedural-images'
import { integerArithmetic, rangesOf, synthesizeIn, type IntegerSynthesis } from './integer-synthesis'
import { table, type Cell, type Report } from './markdown'

/** Pictures are cut to squares of at most this: one tile. */
const SIDE = 384
const CALIBRATION_SEEDS = [9001, 9002, 9003, 9004, 9005, 9006, 9007, 9008]
const TIMED_SIDE = 512
/** Blocks of the part that is restored on two backends, and on the cpu slowly. */
const CPU_BLOCKS = 6
/** Pictures of each kind that are compared so, and of which the sums are looked at. */
const COMPARED = 4
const SUMMED = 12

export interface ExactnessOptions {
  readonly weights: CodecWeights
  /** By what the report calls them. */
  readonly pictures: ReadonlyMap<string, readonly RasterImage[]>
  readonly qualities: readonly number[]
  /** What activations are clipped to. */
  readonly bits: readonly number[]
  /** Restores on the first are compared with those on the second; both are registered, and the first is set. */
  readonly backends: readonly [string, string]
  readonly timedRounds: number
  readonly print: (line: string) => void
}

export function proceduralSquare(seed: number, side = SIDE): RasterImage {
  return opaque(proceduralImage(seed, side, side), side)
}

/** The middle of a picture, of whole blocks. */
export function middleOf({ width, height, data, ...rest }: RasterImage): RasterImage {
  const [w, h] = [width, height].map((n) => Math.min(SIDE, Math.floor(n / BLOCK) * BLOCK)) as [number, number]
  const [left, top] = [(width - w) >> 1, (height - h) >> 1]
  const out = new Uint8ClampedArray(4 * w * h)
  for (let y = 0; y < h; y++) {
    const from = 4 * ((top + y) * width + left)
    out.set(data.subarray(from, from + 4 * w), 4 * y * w)
  }
  return { ...rest, hasAlpha: false, width: w, height: h, data: out }
}

/** A picture of one tile. */
interface Coded {
  readonly picture: RasterImage
  /** Blocks. */
  readonly width: number
  readonly height: number
  readonly channels: number
  /** In sixteenths of a step: whole numbers. */
  readonly whole: Float32Array
  /** In steps. */
  readonly steps: Float32Array
}

const inputOf = ({ width, height, channels, ...coded }: Coded, of: 'whole' | 'steps'): tf.Tensor4D =>
  tf.tensor4d(coded[of], [1, height, width, channels])

function pictureOf(quarters: Float32Array, width: number, height: number): RasterImage {
  const data = new Uint8ClampedArray(4 * BLOCK * BLOCK * width * height)
  const [right, bottom] = [BLOCK * width, BLOCK * height]
  writeQuarters(quarters, 4 * width, 0, 0, data, right, { left: 0, top: 0, right, bottom })
  return { width: right, height: bottom, hasAlpha: false, colorSpace: 'srgb', data }
}

async function restored(quarters: tf.Tensor4D): Promise<RasterImage> {
  const [, h, w] = quarters.shape
  const values = (await quarters.data()) as Float32Array
  quarters.dispose()
  return pictureOf(values, w / 4, h / 4)
}

const inFloat = (t: QualityTransform, coded: Coded): Promise<RasterImage> => {
  const input = inputOf(coded, 'steps')
  const pixels = tf.tidy(() => synthesize(t, input))
  input.dispose()
  return restored(pixels)
}

const inWhole = (a: IntegerSynthesis, coded: Coded): Promise<RasterImage> => {
  const input = inputOf(coded, 'whole')
  const pixels = synthesizeIn(a, input)
  input.dispose()
  return restored(pixels)
}

async function code(
  weights: CodecWeights,
  pictures: readonly RasterImage[],
  quality: number,
): Promise<Coded[]> {
  const codec = createCodec(weights)
  const coded: Coded[] = []
  for (const picture of pictures) {
    const bitstream = await codec.encode(picture, { quality, effort: 'fast' })
    const bytes = await readSymbols(weights, parseBitstream(bitstream))
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const channels = view.getUint16(0, true)
    if (channels === 0) continue
    const [width, height] = [picture.width / BLOCK, picture.height / BLOCK]
    const whole = Float32Array.from({ length: width * height * channels }, (_, i) =>
      view.getInt16(2 + 2 * i, true),
    )
    coded.push({ picture, width, height, channels, whole, steps: whole.map((value) => value / SYMBOL_UNIT) })
  }
  codec.dispose()
  return coded
}

/** The upper left part of it, small enough for the cpu backend. */
function cornerOf({ picture, channels, width, ...coded }: Coded): Coded {
  const corner = (values: Float32Array): Float32Array => {
    const out = new Float32Array(CPU_BLOCKS * CPU_BLOCKS * channels)
    for (let y = 0; y < CPU_BLOCKS; y++) {
      const from = y * width * channels
      out.set(values.subarray(from, from + CPU_BLOCKS * channels), y * CPU_BLOCKS * channels)
    }
    return out
  }
  const [whole, steps] = [corner(coded.whole), corner(coded.steps)]
  return { picture, whole, steps, channels, width: CPU_BLOCKS, height: CPU_BLOCKS }
}

const differing = (a: RasterImage, b: RasterImage): number =>
  a.data.reduce((count, value, i) => count + (value === b.data[i] ? 0 : 1), 0)

interface Loss {
  readonly bits: number
  readonly pictures: string
  readonly floatDb: number
  readonly meanDb: number
  readonly mostDb: number
  /** Between both restorations. */
  readonly betweenDb: number
  /** Of magnitudes in any layer, over 2^24. */
  readonly largestSum: number
  /** Pictures with blocks of more energy than the sums allow for. */
  readonly misfits: number
}

interface Agreement {
  readonly values: number
  /** Before rounding, float32; then as bytes. */
  readonly floatValues: number
  readonly floatBytes: number
  readonly wholeBytes: number
}

interface QualityResult {
  readonly quality: number
  readonly losses: readonly Loss[]
  /** With the least loss; the rest is measured at it. */
  readonly bits: number
  readonly agreement: Agreement
  /** Milliseconds per megapixel. */
  readonly floatMs: number
  readonly wholeMs: number
}

async function timeBoth(
  t: QualityTransform,
  whole: IntegerSynthesis,
  coded: Coded,
  rounds: number,
): Promise<{ floatMs: number; wholeMs: number }> {
  const floats: number[] = []
  const wholes: number[] = []
  const timed = async (to: number[], work: () => Promise<unknown>): Promise<void> => {
    const start = performance.now()
    await work()
    to.push(((performance.now() - start) * 1e6) / (coded.width * coded.height * BLOCK * BLOCK))
  }
  for (let round = -2; round < rounds; round++) {
    await timed(round < 0 ? [] : floats, () => inFloat(t, coded))
    await timed(round < 0 ? [] : wholes, () => inWhole(whole, coded))
  }
  return { floatMs: median(floats), wholeMs: median(wholes) }
}

/** The largest sum of magnitudes in any layer, over 2^24: below 1, every sum of these pictures is exact. */
function largestSumOf(whole: IntegerSynthesis, coded: readonly Coded[]): number {
  let largest = 0
  for (const each of coded) {
    const input = inputOf(each, 'whole')
    largest = Math.max(largest, whole.largestSum(input))
    input.dispose()
  }
  return largest / 2 ** 24
}

async function studyQuality(options: ExactnessOptions, quality: number): Promise<QualityResult> {
  const { weights } = options
  const t = transformAt(weights, quality)
  const calibration = await code(
    weights,
    CALIBRATION_SEEDS.map((seed) => proceduralSquare(seed)),
    quality,
  )
  const inputs = calibration.map((coded) => inputOf(coded, 'steps'))
  const ranges = rangesOf(t, inputs)
  tf.dispose(inputs)
  const sets: { name: string; coded: Coded[]; floatDb: number[]; floats: RasterImage[] }[] = []
  for (const [name, pictures] of options.pictures) {
    const coded = await code(weights, pictures, quality)
    const floats: RasterImage[] = []
    for (const each of coded) floats.push(await inFloat(t, each))
    sets.push({ name, coded, floats, floatDb: coded.map(({ picture }, i) => psnrDb(picture, floats[i]!)) })
  }
  const losses: Loss[] = []
  for (const bits of options.bits) {
    const whole = await integerArithmetic(t, ranges, bits)
    for (const { name, coded, floats, floatDb } of sets) {
      const lost: number[] = []
      const between: number[] = []
      for (const [i, each] of coded.entries()) {
        const picture = await inWhole(whole, each)
        lost.push(floatDb[i]! - psnrDb(each.picture, picture))
        between.push(Math.min(99, psnrDb(floats[i]!, picture)))
      }
      losses.push({
        bits,
        pictures: `${name}, ${coded.length}`,
        floatDb: mean(floatDb),
        meanDb: mean(lost),
        mostDb: Math.max(...lost),
        betweenDb: mean(between),
        largestSum: largestSumOf(whole, coded.slice(0, SUMMED)),
        misfits: coded.filter((each) => !whole.fits(each.whole, each.channels)).length,
      })
      options.print(rowOf(quality, losses.at(-1)!).join('  '))
    }
    whole.dispose()
  }
  const lossAt = (bits: number): number =>
    mean(losses.filter((loss) => loss.bits === bits).map(({ meanDb }) => meanDb))
  const [bits] = [...options.bits].sort((x, y) => lossAt(x) - lossAt(y)) as [number, ...number[]]
  const few = sets.flatMap(({ coded }) => coded.slice(0, COMPARED))
  const agreement = await agree(t, ranges, bits, options, quality, few)
  const [timed] = await code(weights, [proceduralSquare(77, TIMED_SIDE)], quality)
  const whole = await integerArithmetic(t, ranges, bits)
  const times = await timeBoth(t, whole, timed!, options.timedRounds)
  whole.dispose()
  t.dispose()
  return { quality, losses, bits, agreement, ...times }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

const rowOf = (quality: number, loss: Loss): Cell[] => [
  ...[
    quality,
    loss.bits,
    loss.pictures,
    loss.floatDb.toFixed(2),
    loss.meanDb.toFixed(3),
    loss.mostDb.toFixed(3),
  ],
  ...[loss.betweenDb.toFixed(1), loss.largestSum.toFixed(2), loss.misfits],
]

/** Both ways on two backends: how many bytes come out differently. */
async function agree(
  t: QualityTransform,
  ranges: Awaited<ReturnType<typeof rangesOf>>,
  bits: number,
  { weights, backends: [here, there] }: ExactnessOptions,
  quality: number,
  coded: readonly Coded[],
): Promise<Agreement> {
  const corners = coded.map(cornerOf)
  const restoreAll = async (transform: QualityTransform, whole: IntegerSynthesis) => {
    const pictures = { float: [] as RasterImage[], whole: [] as RasterImage[], exact: [] as Float32Array[] }
    for (const corner of corners) {
      pictures.float.push(await inFloat(transform, corner))
      pictures.whole.push(await inWhole(whole, corner))
      const input = inputOf(corner, 'steps')
      const pixels = tf.tidy(() => synthesize(transform, input))
      pictures.exact.push((await pixels.data()) as Float32Array)
      tf.dispose([pixels, input])
    }
    return pictures
  }
  const wholeHere = await integerArithmetic(t, ranges, bits)
  const a = await restoreAll(t, wholeHere)
  wholeHere.dispose()
  await tf.setBackend(there)
  const other = transformAt(weights, quality)
  const wholeThere = await integerArithmetic(other, ranges, bits)
  const b = await restoreAll(other, wholeThere)
  wholeThere.dispose()
  other.dispose()
  await tf.setBackend(here)
  const count = (x: readonly RasterImage[], y: readonly RasterImage[]): number =>
    x.reduce((sum, picture, i) => sum + differing(picture, y[i]!), 0)
  const floats = a.exact.reduce(
    (sum, values, i) => sum + values.reduce((n, value, at) => n + (value === b.exact[i]![at] ? 0 : 1), 0),
    0,
  )
  const values = corners.length * 3 * (BLOCK * CPU_BLOCKS) ** 2
  return {
    values,
    floatValues: floats,
    floatBytes: count(a.float, b.float),
    wholeBytes: count(a.whole, b.whole),
  }
}

export async function studyExactness(
  options: ExactnessOptions,
): Promise<{ report: Report; qualities: readonly QualityResult[]; asExpected: boolean }> {
  const results: QualityResult[] = []
  for (const quality of options.qualities) results.push(await studyQuality(options, quality))
  const [here, there] = options.backends
  const agreements = results.map(({ quality, bits, agreement: a }): Cell[] => [
    ...[quality, bits, a.values, a.floatValues, a.floatBytes, a.wholeBytes],
  ])
  const times = results.map(({ quality, bits, floatMs, wholeMs }): Cell[] => [
    ...[quality, bits, floatMs.toFixed(0), wholeMs.toFixed(0), (wholeMs / floatMs).toFixed(2)],
  ])
  const asExpected = results.every(({ agreement }) => agreement.wholeBytes === 0)
  const markdown = `# A Decrypter that gives the same bits everywhere

The synthesis in whole numbers below 2^24, which float32 adds and multiplies without rounding, against the one that the
app runs. Weights and activations have a unit for each channel; activations are clipped to the bits below and a sign, at
half beyond what ${CALIBRATION_SEEDS.length} procedural scenes need; sums are rescaled by powers of two; what rounding takes
from the weights of the first channels is added back by a finer filter. That no sum can reach 2^24 follows from the
clipping, and for symbols from the energy that a block of pixels can have, which a decoder would check. Pictures are coded
at effort fast and cut to ${SIDE} pixels a side.

## Loss

Positive is worse than float32. The largest sum is that of magnitudes in any layer, over 2^24; blocks with more energy than
allowed for would have to be refused.

${table(
  [
    ...['quality', 'bits', 'pictures', 'float32, dB', 'mean loss, dB', 'largest loss, dB'],
    ...['between both, dB', 'largest sum', 'pictures with too much energy'],
  ],
  results.flatMap(({ quality, losses }) => losses.map((loss) => rowOf(quality, loss))),
)}

## Agreement of ${here} and ${there}, at the bits with the least loss

${table(
  ['quality', 'bits', 'values', 'float32 values that differ', 'float32, as bytes', 'whole numbers, as bytes'],
  agreements,
)}

## Speed on ${here}

Milliseconds per megapixel of one tile of ${TIMED_SIDE} pixels a side, transfers included, medians of ${options.timedRounds} in turns.

${table(['quality', 'bits', 'float32', 'whole numbers', 'ratio'], times)}

## What an exact Decrypter would still need

Whole weights shipped for every quality, or made from the released ones without exp (codec/transform uses it, and engines
differ in its last bits); units that follow the channels through the folding of a personal model; a rule for blocks with
too much energy; and a format version, since pictures differ from those of today by a grey level here and there.
`
  return { report: { name: 'exactness', markdown, figures: {} }, qualities: results, asExpected }
}
