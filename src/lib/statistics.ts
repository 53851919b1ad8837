/** p-values and confidence intervals for tests and studies. Double precision; tails are good to about 1e-10 relative. */

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** ln Gamma(x) for x > 0 (Lanczos, g = 7). */
export function logGamma(x: number): number {
  let sum = LANCZOS[0]!
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (x - 1 + i)
  const t = x + 6.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

const ITERATIONS = 100_000
const PRECISION = 1e-15

/** Regularised upper incomplete gamma function Q(a, x), by its series or by Lentz's continued fraction. */
export function gammaQ(a: number, x: number): number {
  if (x <= 0) return 1
  const scale = Math.exp(-x + a * Math.log(x) - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < ITERATIONS && term > sum * PRECISION; n++) {
      term *= x / (a + n)
      sum += term
    }
    return Math.min(1, Math.max(0, 1 - sum * scale))
  }
  const tiny = 1e-300
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let h = d
  for (let n = 1; n < ITERATIONS; n++) {
    const an = -n * (n - a)
    b += 2
    d = 1 / (an * d + b || tiny)
    c = b + an / c || tiny
    const factor = d * c
    h *= factor
    if (Math.abs(factor - 1) < PRECISION) break
  }
  return Math.min(1, Math.max(0, h * scale))
}

/** P(X >= statistic) for a chi-square variable. */
export function chiSquareSurvival(statistic: number, degreesOfFreedom: number): number {
  return gammaQ(degreesOfFreedom / 2, statistic / 2)
}

/** P(|Z| >= |z|) for a standard normal variable. */
export function normalTwoSided(z: number): number {
  return gammaQ(0.5, (z * z) / 2)
}

/** Pearson's statistic of counts against one expected count. */
export function chiSquareStatistic(counts: ArrayLike<number>, expected: number): number {
  let sum = 0
  for (let i = 0; i < counts.length; i++) sum += (counts[i]! - expected) ** 2
  return sum / expected
}

/** Two samples of one size in the same cells; cells that both leave empty do not count. */
export function twoSampleChiSquare(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { statistic: number; degreesOfFreedom: number; pValue: number } {
  let statistic = 0
  let cells = 0
  for (let i = 0; i < a.length; i++) {
    const sum = a[i]! + b[i]!
    if (sum === 0) continue
    statistic += (a[i]! - b[i]!) ** 2 / sum
    cells += 1
  }
  const degreesOfFreedom = cells - 1
  return { statistic, degreesOfFreedom, pValue: chiSquareSurvival(statistic, degreesOfFreedom) }
}

export interface Interval {
  readonly low: number
  readonly high: number
}

const Z_95 = 1.959963984540054

/** Wilson's 95 % interval for a proportion. */
export function proportionInterval(successes: number, trials: number): Interval {
  const p = successes / trials
  const z2 = Z_95 * Z_95
  const centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
  const half = (Z_95 / (1 + z2 / trials)) * Math.sqrt((p * (1 - p)) / trials + z2 / (4 * trials * trials))
  return { low: centre - half, high: centre + half }
}

/** Mean of a sample with its normal 95 % interval. */
export function meanInterval(values: readonly number[]): Interval & { mean: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const half = Z_95 * Math.sqrt(squares / Math.max(1, values.length - 1) / values.length)
  return { mean, low: mean - half, high: mean + half }
}

/** The middle one of the values in order; of an even number, the upper of the two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}
