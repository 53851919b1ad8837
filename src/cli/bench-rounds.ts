/**
 * One worker of the codec benchmark, on any host: pictures to sealed artifacts and back, timed by stage, and thumbnails
 * opened one by one, against a plain large convolution on the same backend in the same run. The caller has readied the
 * backend.
 */
import * as tf from '@tensorflow/tfjs-core'
import { parseBitstream } from '../codec/bitstream'
import { createCodec, type Stage } from '../codec/codec'
import { planRuns, runRegion, tileRegion, withHalo } from '../codec/runs'
import { haloOf, RENDER_HALO } from '../codec/transform'
import { versionsFor } from '../codec/fill-padding'
import type { Codec, Detail, Effort, RasterImage } from '../codec/types'
import { BLOCK, LATENTS, type CodecConfig, type CodecWeights } from '../codec/weights'
import type { Mask } from '../crypto/artifact'
import { createMask } from '../diffusion/mask'
import { paddedThumbnailLength } from '../format/padding'
import { PROCESS } from '../format/suite'
import { median } from '../lib/statistics'
import { opaque } from '../training/opaque'
import { proceduralImage } from '../training/procedural-images'
import { makeSealer } from './sealed'

export type BenchStage = Stage | 'mask' | 'seal'
export type Stages = Record<BenchStage, number>

/** Billions of multiply-adds per second. */
export interface NetworkSpeed {
  /** All that were done. */
  readonly done: number
  /** Without halos, and channels that only fill up. */
  readonly needed: number
}

export interface ThumbnailReport {
  readonly width: number
  readonly height: number
  /** Coded bytes of one, on average. */
  readonly codedBytes: number
  /** Verified, unmasked and decoded to pixels; median over rounds. */
  readonly perSecond: number
  /** Milliseconds for one, mean. */
  readonly stages: Stages
}

export interface WorkerReport {
  readonly backend: Codec['backend']
  /** Of the engine; null where the backend has no such number. */
  readonly threads: number | null
  /** In one round: all pictures. */
  readonly megapixels: number
  readonly symbols: number
  /** How many symbols the encoder chose and coded: those of every version of a tile. */
  readonly codedSymbols: number
  readonly codedBytes: number
  /** Medians over rounds. */
  readonly encodeSeconds: number
  readonly decodeSeconds: number
  /** Milliseconds a round, means over rounds. */
  readonly encodeStages: Stages
  readonly decodeStages: Stages
  /** Billions of multiply-adds per second of the faster of two plain convolutions, median over rounds. */
  readonly convolution: number
  readonly encodeNetworks: NetworkSpeed
  readonly decodeNetworks: NetworkSpeed
  readonly thumbnails: ThumbnailReport
}

export interface RoundOptions {
  readonly weights: CodecWeights
  readonly threads: number | null
  readonly entropy: 'kernel' | 'typescript'
  readonly rounds: number
  readonly quality: number
  readonly effort: Effort
  readonly pictures: readonly RasterImage[]
  /** What thumbnails are made of. */
  readonly scenes: readonly RasterImage[]
  /** Called before each part that is measured, which begins when it resolves: all workers begin together. */
  readonly together: () => Promise<void>
}

/** As the app makes them, see workers/darkroom. */
const THUMBNAIL_SIDE = 320
const THUMBNAIL_QUALITY = 36

const noStages = (): Stages => ({ pixels: 0, transform: 0, latents: 0, entropy: 0, mask: 0, seal: 0 })
export function proceduralPicture(seed: number, width: number, height: number): RasterImage {
  return opaque(proceduralImage(seed, width, height), width, height)
}

/** A picture of 2048 x 1536 from four procedural scenes. */
export function sceneQuartet(): RasterImage {
  const [w, h] = [1024, 768]
  const data = new Uint8ClampedArray(4 * 4 * w * h)
  for (let corner = 0; corner < 4; corner++) {
    const rows = proceduralPicture(900 + corner, w, h).data
    const at = (corner >> 1) * h * 2 * w + (corner & 1) * w
    for (let y = 0; y < h; y++) data.set(rows.subarray(4 * y * w, 4 * (y + 1) * w), 4 * (at + y * 2 * w))
  }
  return { width: 2 * w, height: 2 * h, hasAlpha: false, colorSpace: 'srgb', data }
}

/** Scenes from which thumbnails of 320 x 240 and 240 x 320 are made. */
export function thumbnailScenes(count: number): RasterImage[] {
  return Array.from({ length: count }, (_, i) =>
    i % 4 === 3 ? proceduralPicture(950 + i, 480, 640) : proceduralPicture(950 + i, 640, 480),
  )
}

/** Shrinks by a whole factor, averaging, so that the longer side is about that of a thumbnail. */
export function thumbnailOf({ width, height, data, ...rest }: RasterImage): RasterImage {
  const factor = Math.max(1, Math.round(Math.max(width, height) / THUMBNAIL_SIDE))
  const [w, h] = [Math.floor(width / factor), Math.floor(height / factor)]
  const out = new Uint8ClampedArray(4 * w * h)
  for (let i = 0; i < out.length; i++) {
    const [x, y] = [(i >> 2) % w, Math.floor((i >> 2) / w)]
    let sum = 0
    for (let dy = 0; dy < factor; dy++)
      for (let dx = 0; dx < factor; dx++)
        sum += data[4 * ((y * factor + dy) * width + x * factor + dx) + (i & 3)]!
    out[i] = sum / factor ** 2
  }
  return { ...rest, hasAlpha: false, width: w, height: h, data: out }
}

/** Seals and opens as the vault does; the time within the mask is told apart. */
function makeVault(stages: () => Stages) {
  const plain = createMask(PROCESS.torus32)
  let within = 0
  const timed = async (work: Promise<Uint8Array>): Promise<Uint8Array> => {
    const start = performance.now()
    const result = await work
    within += performance.now() - start
    return result
  }
  const mask: Mask = {
    processId: PROCESS.torus32,
    apply: (...given) => timed(plain.apply(...given)),
    remove: (...given) => timed(plain.remove(...given)),
    removeChunk: (...given) => timed(plain.removeChunk(...given)),
  }
  async function split<T>(work: () => Promise<T>): Promise<T> {
    within = 0
    const start = performance.now()
    const result = await work()
    stages().mask += within
    stages().seal += performance.now() - start - within
    return result
  }
  const sealer = makeSealer(mask)
  return {
    seal: (size: RasterImage, bytes: Uint8Array, quality: number) =>
      split(() => sealer.seal(size, bytes, quality)),
    open: (bytes: Uint8Array, dataKey: Uint8Array) => split(() => sealer.open(bytes, dataKey)),
    paddedLength: sealer.paddedLength,
  }
}

function symbolsIn(bitstream: Uint8Array): number {
  const { header, grid, tiles } = parseBitstream(bitstream)
  return tiles.reduce((sum, tile, i) => {
    const part = tileRegion(header, i % grid.columns, Math.floor(i / grid.columns))
    return sum + part.width * part.height * tile[0]! * 16
  }, 0)
}

/** Multiply-adds of one position in a residual block of a width. */
const macsOfBlock = (width: number): number => width * 9 + 2 * width * 2 * width

/** Multiply-adds of the networks over a picture; with halos or without. */
interface Macs {
  done: number
  needed: number
}

function encodeMacs(config: CodecConfig, { width, height }: RasterImage, effort: Effort): Macs {
  const grid = { columns: Math.ceil(width / (32 * BLOCK)), rows: Math.ceil(height / (32 * BLOCK)) }
  const { analysisWidth: a, analysisBlocks, analysisOut } = config
  const network = LATENTS * a + analysisBlocks * macsOfBlock(a) + a * analysisOut
  const position = LATENTS * LATENTS + (effort === 'best' ? network : 0)
  const macs = { done: 0, needed: 0 }
  for (const run of planRuns(grid.columns, 0, grid.rows)) {
    const core = runRegion({ width, height }, run)
    const region = effort === 'best' ? withHalo({ width, height }, core, haloOf(config).analysis) : core
    macs.done += region.width * region.height * position
    macs.needed += core.width * core.height * position
  }
  return macs
}

/** As Codec.decode runs them: channels in groups of 64, those that any tile within the halo uses. */
function decodeMacs(config: CodecConfig, bitstream: Uint8Array): Macs {
  const { header, grid, tiles } = parseBitstream(bitstream)
  const { synthesisIn, synthesisWidth: s, synthesisBlocks, renderFeatures, renderWidth } = config
  const render = 16 * (9 * (48 + renderFeatures) * renderWidth + renderWidth * 48)
  const near = (channels: number): number => channels * LATENTS + s * 16 * renderFeatures + render
  const hidden = (channels: number): number =>
    Math.min(channels, synthesisIn) * s + synthesisBlocks * macsOfBlock(s)
  const activeAt = (column: number, row: number): number =>
    (tiles[row * grid.columns + column]?.[0] ?? 0) * 16
  const area = (region: { width: number; height: number }): number => region.width * region.height
  const macs = { done: 0, needed: 0 }
  for (const run of planRuns(grid.columns, 0, grid.rows)) {
    const core = runRegion(header, run)
    const region = withHalo(header, core, haloOf(config).synthesis)
    const window = withHalo(header, core, RENDER_HALO)
    let most = 1
    for (let row = Math.max(0, run.row - 1); row <= Math.min(grid.rows - 1, run.row + 1); row++)
      for (
        let column = Math.max(0, run.column - 1);
        column <= Math.min(grid.columns - 1, run.column + 1);
        column++
      )
        most = Math.max(most, activeAt(column, row))
    const channels = Math.min(LATENTS, Math.ceil(most / 64) * 64)
    const active = activeAt(run.column, run.row)
    macs.done += area(region) * hidden(channels) + area(window) * near(channels)
    macs.needed += area(core) * (hidden(active) + near(active))
  }
  return macs
}

/** Times plain convolutions; the best median is what the backend can do. */
function makePeak() {
  const shapes = [
    { side: 48, kernel: 1, channels: LATENTS },
    { side: 96, kernel: 3, channels: 128 },
  ] as const
  const cases = shapes.map(({ side, kernel, channels }) => ({
    x: tf.randomNormal<tf.Rank.R4>([1, side, side, channels]),
    filter: tf.randomNormal<tf.Rank.R4>([kernel, kernel, channels, channels]),
    macs: (side * kernel * channels) ** 2,
    seconds: [] as number[],
  }))
  return {
    async run(): Promise<void> {
      for (const { x, filter, seconds } of cases) {
        const start = performance.now()
        const y = tf.conv2d(x, filter, 1, 'same')
        const corner = tf.slice(y, [0, 0, 0, 0], [1, 1, 1, 1])
        await corner.data()
        seconds.push((performance.now() - start) / 1000)
        tf.dispose([y, corner])
      }
    },
    forget: () => cases.forEach(({ seconds }) => seconds.splice(0)),
    /** Billions of multiply-adds per second. */
    best: () => Math.max(...cases.map(({ macs, seconds }) => macs / median(seconds) / 1e9)),
    dispose: () => tf.dispose(cases.flatMap(({ x, filter }) => [x, filter])),
  }
}

export async function measureRounds(options: RoundOptions): Promise<WorkerReport> {
  const { weights, rounds, quality, effort, pictures } = options
  let stages = noStages()
  const onStage = (stage: Stage, ms: number): void => void (stages[stage] += ms)
  const codec: Codec = createCodec(weights, { entropy: options.entropy, onStage })
  const vault = makeVault(() => stages)
  const peak = makePeak()
  const megapixels = pictures.reduce((sum, p) => sum + p.width * p.height, 0) / 1e6

  const encodeOne = async (picture: RasterImage, at: number, padded = vault.paddedLength) => {
    const bitstream = await codec.encode(picture, { quality: at, effort, paddedLength: padded })
    return { bitstream, ...(await vault.seal(picture, bitstream, at)) }
  }
  const decodeOne = async (sealed: { bytes: Uint8Array; dataKey: Uint8Array }, detail: Detail = 'full') =>
    codec.decode(await vault.open(sealed.bytes, sealed.dataKey), { detail })

  await decodeOne(await encodeOne(pictures[0]!, quality))
  await peak.run()
  peak.forget()
  await options.together()

  const encodeSeconds: number[] = []
  const decodeSeconds: number[] = []
  const [encodeStages, decodeStages] = [noStages(), noStages()]
  const [encoded, decoded]: [Macs, Macs] = [
    { done: 0, needed: 0 },
    { done: 0, needed: 0 },
  ]
  const add = (to: Macs, macs: Macs): void => {
    to.done += macs.done
    to.needed += macs.needed
  }
  let [symbols, codedSymbols, codedBytes] = [0, 0, 0]
  for (let round = 0; round < rounds; round++) {
    symbols = codedSymbols = 0
    codedBytes = 0
    let [encodeMs, decodeMs] = [0, 0]
    for (const picture of pictures) {
      stages = encodeStages
      const start = performance.now()
      const sealed = await encodeOne(picture, quality)
      const middle = performance.now()
      stages = decodeStages
      await decodeOne(sealed)
      decodeMs += performance.now() - middle
      encodeMs += middle - start
      const kept = symbolsIn(sealed.bitstream)
      symbols += kept
      codedSymbols += kept * versionsFor(picture.width, picture.height)
      codedBytes += sealed.bitstream.length
      add(encoded, encodeMacs(weights.config, picture, effort))
      add(decoded, decodeMacs(weights.config, sealed.bitstream))
    }
    encodeSeconds.push(encodeMs / 1000)
    decodeSeconds.push(decodeMs / 1000)
    await peak.run()
  }
  const speed = (macs: Macs, { transform: ms }: Stages): NetworkSpeed => ({
    done: macs.done / ms / 1e6,
    needed: macs.needed / ms / 1e6,
  })
  const [encodeNetworks, decodeNetworks] = [speed(encoded, encodeStages), speed(decoded, decodeStages)]
  const convolution = peak.best()
  peak.dispose()
  for (const each of [encodeStages, decodeStages])
    for (const stage of Object.keys(each) as BenchStage[]) each[stage] /= rounds

  stages = noStages()
  const small = options.scenes.map(thumbnailOf)
  const sealed: Awaited<ReturnType<typeof encodeOne>>[] = []
  for (const each of small) sealed.push(await encodeOne(each, THUMBNAIL_QUALITY, paddedThumbnailLength))
  for (const each of sealed) await decodeOne(each, 'quick')
  await options.together()
  stages = noStages()
  const thumbnailSeconds: number[] = []
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (const each of sealed) await decodeOne(each, 'quick')
    thumbnailSeconds.push((performance.now() - start) / 1000)
  }
  const count = small.length
  const thumbnailStages = noStages()
  for (const stage of Object.keys(stages) as BenchStage[])
    thumbnailStages[stage] = stages[stage] / (rounds * count)
  const backend = codec.backend
  codec.dispose()
  return {
    ...{ backend, threads: options.threads, megapixels, symbols, codedSymbols, codedBytes },
    ...{ encodeStages, decodeStages, convolution, encodeNetworks, decodeNetworks },
    encodeSeconds: median(encodeSeconds),
    decodeSeconds: median(decodeSeconds),
    thumbnails: {
      width: small[0]!.width,
      height: small[0]!.height,
      codedBytes: sealed.reduce((sum, { bitstream }) => sum + bitstream.length, 0) / count,
      perSecond: count / median(thumbnailSeconds),
      stages: thumbnailStages,
    },
  }
}
