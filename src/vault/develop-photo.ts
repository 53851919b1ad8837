/**
 * From a file to a checked, sealed artifact: decode, code band by band over the pool, seal in one worker, then open the
 * sealed bytes, restore them and compare with the source. Pixels go from worker to worker; the page only passes them on.
 */
import { moved } from '../rpc/messages'
import type { SealedPhotoFile, SealPhotoInput } from '../workers/sealing'
import type { SourceReport } from '../workers/darkroom'
import type { DarkroomClient, Darkrooms } from './darkrooms'
import { VaultError } from './errors'
import { bandsAtOnce, mapLimited } from './limited'

export interface DevelopedPhoto {
  readonly sealed: SealedPhotoFile
  readonly source: SourceReport
  /** Infinity where the restored photo is identical. */
  readonly psnrDb: number
}

export interface DevelopOptions {
  readonly file: Blob
  readonly quality: number
  readonly keepOriginal: boolean
  readonly names: SealPhotoInput['names']
  readonly locks: SealPhotoInput['locks']
  readonly onProgress: (stage: 'encrypting' | 'checking', fraction: number) => void
}

/** PSNR over 8-bit RGB in dB. */
export function psnrDb(squaredError: number, pixels: number): number {
  return squaredError === 0 ? Infinity : 10 * Math.log10((255 ** 2 * 3 * pixels) / squaredError)
}

export function developPhoto(
  signal: AbortSignal,
  darkrooms: Darkrooms,
  options: DevelopOptions,
): Promise<DevelopedPhoto> {
  return darkrooms.decoders.run(signal, async (decoder) => {
    const pixels = await decoder.call(signal, 'countPixels', options.file)
    return darkrooms.weighed(signal, pixels, async () => {
      const { pool } = await darkrooms.engines()
      pool.endIdle(bandsAtOnce(pixels, pool.size))
      return developWith(signal, darkrooms, decoder, options)
    })
  })
}

async function developWith(
  signal: AbortSignal,
  darkrooms: Darkrooms,
  decoder: DarkroomClient,
  options: DevelopOptions,
): Promise<DevelopedPhoto> {
  const { pool } = await darkrooms.engines()
  const source = await decoder.call(signal, 'openSource', { file: options.file, workers: pool.size })
  // The first failure of any band ends the others.
  const job = new AbortController()
  const all = AbortSignal.any([signal, job.signal])
  try {
    return await codeAndCheck(all, darkrooms, decoder, source, options)
  } catch (error) {
    job.abort()
    throw error
  } finally {
    if (decoder.alive) await decoder.call(new AbortController().signal, 'closeSource', source.sourceId)
  }
}

async function codeAndCheck(
  signal: AbortSignal,
  darkrooms: Darkrooms,
  decoder: DarkroomClient,
  source: SourceReport,
  options: DevelopOptions,
): Promise<DevelopedPhoto> {
  const { pool } = await darkrooms.engines()
  const { sourceId, width, height, hasAlpha, colorSpace, bands } = source
  const { quality } = options
  const survey = await decoder.call(signal, 'surveySource', sourceId)
  const thumbnail = await pool.run(signal, (worker) =>
    worker.call(signal, 'encodeThumbnail', moved(survey.thumbnail, [survey.thumbnail.data.buffer])),
  )

  const done = new Float64Array(bands.length)
  const note = (stage: 'encrypting' | 'checking', i: number, fraction: number) => {
    done[i] = fraction / bands.length
    options.onProgress(
      stage,
      done.reduce((a, b) => a + b, 0),
    )
  }

  const atOnce = bandsAtOnce(width * height, pool.size)
  const coded = await mapLimited(bands, atOnce, (band, i) =>
    pool.run(signal, async (worker) => {
      const rows = await decoder.call(signal, 'readRows', { sourceId, ...band.rows })
      const job = { rows, firstRow: band.rows.y0, imageHeight: height, band, quality }
      return worker.call(signal, 'encodeBand', moved(job, [rows.data.buffer]), {
        onProgress: (fraction) => note('encrypting', i, fraction),
      })
    }),
  )
  const original = options.keepOriginal ? options.file : null
  const header = { width, height, hasAlpha, colorSpace, quality }
  const { names, locks } = options
  const sealed = await pool.run(signal, (worker) =>
    worker.call(signal, 'sealPhoto', {
      names,
      locks,
      header,
      alpha: survey.alpha,
      tiles: coded.flat(),
      thumbnail,
      original,
    }),
  )

  done.fill(0)
  options.onProgress('checking', 0)
  const key = { names, locks, wrappedKey: sealed.wrappedKey, artifact: sealed.artifact, workers: pool.size }
  const opened = await pool.run(signal, (worker) => worker.call(signal, 'openImage', key))
  if (opened.header.width !== width || opened.header.height !== height) throw new VaultError('not-checked')
  const differences = await mapLimited(bands, atOnce, ({ y0, y1 }, i) =>
    pool.run(signal, async (worker) => {
      const band = { y0, y1 }
      const rows = await decoder.call(signal, 'readRows', { sourceId, ...band })
      const job = moved({ bitstream: opened.bitstream, band, rows }, [rows.data.buffer])
      const difference = await worker.call(signal, 'compareBand', job)
      note('checking', i, 1)
      return difference
    }),
  )
  const total = differences.reduce((sum, { squaredError }) => sum + squaredError, 0)
  const psnr = psnrDb(total, width * height)
  if (psnr < opened.leastPsnrDb || !differences.every(({ alphaIsSame }) => alphaIsSame))
    throw new VaultError('not-checked')
  return { sealed, source, psnrDb: psnr }
}
