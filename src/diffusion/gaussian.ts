/**
 * The forward process of the two papers on the real line: x_t = sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) eps_t, pixels
 * in [0, 1], limit law N(0, 1). Kept for comparison and for studies of what its stored form gives away.
 */
import type { Prng } from '../lib/prng'
import { requireArgument } from './errors'
import { checkStep } from './schedule'
import type { ForwardProcess, GaussianSchedule, LimitDistance } from './schedule'

/** alphaBar_t, the product of 1 - beta_s for s = 1..t: the signal power; [T + 1], from alphaBar_0 = 1. */
export function alphaBars(schedule: GaussianSchedule): Float64Array {
  const powers = new Float64Array(schedule.steps + 1).fill(1)
  for (let t = 1; t <= schedule.steps; t++) powers[t] = powers[t - 1]! * (1 - schedule.beta[t - 1]!)
  return powers
}

/** The largest pixel value, the worst case for the distance from N(0, 1). */
const LARGEST_VALUE = 1

const density = (x: number, mean: number, sd: number): number =>
  Math.exp(-((x - mean) ** 2) / (2 * sd * sd)) / (sd * Math.sqrt(2 * Math.PI))

/** Total variation distance of N(mean, sd^2) from N(0, 1), by the midpoint rule over [-12, 12]. */
function integratedDistance(mean: number, sd: number): number {
  const cells = 240_000
  const width = 24 / cells
  let sum = 0
  for (let i = 0; i < cells; i++) {
    const x = -12 + (i + 0.5) * width
    sum += Math.abs(density(x, mean, sd) - density(x, 0, 1))
  }
  return (sum * width) / 2
}

/** Abramowitz and Stegun 7.1.6, a series of positive terms, for |x| up to about 6. */
export function erf(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17 && n < 500; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return Math.min(1, Math.max(-1, (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum))
}

const normalCdf = (x: number): number => (1 + erf(Math.min(6, Math.max(-6, x / Math.SQRT2)))) / 2

/**
 * Total variation distance of N(m, s^2), s^2 = 1 - alphaBar, m = sqrt(alphaBar), from N(0, 1): the densities cross where
 * a quadratic vanishes, and the distance is the difference of the distribution functions between the crossings.
 */
function closedFormDistance(signalPower: number): number {
  const mean = LARGEST_VALUE * Math.sqrt(signalPower)
  if (signalPower < 1e-6) return mean / Math.sqrt(2 * Math.PI) // phi(0) m: the spread differs by m^2 only
  const sd = Math.sqrt(1 - signalPower)
  // x^2 (1 - s^2) - 2 m x + m^2 + 2 s^2 ln s = 0
  const a = 1 - sd * sd
  const c = mean * mean + 2 * sd * sd * Math.log(sd)
  const root = Math.sqrt(mean * mean - a * c)
  const [left, right] = [(mean - root) / a, (mean + root) / a]
  const between = (m: number, s: number) => normalCdf((right - m) / s) - normalCdf((left - m) / s)
  return between(mean, sd) - between(0, 1)
}

function distanceFromLimit(signalPower: number): LimitDistance {
  if (signalPower === 1) return { closedFormLog2: 0, computedLog2: 0 }
  const computed = integratedDistance(LARGEST_VALUE * Math.sqrt(signalPower), Math.sqrt(1 - signalPower))
  return {
    closedFormLog2: Math.log2(closedFormDistance(signalPower)),
    computedLog2: computed > 2 ** -30 ? Math.log2(computed) : null,
  }
}

function combine(a: Float32Array, scaleA: number, b: Float32Array, scaleB: number): Float32Array {
  requireArgument(a.length === b.length, 'Values and noise have one length.')
  const out = new Float32Array(a.length)
  for (let i = 0; i < out.length; i++) out[i] = scaleA * a[i]! + scaleB * b[i]!
  return out
}

function drawNormals(length: number, prng: Prng): Float32Array {
  const values = new Float32Array(length)
  for (let i = 0; i < length; i++) values[i] = prng.nextNormal()
  return values
}

/** Values are pixels in [0, 1] at t = 0; noise is standard normal at every step t >= 1. */
export function gaussianProcess(schedule: GaussianSchedule): ForwardProcess<Float32Array, Float32Array> {
  const power = alphaBars(schedule)
  const signalCoef = (t: number): number => {
    checkStep(schedule, t)
    return Math.sqrt(power[t]!)
  }
  const noiseCoef = (t: number): number => {
    checkStep(schedule, t)
    return Math.sqrt(1 - power[t]!)
  }
  const betaOf = (t: number): number => {
    checkStep(schedule, t)
    requireArgument(t >= 1, 'A step that adds noise is numbered from 1.')
    return schedule.beta[t - 1]!
  }
  return {
    schedule,
    forward: (x0, t, noise) => combine(x0, signalCoef(t), noise, noiseCoef(t)),
    reverse: (xt, t, noise) => combine(xt, 1 / signalCoef(t), noise, -noiseCoef(t) / signalCoef(t)),
    step(previous, t, prng) {
      const beta = betaOf(t)
      return combine(previous, Math.sqrt(1 - beta), drawNormals(previous.length, prng), Math.sqrt(beta))
    },
    extendNoise(noise, t, prng) {
      const beta = betaOf(t)
      const kept = (Math.sqrt(1 - beta) * noiseCoef(t - 1)) / noiseCoef(t)
      return combine(noise, kept, drawNormals(noise.length, prng), Math.sqrt(beta) / noiseCoef(t))
    },
    noNoise: (length) => new Float32Array(length),
    sampleNoise: (length, t, prng) => (t === 0 ? new Float32Array(length) : drawNormals(length, prng)),
    signalCoef,
    noiseCoef,
    distanceFromLimit(t) {
      checkStep(schedule, t)
      return distanceFromLimit(power[t]!)
    },
  }
}
