/**
 * Prediction from the edges of neighbours in the kernel (intra-prediction.ts). Edges and symbols are dense inputs; of the
 * layers after a relu, half is zero, and the rest is listed.
 */
import {
  doWhile,
  loopWhile,
  when,
  type FunctionScope,
  type I32Local,
  type V128Local,
} from '../../lib/wasm-assembler'
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
import { LayerSums, packDense, packListed, UnitList } from './layers'
import { GROUP, type IntraLayout } from './layout'

const HALVES = [0, 1] as const
const CORNER = EDGE_DEPTH * EDGE_DEPTH
const LATER_STAGES = Array.from({ length: INTRA_STAGE_COUNT - 1 }, (_, i) => i + 1)

/** The code of a position; channels are foretold as their group starts. */
export class IntraCode {
  readonly #at: IntraLayout
  readonly #layers: LayerSums
  readonly #units: UnitList
  readonly #eight: V128Local

  constructor(at: IntraLayout, scope: FunctionScope) {
    this.#at = at
    this.#layers = new LayerSums(scope)
    this.#units = new UnitList(scope)
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
      this.#layers.layer(at.in.outputs, [this.#layers.dense(at.in, at.inputs)], this.#rectified(at.first)),
      this.#units.of(at.first, at.in.outputs, at.firstAt, at.firstValues),
      constant(0).store32(this.#units.count, at.firstCount),
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

  /** Takes over the symbols of all channels, also of silent ones, as turning back leaves them; changes `channel`. */
  takeTurned(channel: I32Local, symbols: number): Code {
    return [
      channel.set(GROUP),
      doWhile(
        [this.finishGroup(channel, symbols), channel.increase(GROUP)],
        channel.below(INTRA_CHANNELS + 1),
      ),
    ]
  }

  /** Symbols of silent channels are zero again for the positions to come; changes `channel`. */
  silence(channel: I32Local, active: I32): Code {
    const zero = constant(0).splatI32()
    return [
      channel.set(active),
      loopWhile(channel.below(INTRA_CHANNELS), [
        HALVES.map((half) => channel.shiftLeft(1).store128(zero, this.#at.scaled + 16 * half)),
        channel.increase(GROUP),
      ]),
    ]
  }

  /** The position's edges become visible at its site. */
  finish(here: I32): Code {
    const { edges, scaled, siteEdges } = this.#at
    const rounded = (sum: V128): V128 => sum.addI32(constant(EDGE_HALF).splatI32()).shiftRightI32(EDGE_BITS)
    return this.#layers.layer(
      edges.outputs,
      [this.#layers.dense(edges, scaled)],
      (low, high, output, shift) =>
        here.plus(output.shiftLeft(1)).store128(rounded(low).narrowI32(rounded(high)), siteEdges + 2 * shift),
    )
  }

  #rectified(to: number): (low: V128, high: V128, output: I32Local, shift: number) => Code {
    return (low, high, output, shift) =>
      output
        .shiftLeft(1)
        .store128(
          low
            .shiftRightI32(INTRA_BITS)
            .narrowI32(high.shiftRightI32(INTRA_BITS))
            .maxI16(constant(0).splatI16()),
          to + 2 * shift,
        )
  }

  #foretell(stage: number): Code {
    const at = this.#at
    const layers = this.#layers
    const count = this.#units.count
    const [first, own, out] = [at.midFirst[stage]!, at.midOwn[stage]!, at.out[stage]!]
    const from = INTRA_STAGES[stage]!
    const half = constant(INTRA_HALF).splatI32()
    const inSteps = (sum: V128, output: I32Local, shift: number): V128 =>
      sum
        .shiftRightI32(INTRA_BITS)
        .timesI32(output.shiftLeft(2).load128(at.gain + 4 * (from + shift)))
        .addI32(half)
        .shiftRightI32(INTRA_BITS)
    return [
      count.set(constant(0).load32(at.firstCount)),
      layers.layer(
        first.outputs,
        [
          layers.listed(first, {
            at: at.firstAt,
            values: at.firstValues,
            count,
          }),
          ...(from === 0 ? [] : [layers.dense(own, at.scaled)]),
        ],
        this.#rectified(at.hidden),
      ),
      this.#units.of(at.hidden, out.inputs, at.hiddenAt, at.hiddenValues),
      layers.layer(
        out.outputs,
        [
          layers.listed(out, {
            at: at.hiddenAt,
            values: at.hiddenValues,
            count,
          }),
        ],
        (low, high, output, shift) =>
          output
            .shiftLeft(1)
            .store128(
              inSteps(low, output, shift).narrowI32(inSteps(high, output, shift + 4)),
              at.foretold + 2 * (from + shift),
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
  const { width } = model
  packDense(memory, at.edges, (j, c) => model.edges[c * EDGES + j]!)
  packDense(memory, at.in, (a, k) => (a < width ? model.in[a * INTRA_INPUTS + k]! : 0))
  packIntraStages(memory, at, model)
}

/** Of that, what a split has of its own: the second layers, and what they foretell. */
export function packIntraStages(memory: ArrayBuffer, at: IntraLayout, model: IntraModel): void {
  const { width, hidden } = model
  at.midFirst.forEach((layer, stage) => {
    const weights = model.mid[stage]!
    const row = width + INTRA_STAGES[stage]!
    const weightOf = (g: number, k: number): number => (g < hidden ? weights[g * row + k]! : 0)
    packListed(memory, layer, (g, a) => (a < width ? weightOf(g, a) : 0))
    packDense(memory, at.midOwn[stage]!, (g, c) => weightOf(g, width + c))
  })
  at.out.forEach((layer, stage) => {
    const weights = model.out[stage]!
    packListed(memory, layer, (c, g) => (g < hidden ? weights[c * hidden + g]! : 0))
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
