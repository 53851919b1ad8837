/**
 * The pair game: a thief knows two photos, sees fresh artifacts of both to learn from, and must then say of an artifact
 * not seen before which of the two it came from. The learner is logistic regression on the bytes and their histogram.
 */
import { normalTwoSided, proportionInterval } from '../lib/statistics'
import type { Interval } from '../lib/statistics'

/** Bytes that the learner reads one by one; the lengths of artifacts are a matter of their own (sizes). */
const BYTES_READ = 9216
const FEATURES = BYTES_READ + 256

/** [9472] for artifacts cut to one length: each byte, then how often each value occurs. */
export function featuresOf(artifact: Uint8Array, length: number): Float32Array {
  const features = new Float32Array(FEATURES)
  const seen = artifact.subarray(0, length)
  const read = seen.subarray(0, BYTES_READ)
  for (let i = 0; i < read.length; i++) features[i] = read[i]! / 128 - 1
  for (const byte of seen) features[BYTES_READ + byte]! += 1
  return features
}

export interface Sample {
  readonly features: Float32Array
  readonly label: 0 | 1
}

interface Scaling {
  readonly mean: Float64Array
  /** 1 / standard deviation, and 0 for a feature that never changes; bytes and histogram weigh the same together. */
  readonly scale: Float64Array
}

const GROUPS = [
  [0, BYTES_READ],
  [BYTES_READ, FEATURES],
] as const

function scalingOf(samples: readonly Sample[]): Scaling {
  const [mean, squares] = [new Float64Array(FEATURES), new Float64Array(FEATURES)]
  for (const { features } of samples)
    for (let i = 0; i < FEATURES; i++) {
      mean[i]! += features[i]! / samples.length
      squares[i]! += features[i]! ** 2 / samples.length
    }
  const scale = squares.map((square, i) => {
    const variance = square - mean[i]! ** 2
    return variance > 1e-9 ? 1 / Math.sqrt(variance) : 0
  })
  for (const [from, to] of GROUPS) {
    const group = scale.subarray(from, to)
    const active = group.reduce((count, s) => count + (s > 0 ? 1 : 0), 0)
    for (let i = 0; i < group.length; i++) group[i]! /= Math.sqrt(Math.max(1, active))
  }
  return { mean, scale }
}

const ITERATIONS = 40
/** Rows have a length of about the square root of two. */
const RATE = 4
const WEIGHT_DECAY = 1e-3

/** Trains on `samples`; the answer is the probability of label 1. */
function trainClassifier(samples: readonly Sample[]): (features: Float32Array) => number {
  const { mean, scale } = scalingOf(samples)
  const rows = samples.map(({ features }) =>
    Float32Array.from(features, (value, i) => (value - mean[i]!) * scale[i]!),
  )
  const weights = new Float64Array(FEATURES)
  const logit = (row: Float32Array): number => {
    let sum = 0
    for (let i = 0; i < FEATURES; i++) sum += weights[i]! * row[i]!
    return sum
  }
  const gradient = new Float64Array(FEATURES)
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    gradient.fill(0)
    for (const [index, row] of rows.entries()) {
      const error = 1 / (1 + Math.exp(-logit(row))) - samples[index]!.label
      for (let i = 0; i < FEATURES; i++) gradient[i]! += (error * row[i]!) / rows.length
    }
    for (let i = 0; i < FEATURES; i++) weights[i]! -= RATE * (gradient[i]! + WEIGHT_DECAY * weights[i]!)
  }
  return (features) =>
    1 / (1 + Math.exp(-logit(Float32Array.from(features, (value, i) => (value - mean[i]!) * scale[i]!))))
}

export interface GameResult {
  readonly trials: number
  readonly correct: number
  /** 2 * accuracy - 1: 0 for guessing, 1 for always right. */
  readonly advantage: number
  /** 95 % */
  readonly interval: Interval
  /** Probability of being this far from half right by guessing. */
  readonly pValue: number
}

export function gameResult(correct: number, trials: number): GameResult {
  const { low, high } = proportionInterval(correct, trials)
  return {
    trials,
    correct,
    advantage: (2 * correct) / trials - 1,
    interval: { low: 2 * low - 1, high: 2 * high - 1 },
    pValue: normalTwoSided((2 * correct - trials) / Math.sqrt(trials)),
  }
}

/** Artifacts made of one photo of the pair, numbered from 0 so that none is made twice. */
export type MakeArtifact = (photo: 0 | 1, number: number) => Promise<Uint8Array>

/** Learns from `train` artifacts of each photo and answers for `test` others of each; returns how many were right. */
export async function playPair(make: MakeArtifact, train: number, test: number): Promise<number> {
  const artifacts: { bytes: Uint8Array; label: 0 | 1 }[] = []
  for (let number = 0; number < train + test; number++)
    for (const label of [0, 1] as const) artifacts.push({ bytes: await make(label, number), label })
  const length = Math.min(...artifacts.map(({ bytes }) => bytes.length))
  const samples = artifacts.map(({ bytes, label }) => ({ features: featuresOf(bytes, length), label }))
  const answer = trainClassifier(samples.slice(0, 2 * train))
  return samples.slice(2 * train).filter(({ features, label }) => (answer(features) > 0.5 ? 1 : 0) === label)
    .length
}
