/**
 * Prediction from the edges of neighbours in the kernel (intra-prediction.ts): four dense layers, whose inputs lie side by
 * side. The first layer is followed by the position's symbols in common steps, so that a stage reads both in one go.
 */
import { when, type FunctionScope, type I32Local, type V128Local } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, type I32, type V128 } from '../../lib/wasm-values'
import { SYMBOL_LIMIT } from '../context-model'
import {
  EDGE,
  EDGES,
  EDGE_BITS,
  EDGE_DEPTH,
  EDGE_HALF,
  INTRA_BITS,
  INTRA_CHANNELS,
  INTRA_HALF,
  INTRA_INPUTS,
  INTRA_STAGES,
  INTRA_STAGE_COUNT,
  type IntraModel,
} from '../intra-prediction'
import { DenseSums, packDense } from './dense'
import { GROUP, type IntraLayout } from './layout'

const HALVES = [0, 1] as const
const CORNER = EDGE_DEPTH * EDGE_DEPTH
const LATER_STAGES = Array.from({ length: INTRA_STAGE_COUNT - 1 }, (_, i) => i + 1)

/** The code of a position; channels are foretold as their group starts. */
export class IntraCode {
  readonly #at: IntraLayout
  readonly #dense: DenseSums
  readonly #eight: V128Local

  constructor(at: IntraLayout, scope: FunctionScope) {
    this.#at = at
    this.#dense = new DenseSums(scope)
    this.#eight = scope.v128()
  }

  /** Begins a position from its neighbours (west, north, north-west, north-east), and foretells the first stage. */
  begin(neighbours: readonly I32Local[]): Code {
    const at = this.#at
    const [west, north, northWest, northEast] = neighbours as [I32Local, I32Local, I32Local, I32Local]
    const take = (to: number, site: I32Local, from: number): Code =>
      Array.from({ length: EDGE / 8 }, (_, eight) =>
        constant(0).store128(
          site.load128(at.siteEdges + 2 * from + 16 * eight),
          at.inputs + 2 * to + 16 * eight,
        ),
      )
    const corner = at.siteEdges + 2 * (EDGE - CORNER)
    return [
      take(0, west, 0),
      take(EDGE, north, EDGE),
      HALVES.map((half) =>
        constant(0).store32(northWest.load32(corner + 4 * half), at.inputs + 4 * EDGE + 4 * half),
      ),
      take(2 * EDGE + CORNER, northEast, EDGE),
      this.#rectified(at.in, at.inputs, at.known),
      this.#foretell(0),
    ]
  }

  /** Adds what is foretold to the group that begins at `channel`, which holds its means so far; `symbols`: their address. */
  startGroup(channel: I32Local, symbols: number): Code {
    const limit = (bound: number): V128 => constant(bound).splatI16()
    const load = (region: number, half: number): V128 => channel.shiftLeft(1).load128(region + 16 * half)
    return when(channel.below(INTRA_CHANNELS), [
      LATER_STAGES.map((stage) => when(channel.is(INTRA_STAGES[stage]!), this.#foretell(stage))),
      HALVES.map((half) =>
        channel
          .shiftLeft(1)
          .store128(
            load(symbols, half)
              .addSaturatedI16(load(this.#at.foretold, half))
              .minI16(limit(SYMBOL_LIMIT))
              .maxI16(limit(-SYMBOL_LIMIT)),
            symbols + 16 * half,
          ),
      ),
    ])
  }

  /** `channel` is the first after a group whose symbols are known: takes them over in common steps. */
  finishGroup(channel: I32Local, symbols: number): Code {
    const at = this.#at
    const eight = this.#eight
    const load = (region: number, half: number): V128 =>
      channel.shiftLeft(1).load128(region + 16 * half - 2 * GROUP)
    const scaled = (product: V128): V128 => product.shiftRightI32(INTRA_BITS)
    return when(
      channel.below(INTRA_CHANNELS + 1),
      HALVES.map((half) => [
        eight.set(load(symbols, half)),
        channel
          .shiftLeft(1)
          .store128(
            scaled(eight.productLowI16(load(at.step, half))).narrowI32(
              scaled(eight.productHighI16(load(at.step, half))),
            ),
            at.scaled + 16 * half - 2 * GROUP,
          ),
      ]),
    )
  }

  /** The position's edges become visible at its site. */
  finish(here: I32): Code {
    const { edges, scaled, siteEdges } = this.#at
    const rounded = (sum: V128): V128 => sum.addI32(constant(EDGE_HALF).splatI32()).shiftRightI32(EDGE_BITS)
    return this.#dense.layer(edges, scaled, (low, high, output, shift) =>
      here.plus(output.shiftLeft(1)).store128(rounded(low).narrowI32(rounded(high)), siteEdges + 2 * shift),
    )
  }

  #rectified(layer: IntraLayout['in'], from: number, to: number): Code {
    return this.#dense.layer(layer, from, (low, high, output, shift) =>
      output
        .shiftLeft(1)
        .store128(
          low
            .shiftRightI32(INTRA_BITS)
            .narrowI32(high.shiftRightI32(INTRA_BITS))
            .maxI16(constant(0).splatI16()),
          to + 2 * shift,
        ),
    )
  }

  #foretell(stage: number): Code {
    const { mid, out, known, hidden, gain, foretold } = this.#at
    const from = INTRA_STAGES[stage]!
    const half = constant(INTRA_HALF).splatI32()
    const inSteps = (sum: V128, output: I32Local, shift: number): V128 =>
      sum
        .shiftRightI32(INTRA_BITS)
        .timesI32(output.shiftLeft(2).load128(gain + 4 * (from + shift)))
        .addI32(half)
        .shiftRightI32(INTRA_BITS)
    return [
      this.#rectified(mid[stage]!, known, hidden),
      this.#dense.layer(out[stage]!, hidden, (low, high, output, shift) =>
        output
          .shiftLeft(1)
          .store128(
            inSteps(low, output, shift).narrowI32(inSteps(high, output, shift + 4)),
            foretold + 2 * (from + shift),
          ),
      ),
    ]
  }
}

/** What must fit in 16 bits. */
export const narrowIntra = ({ edges, step, in: first, mid, out, scaleWeights }: IntraModel): Int32Array[] => [
  ...[edges, step, first, scaleWeights],
  ...mid,
  ...out,
]

/** What does not depend on the quality; the rest is taken over by useIntra. */
export function packIntra(memory: ArrayBuffer, at: IntraLayout, model: IntraModel): void {
  const { width, hidden } = model
  const padded = (at.scaled - at.known) / 2
  packDense(memory, at.edges, (j, c) => model.edges[c * EDGES + j]!)
  packDense(memory, at.in, (a, k) => (a < width ? model.in[a * INTRA_INPUTS + k]! : 0))
  at.mid.forEach((layer, stage) => {
    const weights = model.mid[stage]!
    const row = width + INTRA_STAGES[stage]!
    packDense(memory, layer, (g, k) => {
      if (g >= hidden || (k >= width && k < padded)) return 0
      return weights[g * row + (k < width ? k : k - padded + width)]!
    })
  })
  at.out.forEach((layer, stage) => {
    const weights = model.out[stage]!
    packDense(memory, layer, (c, g) => (g < hidden ? weights[c * hidden + g]! : 0))
  })
}

export function useIntra(memory: ArrayBuffer, at: IntraLayout, { step, gain }: IntraModel): void {
  new Int16Array(memory, at.step, INTRA_CHANNELS).set(step)
  new Int32Array(memory, at.gain, INTRA_CHANNELS).set(gain)
}

/** No symbol of the tile to come is known; those of silent channels stay zero. */
export function clearIntra(memory: ArrayBuffer, at: IntraLayout): void {
  new Int16Array(memory, at.scaled, INTRA_CHANNELS).fill(0)
}
