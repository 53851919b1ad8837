/**
 * A small battery of statistical tests on byte strings. A generator that fails one is bad; one that passes is not
 * thereby good: insecure generators pass them all. Tests after NIST SP 800-22 and Knuth, TAOCP 2, 3.3.
 */
import { chiSquareStatistic, chiSquareSurvival, normalTwoSided } from './statistics'

export interface TestResult {
  readonly test: string
  readonly statistic: number
  /** Probability of a statistic this far or farther out, for independent uniform bytes. */
  readonly pValue: number
}

export type Verdict = 'pass' | 'weak' | 'fail'

const FAIL_BELOW = 1e-8
const WEAK_BELOW = 1e-4

/** Both tails of a chi-square count: too even is as wrong as too uneven. */
function bothTails(upper: number): number {
  return Math.min(1, 2 * Math.min(upper, 1 - upper))
}

/** What one p-value says; a battery of a hundred shows a `weak` one in a hundred runs. */
export function verdictOf(pValue: number): Verdict {
  return pValue < FAIL_BELOW ? 'fail' : pValue < WEAK_BELOW ? 'weak' : 'pass'
}

/** The worst of all. */
export function worstVerdict(results: readonly TestResult[]): Verdict {
  return verdictOf(Math.min(...results.map((result) => result.pValue)))
}

const BITS_SET = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0
  for (let bit = 0; bit < 8; bit++) count += (byte >> bit) & 1
  return count
})

function chiSquareResult(test: string, statistic: number, degreesOfFreedom: number): TestResult {
  return { test, statistic, pValue: bothTails(chiSquareSurvival(statistic, degreesOfFreedom)) }
}

/** Byte values against 256 equal counts. */
function byteChiSquare(bytes: Uint8Array): TestResult {
  const counts = new Float64Array(256)
  for (const byte of bytes) counts[byte]! += 1
  return chiSquareResult('byte chi-square', chiSquareStatistic(counts, bytes.length / 256), 255)
}

/** Pairs of neighbouring bytes that do not overlap, against 65,536 equal counts; needs about 1 MB. */
function serialChiSquare(bytes: Uint8Array): TestResult {
  const counts = new Float64Array(65536)
  const pairs = Math.floor(bytes.length / 2)
  for (let i = 0; i < pairs; i++) counts[(bytes[2 * i]! << 8) | bytes[2 * i + 1]!]! += 1
  return chiSquareResult('serial pairs', chiSquareStatistic(counts, pairs / 65536), 65535)
}

/** Share of ones (SP 800-22, 2.1). */
export function monobit(bytes: Uint8Array): TestResult {
  let ones = 0
  for (const byte of bytes) ones += BITS_SET[byte]!
  const z = (2 * ones - 8 * bytes.length) / Math.sqrt(8 * bytes.length)
  return { test: 'monobit', statistic: z, pValue: normalTwoSided(z) }
}

/** Number of runs of equal bits (SP 800-22, 2.3), for a share of ones of one half; bits from the lowest up. */
export function runs(bytes: Uint8Array): TestResult {
  let changes = 0
  let last = bytes[0]! & 1
  for (const byte of bytes) {
    changes += BITS_SET[(byte ^ ((byte << 1) | last)) & 0xff]!
    last = byte >> 7
  }
  const places = 8 * bytes.length - 1
  const z = (2 * changes - places) / Math.sqrt(places)
  return { test: 'runs', statistic: z, pValue: normalTwoSided(z) }
}

/** Agreement of bits that lie `lagBytes` apart. */
export function autocorrelation(bytes: Uint8Array, lagBytes: number): TestResult {
  let different = 0
  const places = bytes.length - lagBytes
  for (let i = 0; i < places; i++) different += BITS_SET[bytes[i]! ^ bytes[i + lagBytes]!]!
  const z = (2 * different - 8 * places) / Math.sqrt(8 * places)
  return { test: `autocorrelation, lag ${lagBytes}`, statistic: z, pValue: normalTwoSided(z) }
}

/** Differences mod 256 of bytes that lie `lagBytes` apart: what adding on the torus would leave behind. */
export function differenceChiSquare(bytes: Uint8Array, lagBytes: number): TestResult {
  const counts = new Float64Array(256)
  const places = bytes.length - lagBytes
  for (let i = 0; i < places; i++) counts[(bytes[i + lagBytes]! - bytes[i]!) & 0xff]! += 1
  return chiSquareResult(`differences, lag ${lagBytes}`, chiSquareStatistic(counts, places / 256), 255)
}

/** Rank over GF(2) of 32 rows of 32 bits, reduced in place. */
function rank32(rows: Uint32Array): number {
  let rank = 0
  for (let bit = 0; bit < 32 && rank < 32; bit++) {
    let pivot = rank
    while (pivot < 32 && ((rows[pivot]! >>> bit) & 1) === 0) pivot += 1
    if (pivot === 32) continue
    const row = rows[pivot]!
    rows[pivot] = rows[rank]!
    rows[rank] = row
    for (let r = rank + 1; r < 32; r++) if (((rows[r]! >>> bit) & 1) === 1) rows[r]! ^= row
    rank += 1
  }
  return rank
}

/** Probability that a random 32 x 32 matrix over GF(2) has rank 32, 31 and less (SP 800-22, 2.5). */
const RANK_LAW = [0.2887880951538411, 0.5775761901732048, 0.1336357146729541] as const

/** Ranks of 32 x 32 bit matrices: what finds a generator that is linear over GF(2). */
function matrixRank(bytes: Uint8Array, matrices: number): TestResult {
  const counts = [0, 0, 0]
  const made = Math.min(matrices, Math.floor(bytes.length / 128))
  const rows = new Uint32Array(32)
  const asBytes = new Uint8Array(rows.buffer)
  for (let m = 0; m < made; m++) {
    asBytes.set(bytes.subarray(128 * m, 128 * (m + 1)))
    counts[Math.min(2, 32 - rank32(rows))]! += 1
  }
  const statistic = RANK_LAW.reduce((sum, p, i) => sum + (counts[i]! - made * p) ** 2 / (made * p), 0)
  return { test: 'matrix rank', statistic, pValue: chiSquareSurvival(statistic, 2) }
}

/** Lags that matter to a keystream of 64-byte blocks, 4 KiB steps and 64 KiB chunks. */
const BATTERY_LAGS = [1, 2, 4, 8, 16, 64, 4096, 65536] as const

const RANK_MATRICES = 40_000

/** All tests; at least 1 MB of bytes. */
export function runBattery(bytes: Uint8Array): TestResult[] {
  return [
    byteChiSquare(bytes),
    serialChiSquare(bytes),
    monobit(bytes),
    runs(bytes),
    matrixRank(bytes, RANK_MATRICES),
    ...BATTERY_LAGS.map((lag) => autocorrelation(bytes, lag)),
    ...BATTERY_LAGS.map((lag) => differenceChiSquare(bytes, lag)),
  ]
}
