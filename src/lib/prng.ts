/**
 * Seeded pseudo-random numbers for training, studies and tests. Never for secrets: src/crypto/random.ts draws those.
 * xoshiro128** 1.1 (Blackman and Vigna), seeded through splitmix32; one seed gives one sequence on every machine.
 */

export interface Prng {
  /** Integer, uniform in [0, 2^32). */
  nextU32(): number
  /** Multiple of 2^-53, uniform in [0, 1). */
  nextFloat(): number
  /** Integer, uniform in [0, limit); limit is at most 2^32. */
  nextBelow(limit: number): number
  /** Standard normal; its last bits may differ between engines, whose log and cos do. */
  nextNormal(): number
  fill(bytes: Uint8Array): void
}

function rotateLeft(x: number, bits: number): number {
  return ((x << bits) | (x >>> (32 - bits))) >>> 0
}

/** Spreads a 32-bit seed over the state. */
function splitmix32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
}

/** `state` is four 32-bit words, not all zero. */
export function prngFromState(state: readonly [number, number, number, number]): Prng {
  let [s0, s1, s2, s3] = state
  if ((s0 | s1 | s2 | s3) === 0) throw new RangeError('The state of the generator must not be all zero.')

  function nextU32(): number {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5) >>> 0, 7), 9) >>> 0
    const t = (s1 << 9) >>> 0
    s2 = (s2 ^ s0) >>> 0
    s3 = (s3 ^ s1) >>> 0
    s1 = (s1 ^ s2) >>> 0
    s0 = (s0 ^ s3) >>> 0
    s2 = (s2 ^ t) >>> 0
    s3 = rotateLeft(s3, 11)
    return result
  }
  function nextFloat(): number {
    return ((nextU32() >>> 5) * 0x4000000 + (nextU32() >>> 6)) / 0x20000000000000
  }
  function nextBelow(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32)
      throw new RangeError('The limit must be a whole number from 1 to 2^32.')
    const accepted = 2 ** 32 - (2 ** 32 % limit)
    for (;;) {
      const word = nextU32()
      if (word < accepted) return word % limit
    }
  }
  function nextNormal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - nextFloat()))
    return radius * Math.cos(2 * Math.PI * nextFloat())
  }
  function fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 4) {
      const word = nextU32()
      for (let j = i; j < Math.min(i + 4, bytes.length); j++) bytes[j] = (word >>> (8 * (j - i))) & 0xff
    }
  }
  return { nextU32, nextFloat, nextBelow, nextNormal, fill }
}

/** `seed` is a 32-bit integer. */
export function makePrng(seed: number): Prng {
  const next = splitmix32(seed)
  return prngFromState([next(), next(), next(), next()])
}
