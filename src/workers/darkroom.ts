/**
 * What a darkroom worker does for the page: decode files, code and restore bands, compare, seal and open. A worker that
 * only decodes files never starts an engine. Pixels move, they are not copied.
 */
import { encodeAlpha } from '../codec/alpha'
import { parseBitstream } from '../codec/bitstream'
import { versionsFor } from '../codec/fill-padding'
import { createCodec } from '../codec/codec'
import { squaredError } from '../codec/metrics'
import { stepOf } from '../codec/quality'
import type { Band, BitstreamHeader, Codec, RasterImage, TileVersions } from '../codec/types'
import { countKeystreamMismatches } from '../diffusion/keystream-check'
import { findSchedule, type ScheduleName } from '../diffusion/schedule'
import { pathSteps, tensorTrajectory, type PathState } from '../diffusion/tensor-trajectory'
import { SECTION } from '../format/artifact'
import { paddedThumbnailLength } from '../format/padding'
import type { ModelId } from '../format/ids'
import { randomBytes } from '../crypto/random'
import { readU32, unsharedBytes, type Bytes } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import { release } from '../lib/release'
import { moved } from '../rpc/messages'
import { planBands, poolSize, rowsForBand } from './band-plan'
import { startEngine, type Backend, type Engine } from './engine'
import { DarkroomError } from './errors'
import {
  createModelCodecs,
  codecOf,
  personalModelOf,
  readModel,
  type ModelCodecs,
  type ModelOnDevice,
} from './model-codecs'
import { inspectImage, type ImageKind } from './image-file'
import { readPhotoFacts, type PhotoFacts } from './photo-facts'
import { openPhotoSource, type PhotoRows, type PhotoSource } from './photo-source'
import { plainPng, startPng, type PngHeader, type PngWriter } from './png'
import {
  openBeginning,
  openSection,
  sealPhoto,
  type ArtifactKey,
  type SealedPhotoFile,
  type SealPhotoInput,
} from './sealing'
import { startShrinking } from './shrink'

/** Longest side of a thumbnail in pixels. */
export const THUMBNAIL_SIDE = 320
const THUMBNAIL_QUALITY = 36

export interface EngineReport {
  readonly backend: Backend
  readonly megapixelsPerSecond: number
  /** How many of these this device should run. */
  readonly workers: number
  /** The newest model: artifacts are made with it. */
  readonly modelId: ModelId
  /** SHA-256 of its personal weights: what artifacts made here are bound to. */
  readonly weightsHash: Bytes
}

export interface EngineCheck {
  readonly backend: Backend
  /** Bytes of the neural keystream that differ from the reference, of 16,400. */
  readonly keystreamMismatches: number
  /** The newest model's stored stream restores to the pixels stored with it. */
  readonly codecWorks: boolean
}

export interface SourceReport {
  readonly sourceId: number
  readonly kind: ImageKind
  readonly width: number
  readonly height: number
  readonly hasAlpha: boolean
  readonly colorSpace: 'srgb' | 'display-p3'
  readonly facts: PhotoFacts
  readonly bands: readonly PlannedBand[]
}

/** A band, and the rows that encoding it needs. */
export interface PlannedBand extends Band {
  readonly rows: Band
}

export interface OpenImage {
  readonly bitstream: Bytes
  readonly header: BitstreamHeader
  readonly bands: readonly PlannedBand[]
  /** No sound artifact of this quality restores its photo with less. */
  readonly leastPsnrDb: number
}

export interface BandDifference {
  /** Sum of squares over R, G and B. */
  readonly squaredError: number
  readonly alphaIsSame: boolean
}

export interface Thumbnail {
  readonly png: Blob
  /** How much of the artifact it took. */
  readonly previewBytes: number
}

type Pixels = PhotoRows

interface DeviceNavigator extends WorkerNavigator {
  /** In gigabytes, rounded; not in every browser. */
  readonly deviceMemory?: number
}

const bandsOf = (width: number, height: number, workers: number): PlannedBand[] =>
  planBands(width, height, workers).map((band) => ({ ...band, rows: rowsForBand(band, height) }))

const bytesOf = async (blob: Blob): Promise<Bytes> => new Uint8Array(await blob.arrayBuffer())

const movedRows = (rows: Pixels): Pixels => moved(rows, [rows.data.buffer])
const movedBytes = (bytes: Uint8Array): Bytes => {
  const own = unsharedBytes(bytes)
  const exact = own.byteLength === own.buffer.byteLength ? own : own.slice()
  return moved(exact, [exact.buffer])
}

/** Codec rows are made by the codec over a buffer of their own. */
const asPixels = (image: RasterImage): Pixels => ({
  ...image,
  data: image.data as Uint8ClampedArray<ArrayBuffer>,
})

interface RunningEngine extends Engine {
  /** Codec of the newest model. */
  readonly codec: Codec
  readonly codecs: ModelCodecs
}

export function createDarkroom() {
  let engine: RunningEngine | null = null
  const sources = new Map<number, PhotoSource>()
  let nextSource = 1
  let png: PngWriter | null = null

  function theEngine() {
    if (engine === null) throw new DarkroomError('no-engine')
    return engine
  }

  function theSource(sourceId: number): PhotoSource {
    const source = sources.get(sourceId)
    if (source === undefined) throw new DarkroomError('no-source')
    return source
  }

  function thePng(): PngWriter {
    if (png === null) throw new DarkroomError('no-source')
    return png
  }

  return {
    /** Starts the engine and makes the codec of the newest model. */
    async start(
      _signal: AbortSignal,
      input: {
        readonly newest: ModelOnDevice
        readonly modelSecret: CryptoKey
        readonly backends: readonly Backend[]
      },
    ): Promise<EngineReport> {
      const { newest, modelSecret } = input
      const base = await readModel(newest)
      const { weights, weightsHash } = await personalModelOf(base, modelSecret)
      const started = await startEngine(base, input.backends)
      const codec = createCodec(weights)
      const codecs = createModelCodecs({ id: newest.id, codec, weightsHash }, (model) =>
        codecOf(model, modelSecret),
      )
      engine = { ...started, codec, codecs }
      const { backend, megapixelsPerSecond } = started
      const { hardwareConcurrency, deviceMemory }: DeviceNavigator = navigator
      const workers = poolSize(hardwareConcurrency, backend, deviceMemory)
      return { backend, megapixelsPerSecond, workers, modelId: newest.id, weightsHash }
    },

    /** SHA-256 of a model's personal weights; makes its codec where it is not the newest. */
    weightsHashOf: (_signal: AbortSignal, model: ModelOnDevice): Promise<Bytes> =>
      theEngine().codecs.use(model, ({ weightsHash }) => Promise.resolve(weightsHash)),

    /** The number of pixels of a file, without decoding it. */
    async countPixels(_signal: AbortSignal, file: Blob): Promise<number> {
      const { width, height } = inspectImage(await bytesOf(file))
      return width * height
    },

    /** Decodes a file and keeps it; `workers` will share the coding. */
    async openSource(
      signal: AbortSignal,
      input: { readonly file: Blob; readonly workers: number },
    ): Promise<SourceReport> {
      const bytes = await bytesOf(input.file)
      const found = inspectImage(bytes)
      const facts = readPhotoFacts(bytes)
      const source = await openPhotoSource(bytes, found)
      if (signal.aborted) {
        source.close()
        signal.throwIfAborted()
      }
      const sourceId = nextSource++
      sources.set(sourceId, source)
      const { width, height, hasAlpha, colorSpace } = source
      const bands = bandsOf(width, height, input.workers)
      return { sourceId, kind: found.kind, width, height, hasAlpha, colorSpace, facts, bands }
    },

    async readRows(_signal: AbortSignal, input: { readonly sourceId: number } & Band): Promise<Pixels> {
      return movedRows(await theSource(input.sourceId).readRows(input.y0, input.y1))
    },

    /** Thumbnail pixels, and the alpha plane coded where there is one. */
    async surveySource(
      signal: AbortSignal,
      sourceId: number,
    ): Promise<{ readonly thumbnail: Pixels; readonly alpha: Uint8Array | null }> {
      const source = theSource(sourceId)
      const { width, height, hasAlpha } = source
      const shrinker = startShrinking(width, height, THUMBNAIL_SIDE)
      const whole = hasAlpha ? new Uint8ClampedArray(4 * width * height) : null
      for (const { y0, y1 } of planBands(width, height, height)) {
        signal.throwIfAborted()
        const rows = await source.readRows(y0, y1)
        shrinker.add(rows)
        whole?.set(rows.data, 4 * width * y0)
        release(rows.data)
      }
      const alpha = whole === null ? null : encodeAlpha(whole, width, height)
      return { thumbnail: shrinker.finish(), alpha }
    },

    closeSource(_signal: AbortSignal, sourceId: number): Promise<void> {
      sources.get(sourceId)?.close()
      sources.delete(sourceId)
      return Promise.resolve()
    },

    /** Coded tiles of one band, in versions that padding is filled with; `rows` as rowsForBand plans them. */
    async encodeBand(
      signal: AbortSignal,
      input: {
        readonly rows: Pixels
        readonly firstRow: number
        readonly imageHeight: number
        readonly band: Band
        readonly quality: number
      },
      report: (fraction: number) => void,
    ): Promise<TileVersions[]> {
      const { rows, firstRow, imageHeight, band, quality } = input
      const versions = versionsFor(rows.width, imageHeight)
      const options = { quality, effort: 'fast' as const, versions, signal, onProgress: report }
      try {
        return await theEngine().codec.encodeBand(rows, firstRow, imageHeight, band, options)
      } finally {
        release(rows.data)
      }
    },

    async encodeThumbnail(signal: AbortSignal, thumbnail: Pixels): Promise<Bytes> {
      return movedBytes(
        await theEngine().codec.encode(thumbnail, {
          quality: THUMBNAIL_QUALITY,
          effort: 'fast',
          paddedLength: paddedThumbnailLength,
          signal,
        }),
      )
    },

    /** Puts coded tiles together and seals them with thumbnail and original; pixels and keys end here. */
    sealPhoto: (_signal: AbortSignal, input: SealPhotoInput): Promise<SealedPhotoFile> => sealPhoto(input),

    /** The verified bitstream of an artifact, its size and how to share the restoring. */
    async openImage(
      _signal: AbortSignal,
      input: ArtifactKey & { readonly artifact: Blob; readonly workers: number },
    ): Promise<OpenImage> {
      const bitstream = await openSection(input, input.artifact, SECTION.image)
      const { header } = parseBitstream(bitstream)
      const bands = bandsOf(header.width, header.height, input.workers)
      return moved({ bitstream, header, bands, leastPsnrDb: leastPsnrDb(header.quality) }, [bitstream.buffer])
    },

    /** The thumbnail of an artifact from its first bytes, as a PNG file; null where they are too few. */
    async openThumbnail(
      signal: AbortSignal,
      input: ArtifactKey & { readonly model: ModelOnDevice; readonly preview: Blob },
    ): Promise<Thumbnail | null> {
      const opened = await openBeginning(input, input.preview, SECTION.thumbnail)
      if (opened === null) return null
      const pixels = await theEngine().codecs.use(input.model, ({ codec }) =>
        codec.decode(opened.bytes, { detail: 'quick', signal }),
      )
      return { png: plainPng(asPixels(pixels)), previewBytes: opened.end }
    },

    /** The original file's bytes, exactly. */
    async openOriginal(
      _signal: AbortSignal,
      input: ArtifactKey & { readonly artifact: Blob },
    ): Promise<Bytes> {
      return movedBytes(await openSection(input, input.artifact, SECTION.original))
    },

    async decodeBand(
      signal: AbortSignal,
      input: { readonly model: ModelOnDevice; readonly bitstream: Uint8Array; readonly band: Band },
    ): Promise<Pixels> {
      const { model, bitstream, band } = input
      const rows = await theEngine().codecs.use(model, ({ codec }) =>
        codec.decodeBand(bitstream, band, { signal }),
      )
      return movedRows(asPixels(rows))
    },

    /** Restores a band of a photo just made, with the newest model, and compares it with the source's rows. */
    async compareBand(
      signal: AbortSignal,
      input: { readonly bitstream: Uint8Array; readonly band: Band; readonly rows: Pixels },
    ): Promise<BandDifference> {
      const { rows } = input
      try {
        const restored = await theEngine().codec.decodeBand(input.bitstream, input.band, { signal })
        const alphaIsSame =
          !rows.hasAlpha || rows.data.every((value, i) => i % 4 !== 3 || restored.data[i] === value)
        const difference = { squaredError: squaredError(rows, restored), alphaIsSame }
        release(restored.data)
        return difference
      } finally {
        release(rows.data)
      }
    },

    /** A small picture at the steps of a schedule, along one fresh noise path. */
    async makePath(
      _signal: AbortSignal,
      input: { readonly schedule: ScheduleName; readonly bytes: Uint8Array },
    ): Promise<readonly PathState[]> {
      theEngine()
      const schedule = findSchedule(input.schedule)
      const prng = makePrng(readU32(randomBytes(4), 0))
      const states = await tensorTrajectory(schedule, input.bytes, prng, pathSteps(schedule))
      return moved(
        states,
        states.map(({ bytes }) => bytes.buffer),
      )
    },

    /** Whether the engine computes what every other device computes. */
    async checkEngine(): Promise<EngineCheck> {
      const { backend, check } = theEngine()
      const keystreamMismatches = await countKeystreamMismatches()
      return { backend, keystreamMismatches, codecWorks: (await check()) !== null }
    },

    /** Begins a PNG file; one begun before is forgotten. */
    startPng(_signal: AbortSignal, header: PngHeader): Promise<void> {
      png = startPng(header)
      return Promise.resolve()
    },

    /** The next rows from the top. */
    async addPngRows(_signal: AbortSignal, rows: PhotoRows): Promise<void> {
      await thePng().add(rows)
      release(rows.data)
    },

    async finishPng(): Promise<Blob> {
      const file = await thePng().finish()
      png = null
      return file
    },
  }
}

/**
 * A bound far below what the codec gives: an error of one and a half quantization steps in every coefficient of its
 * orthonormal transform, and two grey levels of rounding.
 */
function leastPsnrDb(quality: number): number {
  return 10 * Math.log10(255 ** 2 / ((1.5 * stepOf(quality)) ** 2 + 4))
}

export type Darkroom = ReturnType<typeof createDarkroom>
