/**
 * The forward process on the circle Z/256 (DESIGN §3): x_t = (x_{t-1} + k_t) mod 256, k_t = round(sigma_t eps_t).
 * Its limit law is uniform for every image, and the reverse process subtracts the noise exactly.
 */
import type { Bytes } from '../lib/bytes'
import type { Prng } from '../lib/prng'
import { addBytes, subtractBytes } from './byte-addition'
import { requireArgument } from './errors'
import { checkStep } from './schedule'
import type { ForwardProcess, LimitDistance, TorusSchedule } from './schedule'

const LEVELS = 256

/** Nearest whole number, halves upwards. */
function roundHalfUp(x: number): number {
  return Math.floor(x + 0.5)
}

function drawSteps(length: number, sigma: number, prng: Prng): Bytes {
  const noise = new Uint8Array(length)
  for (let i = 0; i < length; i++) noise[i] = roundHalfUp(sigma * prng.nextNormal())
  return noise
}

/** Sum of sigma_s^2 for s = 1..t, in grey levels squared. */
function accumulatedVariance(schedule: TorusSchedule, t: number): number {
  let sum = 0
  for (const sigma of schedule.sigma.slice(0, t)) sum += sigma * sigma
  return sum
}

/** ln |sin(pi r / 256) / (pi r / 256)|: what rounding to grey levels does to frequency r. */
function logRounding(r: number): number {
  const half = (Math.PI * r) / LEVELS
  return Math.log(Math.sin(half) / half)
}

/**
 * ln of the Fourier coefficient at frequency r = 1..128 of one step's law: a normal of the given sigma, rounded.
 * The aliases that rounding folds in, exp(-2 pi^2 sigma^2 (1 - r/256)^2) and below, are left out.
 */
function logStepCoefficient(sigma: number, r: number): number {
  return -2 * Math.PI ** 2 * sigma ** 2 * (r / LEVELS) ** 2 + logRounding(r)
}

/** Normal density integrated over each grey level, wrapped: the exact law of one step, [256], by composite Simpson. */
export function stepLaw(sigma: number): Float64Array {
  const law = new Float64Array(LEVELS)
  const reach = Math.ceil((12 * sigma) / LEVELS) * LEVELS
  const density = (x: number) => Math.exp((-x * x) / (2 * sigma * sigma))
  for (let k = -reach; k < reach; k++) {
    const mass = (density(k - 0.5) + 4 * density(k) + density(k + 0.5)) / 6
    law[((k % LEVELS) + LEVELS) % LEVELS]! += mass
  }
  const total = law.reduce((sum, p) => sum + p, 0)
  return law.map((p) => p / total)
}

/** The law of the sum mod 256 of independent values with laws p and q. */
export function convolveLaws(p: Float64Array, q: Float64Array): Float64Array {
  const law = new Float64Array(LEVELS)
  for (let i = 0; i < LEVELS; i++) for (let j = 0; j < LEVELS; j++) law[(i + j) % LEVELS]! += p[i]! * q[j]!
  return law
}

/** Law of the accumulated noise at step t, [256]. */
export function noiseLaw(schedule: TorusSchedule, t: number): Float64Array {
  let law = new Float64Array(LEVELS)
  law[0] = 1
  for (const sigma of schedule.sigma.slice(0, t)) law = new Float64Array(convolveLaws(law, stepLaw(sigma)))
  return law
}

function totalVariationFromUniform(law: Float64Array): number {
  return law.reduce((sum, p) => sum + Math.abs(p - 1 / LEVELS), 0) / 2
}

/** Below this, rounding in a float64 convolution of 256 terms is as large as the distance. */
const SMALLEST_COMPUTED = 2 ** -40

/**
 * Closed form: the density differs from uniform by 2 a cos(theta), a the first Fourier coefficient, whose absolute
 * value has mean 2/pi: (2/pi) a for a wrapped normal. Higher coefficients are a^4 and less.
 */
function distanceFromLimit(schedule: TorusSchedule, t: number): LimitDistance {
  let logFirst = 0
  for (const sigma of schedule.sigma.slice(0, t)) logFirst += logStepCoefficient(sigma, 1)
  const computed = totalVariationFromUniform(noiseLaw(schedule, t))
  return {
    closedFormLog2: t === 0 ? Math.log2(1 - 1 / LEVELS) : Math.log2(2 / Math.PI) + logFirst / Math.LN2,
    computedLog2: computed > SMALLEST_COMPUTED ? Math.log2(computed) : null,
  }
}

/** Values and noise are bytes. */
export function torusProcess(schedule: TorusSchedule): ForwardProcess<Uint8Array, Uint8Array> {
  const signalCoef = (t: number): number => {
    checkStep(schedule, t)
    return Math.exp((-2 * Math.PI ** 2 * accumulatedVariance(schedule, t)) / LEVELS ** 2)
  }
  const stepNoise = (length: number, t: number, prng: Prng): Bytes => {
    checkStep(schedule, t)
    requireArgument(t >= 1, 'A step that adds noise is numbered from 1.')
    return drawSteps(length, schedule.sigma[t - 1]!, prng)
  }
  return {
    schedule,
    forward(x0, t, noise) {
      checkStep(schedule, t)
      return addBytes(x0, noise)
    },
    reverse(xt, t, noise) {
      checkStep(schedule, t)
      return subtractBytes(xt, noise)
    },
    step: (previous, t, prng) => addBytes(previous, stepNoise(previous.length, t, prng)),
    extendNoise: (noise, t, prng) => addBytes(noise, stepNoise(noise.length, t, prng)),
    noNoise: (length) => new Uint8Array(length),
    sampleNoise(length, t, prng) {
      checkStep(schedule, t)
      const noise = new Uint8Array(length)
      if (t === 0) return noise
      if (t < schedule.steps) return drawSteps(length, Math.sqrt(accumulatedVariance(schedule, t)), prng)
      prng.fill(noise) // the limit law itself
      return noise
    },
    signalCoef,
    noiseCoef: (t) => Math.sqrt(1 - signalCoef(t) ** 2),
    distanceFromLimit(t) {
      checkStep(schedule, t)
      return distanceFromLimit(schedule, t)
    },
  }
}
