/** Random choices from a seed: AES-256-CTR (NIST SP 800-38A) read as 32-bit words, the same on every device. */
import { openAesKeystream } from '../diffusion/aes-keystream'

/** More than any architecture here asks for. */
const POOL_BYTES = 1 << 18

export interface Draws {
  /** Uniform whole number in [0, limit), limit at most 2^32; rejection sampling, so without bias. */
  below(limit: number): number
  /** A uniform permutation of 0 .. count - 1 (Fisher and Yates). */
  permutation(count: number): Uint16Array
}

/** Throws RangeError when the seed's first 256 KiB are used up. */
export async function drawsFrom(seed: Uint8Array): Promise<Draws> {
  const pool = await (await openAesKeystream(seed)).read(0, POOL_BYTES)
  const view = new DataView(pool.buffer, pool.byteOffset, pool.length)
  let at = 0
  function below(limit: number): number {
    const fair = 2 ** 32 - (2 ** 32 % limit)
    for (;;) {
      const word = view.getUint32(at, true)
      at += 4
      if (word < fair) return word % limit
    }
  }
  return {
    below,
    permutation(count) {
      const order = Uint16Array.from({ length: count }, (_, i) => i)
      for (let i = count - 1; i > 0; i--) {
        const j = below(i + 1)
        const kept = order[i]!
        order[i] = order[j]!
        order[j] = kept
      }
      return order
    },
  }
}
