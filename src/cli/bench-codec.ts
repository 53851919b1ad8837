/** One worker of the codec benchmark: pictures to sealed artifacts and back, timed by stage. */
import { resourceUsage } from 'node:process'
import * as tf from '@tensorflow/tfjs-core'
import { parseBitstream } from '../codec/bitstream'
import { createCodec, type Stage } from '../codec/codec'
import type { Codec, Effort, RasterImage } from '../codec/types'
import { LATENTS, type CodecConfig } from '../codec/weights'
import { openArtifact, sealArtifact, sealedSection, type Mask } from '../crypto/artifact'
import { newArtifactId, randomBytes } from '../crypto/random'
import { createMask } from '../diffusion/mask'
import { SECTION } from '../format/artifact'
import { accountIds, modelIds } from '../format/ids'
import { PROCESS } from '../format/suite'
import { proceduralImage } from '../training/procedural-images'
import { listPictures, readModel, readPicture, readyWasm } from './node-codec'

export type BenchStage = Stage | 'mask' | 'seal'
export type Stages = Record<BenchStage, number>

export interface WorkerReport {
  /** In one round: all pictures. */
  readonly megapixels: number
  readonly symbols: number
  readonly codedBytes: number
  /** Medians over rounds. */
  readonly encodeSeconds: number
  readonly decodeSeconds: number
  /** Milliseconds a round, means over rounds. */
  readonly encodeStages: Stages
  readonly decodeStages: Stages
  readonly peakBytes: number
  /** Billions of multiply-adds per second: a plain convolution, and those of the networks that count. */
  readonly convolutionGmacs: number
  readonly encodeGmacs: number
  readonly decodeGmacs: number
}

export interface RoundOptions {
  readonly entropy: 'kernel' | 'typescript'
  readonly rounds: number
  readonly quality: number
  readonly effort: Effort
  readonly folder: string | null
  /** Called when warm; measuring begins when it resolves. */
  readonly ready: () => Promise<void>
}

const noStages = (): Stages => ({ pixels: 0, transform: 0, latents: 0, entropy: 0, mask: 0, seal: 0 })
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

/** A picture of 2048 x 1536 from four procedural scenes. */
function sceneQuartet(): RasterImage {
  const [w, h] = [1024, 768]
  const data = new Uint8ClampedArray(4 * 4 * w * h).fill(255)
  for (let scene = 0; scene < 4; scene++) {
    const rgb = proceduralImage(900 + scene, w, h)
    const corner = (scene >> 1) * h * 2 * w + (scene & 1) * w
    for (let i = 0; i < w * h; i++) {
      const at = 4 * (corner + Math.floor(i / w) * 2 * w + (i % w))
      data.set(rgb.subarray(3 * i, 3 * i + 3), at)
    }
  }
  return { width: 2 * w, height: 2 * h, hasAlpha: false, colorSpace: 'srgb', data }
}

async function readPictures(folder: string | null): Promise<RasterImage[]> {
  if (folder === null) return [sceneQuartet()]
  return Promise.all((await listPictures(folder)).map((file) => readPicture(file)))
}

/** Seals and opens as the vault does; the time within the mask is told apart. */
function makeVault(stages: () => Stages) {
  const names = {
    accountId: accountIds.fromBytes(randomBytes(32)),
    artifactId: newArtifactId(),
    modelId: modelIds.fromBytes(randomBytes(32)),
    modelGeneration: 1,
  }
  const lock = { modelSecret: randomBytes(32), weightsHash: randomBytes(32) }
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
  return {
    seal: ({ width, height }: RasterImage, bytes: Uint8Array, quality: number) =>
      split(() =>
        sealArtifact({
          names,
          lock,
          mask,
          sections: [{ id: SECTION.image, bytes }],
          picture: { width, height, quality, paddingRule: 'eighths' },
        }),
      ),
    open: (bytes: Uint8Array, dataKey: Uint8Array) =>
      split(async () => {
        const reader = await openArtifact({ first: bytes, names, lock, mask, dataKey })
        try {
          return await reader.section(SECTION.image, sealedSection(bytes, reader.find(SECTION.image)!))
        } finally {
          reader.close()
        }
      }),
  }
}

function symbolsIn(bitstream: Uint8Array): number {
  const { header, grid, tiles } = parseBitstream(bitstream)
  const blocks = (pixels: number): number => Math.ceil(pixels / 16)
  return tiles.reduce((sum, tile, i) => {
    const x = (i % grid.columns) * 32
    const y = Math.floor(i / grid.columns) * 32
    const positions = Math.min(32, blocks(header.width) - x) * Math.min(32, blocks(header.height) - y)
    return sum + positions * tile[0]! * 16
  }, 0)
}

/** Multiply-adds for a pixel that no tile edge adds to. */
function macsPerPixel(
  config: CodecConfig,
  effort: Effort,
  active: number,
): { encode: number; decode: number } {
  const { analysisWidth: a, synthesisWidth: s, renderFeatures, renderWidth } = config
  const block = (width: number): number => width * 9 + 2 * width * 2 * width
  const network = LATENTS * a + config.analysisBlocks * block(a) + a * config.analysisOut
  const render = 16 * (9 * (48 + renderFeatures) * renderWidth + renderWidth * 48)
  const hidden = Math.min(active, config.synthesisIn) * s + config.synthesisBlocks * block(s)
  return {
    encode: (LATENTS * LATENTS + (effort === 'best' ? network : 0)) / 256,
    decode: (active * LATENTS + hidden + s * 16 * renderFeatures + render) / 256,
  }
}

/** Billions of multiply-adds per second of one large 1 x 1 convolution. */
async function measureConvolution(): Promise<number> {
  const [side, channels] = [48, LATENTS]
  const x = tf.randomNormal<tf.Rank.R4>([1, side, side, channels])
  const w = tf.randomNormal<tf.Rank.R4>([1, 1, channels, channels])
  const times: number[] = []
  for (let run = 0; run < 7; run++) {
    const start = performance.now()
    const y = tf.conv2d(x, w, 1, 'valid')
    await tf.slice(y, [0, 0, 0, 0], [1, 1, 1, 1]).data()
    times.push((performance.now() - start) / 1000)
    y.dispose()
  }
  tf.dispose([x, w])
  return (side * side * channels * channels) / median(times) / 1e9
}

export async function measureRounds(options: RoundOptions): Promise<WorkerReport> {
  const { rounds, quality, effort } = options
  await readyWasm()
  const { weights } = await readModel()
  let stages = noStages()
  const onStage = (stage: Stage, ms: number): void => void (stages[stage] += ms)
  const codec: Codec = createCodec(weights, { entropy: options.entropy, onStage })
  const vault = makeVault(() => stages)
  const pictures = await readPictures(options.folder)
  const megapixels = pictures.reduce((sum, p) => sum + p.width * p.height, 0) / 1e6

  const encodeOne = async (picture: RasterImage) => {
    const bitstream = await codec.encode(picture, { quality, effort })
    return { bitstream, ...(await vault.seal(picture, bitstream, quality)) }
  }
  const decodeOne = async (sealed: { bytes: Uint8Array; dataKey: Uint8Array }) =>
    codec.decode(await vault.open(sealed.bytes, sealed.dataKey))

  const warm = await Promise.all([encodeOne(pictures[0]!)])
  await decodeOne(warm[0])
  const convolutionGmacs = await measureConvolution()
  await options.ready()

  const encodeSeconds: number[] = []
  const decodeSeconds: number[] = []
  const [encodeStages, decodeStages] = [noStages(), noStages()]
  let [symbols, codedBytes] = [0, 0]
  for (let round = 0; round < rounds; round++) {
    symbols = 0
    codedBytes = 0
    let [encodeMs, decodeMs] = [0, 0]
    for (const picture of pictures) {
      stages = encodeStages
      const start = performance.now()
      const sealed = await encodeOne(picture)
      const middle = performance.now()
      stages = decodeStages
      await decodeOne(sealed)
      decodeMs += performance.now() - middle
      encodeMs += middle - start
      symbols += symbolsIn(sealed.bitstream)
      codedBytes += sealed.bitstream.length
    }
    encodeSeconds.push(encodeMs / 1000)
    decodeSeconds.push(decodeMs / 1000)
  }
  codec.dispose()
  for (const each of [encodeStages, decodeStages])
    for (const stage of Object.keys(each) as BenchStage[]) each[stage] /= rounds
  const positions = (megapixels * 1e6) / 256
  const macs = macsPerPixel(weights.config, effort, symbols / positions)
  return {
    ...{ megapixels, symbols, codedBytes, encodeStages, decodeStages, convolutionGmacs },
    encodeSeconds: median(encodeSeconds),
    decodeSeconds: median(decodeSeconds),
    peakBytes: 1024 * resourceUsage().maxRSS,
    encodeGmacs: (macs.encode * megapixels) / encodeStages.transform,
    decodeGmacs: (macs.decode * megapixels) / decodeStages.transform,
  }
}
