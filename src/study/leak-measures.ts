/** Measures of one collection of artifacts that need no key and no training: counts, correlation, compression. */
import { brotliCompressSync, constants, deflateRawSync } from 'node:zlib'
import * as zlib from 'node:zlib'
import { correlation } from '../diffusion/paper-mode'
import { chiSquareStatistic, chiSquareSurvival, proportionInterval } from '../lib/statistics'
import type { Interval } from '../lib/statistics'

export interface LeakMeasures {
  /** Counts of all bytes of all artifacts. */
  readonly histogram: Float64Array
  readonly histogramP: number
  /** Share of artifacts whose own histogram has p below 0.01; one in a hundred for uniform bytes. */
  readonly unevenShare: Interval & { share: number }
  readonly entropyBitsPerByte: number
  /** Largest mean correlation of bytes `lag` apart over CORRELATION_LAGS, with its lag and its standard score. */
  readonly correlation: { readonly lag: number; readonly mean: number; readonly z: number }
  /** Compressed over original length, of all artifacts together by each compressor. */
  readonly compressed: Readonly<Record<string, number>>
}

/** Neighbours in a byte stream, in RGBA pixels, in blocks and steps of the keystream. */
const CORRELATION_LAGS = [1, 2, 3, 4, 8, 16, 64, 768, 4096] as const

export function entropyBits(histogram: Float64Array): number {
  const total = histogram.reduce((sum, count) => sum + count, 0)
  return histogram.reduce(
    (sum, count) => (count === 0 ? sum : sum - (count / total) * Math.log2(count / total)),
    0,
  )
}

function countBytes(bytes: Uint8Array): Float64Array {
  const counts = new Float64Array(256)
  for (const byte of bytes) counts[byte]! += 1
  return counts
}

const histogramPValue = (counts: Float64Array, total: number): number =>
  chiSquareSurvival(chiSquareStatistic(counts, total / 256), 255)

type Compressor = (bytes: Uint8Array) => Uint8Array

function isCompressor(value: unknown): value is Compressor {
  return typeof value === 'function'
}

/** zstd came to node:zlib with Node 22.15; older ones go without. */
function findZstd(library: object): Compressor | null {
  const found: unknown = Reflect.get(library, 'zstdCompressSync')
  return isCompressor(found) ? found : null
}

const BROTLI_QUALITY = 6

const compressors: Readonly<Record<string, Compressor>> = (() => {
  const zstd = findZstd(zlib)
  return {
    deflate: (bytes: Uint8Array) => deflateRawSync(bytes, { level: 9 }),
    brotli: (bytes: Uint8Array) =>
      brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
    ...(zstd === null ? {} : { zstd }),
  }
})()

function strongestCorrelation(artifacts: readonly Uint8Array[]): LeakMeasures['correlation'] {
  const all = CORRELATION_LAGS.map((lag) => {
    let [sum, places] = [0, 0]
    for (const bytes of artifacts) {
      const n = bytes.length - lag
      if (n < lag) continue
      sum += n * correlation(bytes.subarray(0, n), bytes.subarray(lag))
      places += n
    }
    const mean = places === 0 ? 0 : sum / places
    return { lag, mean, z: mean * Math.sqrt(places) }
  })
  return all.reduce((most, one) => (Math.abs(one.z) > Math.abs(most.z) ? one : most))
}

export function measureLeaks(artifacts: readonly Uint8Array[]): LeakMeasures {
  const histogram = new Float64Array(256)
  let total = 0
  let uneven = 0
  for (const bytes of artifacts) {
    const counts = countBytes(bytes)
    for (let i = 0; i < 256; i++) histogram[i]! += counts[i]!
    total += bytes.length
    if (histogramPValue(counts, bytes.length) < 0.01) uneven += 1
  }
  const ratio = (compress: Compressor) =>
    artifacts.reduce((sum, bytes) => sum + compress(bytes).length, 0) / total
  return {
    histogram,
    histogramP: histogramPValue(histogram, total),
    unevenShare: { share: uneven / artifacts.length, ...proportionInterval(uneven, artifacts.length) },
    entropyBitsPerByte: entropyBits(histogram),
    correlation: strongestCorrelation(artifacts),
    compressed: Object.fromEntries(
      Object.entries(compressors).map(([name, compress]) => [name, ratio(compress)]),
    ),
  }
}
