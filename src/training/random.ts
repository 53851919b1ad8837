import { makePrng, type Prng } from '../lib/prng'

/**
 * Seeded draws for training data: the generator of src/lib/prng.ts and a few distributions that use only + - * / and
 * Math.sqrt, so that every engine draws the same numbers. Never for secrets.
 */
export class Random {
  private readonly prng: Prng

  /** The seed is a 32-bit integer; the first draws, which depend on it most plainly, are dropped. */
  constructor(seed: number) {
    this.prng = makePrng(seed)
    for (let i = 0; i < 8; i++) this.prng.nextU32()
  }

  uint32(): number {
    return this.prng.nextU32()
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.uint32() / 4294967296
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit()
  }

  /** Uniform integer in [0, count). */
  below(count: number): number {
    return Math.floor(this.unit() * count)
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** Nearly normal with mean 0 and variance 1: the sum of four uniforms, bounded by 3.5. */
  normal(): number {
    return (this.unit() + this.unit() + this.unit() + this.unit() - 2) * 1.7320508075688772
  }

  /** Positive with median 1: 2^(spread * normal), by a fourth-order series of the exponential. */
  spread(octaves: number): number {
    return exp2(octaves * this.normal())
  }

  /** Log-uniform in [low, high]: a power-of-two blend found by repeated square roots. */
  logBetween(low: number, high: number): number {
    return low * power(high / low, this.unit())
  }
}

/** 2^x for |x| < 30 with + and * alone: relative error below 1e-9. */
export function exp2(x: number): number {
  const whole = Math.floor(x)
  const t = (x - whole) * 0.6931471805599453
  let sum = 1
  for (let k = 11; k > 0; k--) sum = 1 + (sum * t) / k
  let scale = 1
  for (let i = 0; i < whole; i++) scale *= 2
  for (let i = 0; i > whole; i--) scale /= 2
  return sum * scale
}

/** base^share for base > 0 and share in [0, 1], by the binary digits of the share and square roots. */
export function power(base: number, share: number): number {
  let root = base
  let result = 1
  let rest = share
  for (let i = 0; i < 30 && rest > 0; i++) {
    root = Math.sqrt(root)
    rest *= 2
    if (rest >= 1) {
      result *= root
      rest -= 1
    }
  }
  return result
}
