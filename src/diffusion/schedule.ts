/**
 * The named forward processes. A schedule, once published, never changes: other numbers need another name.
 * Steps run from 1 to T; t = 0 is the image itself. One interface for both kinds: the circle Z/256 and the Gaussian line.
 */
import type { Prng } from '../lib/prng'
import { DiffusionError, requireArgument } from './errors'

export type ScheduleName = 'torus-32' | 'gaussian-linear-1000' | 'gaussian-constant-32'

export interface TorusSchedule {
  readonly kind: 'torus'
  readonly name: ScheduleName
  readonly steps: number
  /** Standard deviation of one step's noise in grey levels, for t = 1..T at index t - 1. */
  readonly sigma: readonly number[]
}

export interface GaussianSchedule {
  readonly kind: 'gaussian'
  readonly name: ScheduleName
  readonly steps: number
  /** Variance that step t adds while it shrinks the signal by sqrt(1 - beta), at index t - 1. */
  readonly beta: readonly number[]
}

export type Schedule = TorusSchedule | GaussianSchedule

/** Distance of the law of one value at step t from the limit law, for the worst starting value. */
export interface LimitDistance {
  /** Total variation distance from the closed form, as log2, since the torus reaches 2^-228. */
  readonly closedFormLog2: number
  /** The same computed from the law itself; null where it lies below what float64 sums can show. */
  readonly computedLog2: number | null
}

/**
 * One forward process on arrays of values X, with accumulated noise N of the same length as an argument, never drawn
 * inside: seeded for studies, keyed bytes in production. Arguments are left as they were.
 */
export interface ForwardProcess<X, N> {
  readonly schedule: Schedule
  /** x_t from x_0 and the noise accumulated by step t. */
  forward(x0: X, t: number, noise: N): X
  /** x_0 from x_t and the same noise: exact on the torus, to float32 rounding on the line. */
  reverse(xt: X, t: number, noise: N): X
  /** x_t from x_{t-1} with fresh noise. */
  step(previous: X, t: number, prng: Prng): X
  /** Noise at step t from noise at step t - 1 and one step's fresh noise: a path. */
  extendNoise(noise: N, t: number, prng: Prng): N
  /** Noise at step 0, which changes nothing. */
  noNoise(length: number): N
  /** Noise at step t in one draw: the endpoint sampler. */
  sampleNoise(length: number, t: number, prng: Prng): N
  /** How much of the signal is left: 1 at t = 0, towards 0. */
  signalCoef(t: number): number
  /** sqrt(1 - signalCoef^2) */
  noiseCoef(t: number): number
  distanceFromLimit(t: number): LimitDistance
}

function table(length: number, value: (index: number) => number): readonly number[] {
  return Object.freeze(Array.from({ length }, (_, index) => value(index)))
}

/** Production: the endpoint is uniform to 2^-200 whatever the photo, so it is sampled directly. */
export const TORUS_32: TorusSchedule = Object.freeze({
  kind: 'torus',
  name: 'torus-32',
  steps: 32,
  sigma: table(32, () => 128),
})

/** The first paper: beta from 5e-4 to 0.1 in 1,000 equal steps; signal coefficient 5e-12 at the end. */
export const GAUSSIAN_LINEAR_1000: GaussianSchedule = Object.freeze({
  kind: 'gaussian',
  name: 'gaussian-linear-1000',
  steps: 1000,
  beta: table(1000, (index) => 5e-4 + ((0.1 - 5e-4) * index) / 999),
})

/** The second paper: 32 equal steps that halve the signal power every eight; signal coefficient 0.25 at the end. */
export const GAUSSIAN_CONSTANT_32: GaussianSchedule = Object.freeze({
  kind: 'gaussian',
  name: 'gaussian-constant-32',
  steps: 32,
  beta: table(32, () => 1 - 0.5 ** (1 / 8)),
})

export const SCHEDULES: readonly Schedule[] = Object.freeze([
  TORUS_32,
  GAUSSIAN_LINEAR_1000,
  GAUSSIAN_CONSTANT_32,
])

export function findSchedule(name: string): Schedule {
  const schedule = SCHEDULES.find((candidate) => candidate.name === name)
  if (schedule === undefined)
    throw new DiffusionError('unknown-process', 'No published schedule has this name.')
  return schedule
}

export function checkStep(schedule: Schedule, t: number): void {
  requireArgument(
    Number.isInteger(t) && t >= 0 && t <= schedule.steps,
    `A step of ${schedule.name} is a whole number from 0 to ${schedule.steps}.`,
  )
}
