/**
 * Chroma from luma in the kernel (chroma-prediction.ts), sixteen channels at a time. A channel that predicts others writes
 * its symbol to where they will look for it, so that a group finds what it needs side by side.
 */
import { doWhile, when, type FunctionScope, type I32Local, type V128Local } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, type I32, type V128 } from '../../lib/wasm-values'
import {
  OWN_WEIGHT,
  PAIR_GAIN_BITS,
  PAIR_LIMIT,
  PAIR_SHIFT,
  PAIR_SUMS,
  REGULAR,
  SLOPE_BITS,
  SLOPE_LIMIT,
  type ChromaModel,
} from '../chroma-prediction'
import { SYMBOL_LIMIT } from '../context-model'
import { LATENTS } from '../weights'
import { GROUP, type ChromaLayout } from './layout'

const HALVES = [0, 1] as const
const SUMS = Array.from({ length: PAIR_SUMS }, (_, i) => i)
const CHANNEL_BYTES = 2 * LATENTS

/** Begins a position: sums of its neighbours (west, north, north-west, north-east); nothing of its own is known. */
export function beginChroma(at: ChromaLayout, neighbours: readonly I32Local[], index: I32Local): Code {
  const zero = constant(0).splatI32()
  return [
    HALVES.map((half) => {
      const [west, north, northWest, northEast] = neighbours.map((site) =>
        site.load128(at.siteSums + 16 * half),
      )
      const twice = west!.addI32(north!)
      const sum = twice.addI32(twice).addI32(northWest!.addI32(northEast!))
      return constant(0).store128(sum, at.near + 16 * half)
    }),
    SUMS.map((sum) => constant(0).store128(zero, at.own + 16 * sum)),
    index.set(0),
    doWhile(
      [index.store128(zero, at.luma), index.store128(zero, at.first), index.increase(16)],
      index.below(CHANNEL_BYTES),
    ),
  ]
}

/** The group code of a position, over its current channel. */
export class ChromaGroups {
  readonly #at: ChromaLayout
  readonly #symbols: number
  readonly #channel: I32Local
  readonly #value: I32Local
  readonly #index: I32Local
  readonly #slopes: readonly [V128Local, V128Local, V128Local]
  readonly #low: V128Local
  readonly #high: V128Local
  readonly #luma: V128Local
  readonly #first: V128Local
  readonly #given: V128Local

  /** `symbols`: where the symbols of the position are. */
  constructor(at: ChromaLayout, symbols: number, channel: I32Local, scope: FunctionScope) {
    this.#at = at
    this.#symbols = symbols
    this.#channel = channel
    this.#value = scope.i32()
    this.#index = scope.i32()
    this.#slopes = [scope.v128(), scope.v128(), scope.v128()]
    this.#low = scope.v128()
    this.#high = scope.v128()
    this.#luma = scope.v128()
    this.#first = scope.v128()
    this.#given = scope.v128()
  }

  /** Eight values of the group that begins at the channel plus `shift`. */
  #eight(region: number, half: number, shift = 0): V128 {
    return this.#channel.shiftLeft(1).load128(region + 16 * half + 2 * shift)
  }

  #store(eight: V128, region: number, half: number): Code {
    return this.#channel.shiftLeft(1).store128(eight, region + 16 * half)
  }

  #any(regions: readonly number[], shift = 0): I32 {
    const eights = regions.flatMap((region) => HALVES.map((half) => this.#eight(region, half, shift)))
    return eights.reduce((all, eight) => all.or(eight)).hasAny()
  }

  #setSlope(which: 0 | 1 | 2): Code {
    const at = this.#at
    const own = (sum: number): I32 =>
      [4, 8, 12].reduce(
        (total, lane) => total.plus(constant(0).load32(at.own + 16 * sum + lane)),
        constant(0).load32(at.own + 16 * sum),
      )
    const all = (sum: number) =>
      constant(0)
        .load32(at.near + 4 * sum)
        .toF64()
        .plus(own(sum).toF64().times(OWN_WEIGHT))
    const slope = all(2 * which)
      .dividedBy(all(2 * which + 1).plus(REGULAR))
      .least(SLOPE_LIMIT)
      .most(-SLOPE_LIMIT)
      .times(1 << SLOPE_BITS)
    return this.#slopes[which].set(slope.truncated().splatI32())
  }

  /** Four products, halves away from zero. */
  #rounded(value: V128Local, product: V128, bits: number): Code {
    const half = constant(1 << (bits - 1)).splatI32()
    return [
      value.set(product),
      value.set(value.addI32(half).addI32(value.shiftRightI32(31)).shiftRightI32(bits)),
    ]
  }

  /** Eight values times slopes (one for each half of them) times gains, into `given`. */
  #scaled(values: V128Local, slopes: readonly [V128, V128], gain: V128): Code {
    const [low, high, given] = [this.#low, this.#high, this.#given]
    return [
      this.#rounded(low, values.extendLowI16().timesI32(slopes[0]), SLOPE_BITS),
      this.#rounded(high, values.extendHighI16().timesI32(slopes[1]), SLOPE_BITS),
      given.set(low.narrowI32(high)),
      this.#rounded(low, given.extendLowI16().timesI32(gain.extendLowI16()), PAIR_GAIN_BITS),
      this.#rounded(high, given.extendHighI16().timesI32(gain.extendHighI16()), PAIR_GAIN_BITS),
      given.set(low.narrowI32(high)),
    ]
  }

  /** Adds what is foretold to the group's symbols, which hold their means so far. */
  start(): Code {
    const at = this.#at
    const [luma, first, given] = [this.#luma, this.#first, this.#given]
    const [s0, s1, s2] = this.#slopes
    const zero = constant(0).splatI32()
    const limit = (bound: number): V128 => constant(bound).splatI16()
    return when(
      this.#any([at.luma, at.first]),
      [
        [this.#setSlope(0), this.#setSlope(1), this.#setSlope(2)],
        HALVES.map((half) => {
          const second = this.#eight(at.isSecond, half)
          const slopes = [second.extendLowI16(), second.extendHighI16()].map((mask) => s1.where(mask, s0))
          return [
            luma.set(this.#eight(at.luma, half)),
            this.#scaled(luma, slopes as [V128, V128], this.#eight(at.lumaGain, half)),
            [luma.set(given), this.#store(luma, at.fromLuma, half)],
            first.set(this.#eight(at.first, half)),
            this.#scaled(first, [s2, s2], this.#eight(at.firstGain, half)),
            given.set(luma.addSaturatedI16(given)),
            this.#store(
              this.#eight(this.#symbols, half)
                .addSaturatedI16(given)
                .minI16(limit(SYMBOL_LIMIT))
                .maxI16(limit(-SYMBOL_LIMIT)),
              this.#symbols,
              half,
            ),
          ]
        }),
      ],
      HALVES.map((half) => this.#store(zero, at.fromLuma, half)),
    )
  }

  /** The channel is the first after a group whose symbols are known. */
  finish(): Code {
    const at = this.#at
    const [value, index] = [this.#value, this.#index]
    const left = (half: number): V128 =>
      this.#eight(this.#symbols, half, -GROUP).subSaturatedI16(this.#eight(at.fromLuma, half, -GROUP))
    const predictor = index.shiftLeft(1)
    return [
      when(
        this.#any([at.luma, at.first], -GROUP),
        HALVES.map((half) => this.#addSums(half, left(half))),
      ),
      when(left(0).or(left(1)).hasAny(), [
        HALVES.map((half) => constant(0).store128(left(half), at.left + 16 * half)),
        index.set(0),
        doWhile(
          [
            value.set(predictor.loadS16(at.left)),
            [0, 2].map((which) =>
              this.#channel
                .plus(index)
                .shiftLeft(2)
                .loadU16(at.readers - 4 * GROUP + which)
                .store16(value),
            ),
            index.increase(1),
          ],
          index.below(GROUP),
        ),
      ]),
    ]
  }

  #addSums(half: number, left: V128): Code {
    const at = this.#at
    const [luma, first, given] = [this.#luma, this.#first, this.#given]
    const mask = this.#eight(at.isSecond, half, -GROUP)
    const limit = (bound: number): V128 => constant(bound).splatI16()
    /** In quarters of a step, limited. */
    const forSums = (value: V128Local, from: V128): Code => [
      value.set(from),
      value.set(
        value
          .addSaturatedI16(limit(1 << (PAIR_SHIFT - 1)))
          .addSaturatedI16(value.shiftRightI16(15))
          .shiftRightI16(PAIR_SHIFT)
          .minI16(limit(PAIR_LIMIT))
          .maxI16(limit(-PAIR_LIMIT)),
      ),
    ]
    const add = (sum: number, products: V128): Code => {
      const place = at.own + 16 * sum
      return constant(0).store128(constant(0).load128(place).addI32(products), place)
    }
    return [
      forSums(luma, this.#eight(at.luma, half, -GROUP)),
      forSums(given, this.#eight(this.#symbols, half, -GROUP)),
      first.set(luma.andNot(mask)),
      [add(0, first.dotI16(given)), add(1, first.dotI16(first))],
      first.set(luma.and(mask)),
      [add(2, first.dotI16(given)), add(3, first.dotI16(first))],
      forSums(first, this.#eight(at.first, half, -GROUP)),
      forSums(given, left),
      [add(4, first.dotI16(given)), add(5, first.dotI16(first))],
    ]
  }

  /** The position's sums become visible at its site. */
  finishPosition(here: I32): Code {
    const { own, siteSums } = this.#at
    const lane = (sum: number, n: number): I32 => constant(0).load32(own + 16 * sum + 4 * n)
    return SUMS.map((sum) =>
      here.store32(
        lane(sum, 0)
          .plus(lane(sum, 1))
          .plus(lane(sum, 2).plus(lane(sum, 3))),
        siteSums + 4 * sum,
      ),
    )
  }
}

/** Who predicts whom; what depends on the quality is taken over by useChroma. */
export function packChroma(memory: ArrayBuffer, at: ChromaLayout, { lumaOf, firstOf }: ChromaModel): void {
  const readers = new Uint16Array(memory, at.readers, 2 * LATENTS).fill(at.unread)
  const isSecond = new Int16Array(memory, at.isSecond, LATENTS)
  for (let c = 0; c < LATENTS; c++) {
    const [luma, first] = [lumaOf[c]!, firstOf[c]!]
    if (luma >= 0) readers[2 * luma + (first < 0 ? 0 : 1)] = at.luma + 2 * c
    if (first >= 0) readers[2 * first] = at.first + 2 * c
    isSecond[c] = first < 0 ? 0 : -1
  }
}

export function useChroma(memory: ArrayBuffer, at: ChromaLayout, { lumaGain, firstGain }: ChromaModel): void {
  new Int16Array(memory, at.lumaGain, LATENTS).set(lumaGain)
  new Int16Array(memory, at.firstGain, LATENTS).set(firstGain)
}
