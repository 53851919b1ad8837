import { beforeAll, describe, expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import { readModel } from '../training/node-model'
import { contextModelAt, SYMBOL_UNIT } from './context-model'
import { buildTableBank } from './entropy-tables'
import { CodecError } from './errors'
import { createEntropyKernel } from './kernel/entropy-kernel'
import { QUALITY_MAX } from './quality'
import { residuals, walk, withIntra, type Region } from './testing-intra'
import { decodeTile, encodeTile, type TileEntropy } from './tile-coder'
import { LATENTS, type CodecWeights } from './weights'

let without: CodecWeights
beforeAll(async () => {
  without = (await readModel('safelight-v2')).weights
})

/** Latents with falling variance, the last of them in the group before `active`. */
function latents(seed: number, { width, height, active }: Region, spread: number): Float32Array {
  const prng = makePrng(seed)
  const y = Float32Array.from({ length: width * height * LATENTS }, (_, i) => {
    const c = i % LATENTS
    return c < active ? (prng.nextNormal() * spread) / (1 + c / 12) : 0
  })
  if (active > 0) y[active - 1] = 1
  return y
}

describe('a tile of a model that predicts from edges', () => {
  const entropyOf = async (weights: CodecWeights, quality: number): Promise<TileEntropy> => {
    const [model, bank] = [contextModelAt(weights, quality), buildTableBank(weights.tables)]
    return { model, bank, kernel: await createEntropyKernel(weights.config, model, bank) }
  }
  const sized = (seed: number) => withIntra(without, seed, { width: 9, hidden: 7 }, 400, true)

  it.each([0, 16, 32, 96, 112, 192, 768])('round trips with %i channels', async (active) => {
    for (const [width, height] of [
      [1, 1],
      [1, 3],
      [2, 2],
      [3, 2],
    ] as const) {
      const where = { width, height, active }
      const seed = 8 * active + 4 * height + width
      const entropy = await entropyOf(sized(seed), seed % (QUALITY_MAX + 1))
      const next = residuals(seed, 3)
      const chosen = Int16Array.from({ length: width * height * LATENTS }, (_, i) => {
        const c = i % LATENTS
        return c >= active ? 0 : c === active - 1 ? 1 : next()
      })
      const coded = encodeTile(entropy, new Float32Array(chosen.length), width, height, { chosen })
      const put = chosen.filter((_, i) => i % LATENTS < active).values()
      const { symbols } = walk(entropy.model, where, () => put.next().value!)
      for (const kernel of new Set([null, entropy.kernel]))
        expect(decodeTile({ ...entropy, kernel }, coded, width, height)).toEqual({ symbols, active, width })
    }
  })

  it('restores what it is given within half a step or the rate-distortion zone', async () => {
    const where = { width: 3, height: 3, active: 768 }
    const entropy = await entropyOf(sized(1), 40)
    const y = latents(6, where, 20)
    const { symbols } = decodeTile(entropy, encodeTile(entropy, y.slice(), 3, 3), 3, 3)
    const worst = symbols.reduce(
      (most, symbol, i) => Math.max(most, Math.abs(symbol / SYMBOL_UNIT - y[i]!)),
      0,
    )
    // A magnitude is lowered by at most one where that saves enough bits.
    expect(worst).toBeLessThan(2)
  })

  it('differs from that of the same model without', async () => {
    const [own, other] = await Promise.all([sized(3), without].map((weights) => entropyOf(weights, 30)))
    const where = { width: 3, height: 3, active: 768 }
    const [a, b] = [own, other].map((entropy) => encodeTile(entropy!, latents(3, where, 40), 3, 3))
    expect(a).not.toEqual(b)
  })

  it('is refused with a typed error when it is hostile, or read, but never hangs', async () => {
    const entropy = await entropyOf(sized(2), 30)
    const prng = makePrng(99)
    const bytes = encodeTile(entropy, latents(5, { width: 2, height: 2, active: 208 }, 40), 2, 2)
    let refused = 0
    for (let n = 0; n < 300; n++) {
      const copy = bytes.slice(0, n % 5 === 0 ? prng.nextBelow(bytes.length) : bytes.length)
      if (copy.length > 0) copy[prng.nextBelow(copy.length)]! ^= 1 << prng.nextBelow(8)
      try {
        decodeTile(entropy, copy, 2, 2)
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError)
        refused++
      }
    }
    expect(refused).toBeGreaterThan(150)
  })
})
