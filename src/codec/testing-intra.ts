/** Models that predict from edges, with weights at random: for tests. */
import { makePrng } from '../lib/prng'
import { intraShapes } from './intra-prediction'
import type { CodecWeights } from './weights'

const EXTREMES = [-32768, 32767, 0, 1]
/** How far the drawn weights of a tensor reach, beside `reach` for the others: edges of real models, gains around 1. */
const REACH: Readonly<Record<string, number>> = { intra_edges: 4096, intra_step: 2048, intra_gain: 1024 }

export interface IntraSize {
  /** Units of the first layer, and of the second layer of every stage. */
  readonly width: number
  readonly hidden: number
}

/** The weights with intra prediction of 16 bits in place of their own; `wild`: every hundredth weight may be extreme. */
export function withIntra(
  weights: CodecWeights,
  seed: number,
  { width, hidden }: IntraSize,
  reach: number,
  wild = false,
): CodecWeights {
  const prng = makePrng(seed)
  const config = { ...weights.config, intraWidth: width, intraHidden: hidden }
  const integers = new Map(weights.integers)
  for (const [name, shape] of intraShapes(config)) {
    const most = REACH[name] ?? reach
    const draw = (): number =>
      wild && prng.nextBelow(100) === 0 ? EXTREMES[prng.nextBelow(4)]! : prng.nextBelow(2 * most + 1) - most
    const length = shape.reduce((a, b) => a * b, 1)
    integers.set(name, Int32Array.from({ length }, draw))
  }
  return { ...weights, config, integers }
}
