/** Models that predict from edges, with weights at random, and tiles walked with them: for tests. */
import { makePrng } from '../lib/prng'
import type { ContextModel } from './context-model'
import { intraShapes } from './intra-prediction'
import { TileContext } from './tile-context'
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

/** A part of a tile: positions, and channels that it codes. */
export interface Region {
  readonly width: number
  readonly height: number
  readonly active: number
}

export interface Walk {
  readonly symbols: Int16Array
  /** [positions, active] */
  readonly means: number[]
  readonly tables: number[]
}

/** Puts residuals drawn at random position by position. */
export function walk(model: ContextModel, { width, height, active }: Region, residual: () => number): Walk {
  const context = new TileContext(model, width, height, active)
  const [means, tables]: [number[], number[]] = [[], []]
  for (let p = 0; p < width * height; p++) {
    context.start(p % width, Math.floor(p / width))
    for (let c = 0; c < active; c++) {
      const mean = context.mean(c)
      means.push(mean)
      tables.push(context.table(c))
      context.put(c, residual(), mean)
    }
    context.finish()
  }
  return { symbols: context.symbols, means, tables }
}

/** Residuals of which some are as large as they may be. */
export function residuals(seed: number, spread: number): () => number {
  const prng = makePrng(seed)
  return () => {
    const kind = prng.nextBelow(100)
    if (kind === 0) return prng.nextBelow(2) === 0 ? 2047 : -2047
    return Math.round(prng.nextNormal() * spread)
  }
}
