/**
 * The kernel's pass over the channels of a position, which decoding and encoding share. The scale of a channel is
 * gathered, not scattered: a group of 16 channels sums its weights over the list of all that is known when its turn
 * comes. Channels of the group itself are added to the scales as they become known.
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
import { constant, either, type I32, type V128 } from '../../lib/wasm-values'
import {
  DRIFT_LEVELS,
  FEATURE_CAP,
  FEATURE_SHIFT,
  HIGH_ENTRIES,
  LOW_RANGE,
  LOW_SHIFT,
  MAGNITUDE_CAP,
  OFFSET_LIMIT,
  OFFSET_SHIFT,
  RANK_HALF,
  RANK_SHIFT,
  SCALE_BITS,
  SYMBOL_UNIT,
  SYMBOL_LIMIT,
} from '../context-model'
import { LATENTS } from '../weights'
import { ChromaGroups } from './chroma'
import { IntraCode } from './intra'
import { GROUP, LOW_ENTRIES, RANK, RANK_BYTES, ROW_BYTES, type KernelLayout } from './layout'
import { append, endList, four, RowSums, type Four } from './lists'
import { States } from './states'

/** Address of the kernel's state. */
export const state = constant(0)

/** What decode and encode share: (here, active, ...). */
export class Position {
  readonly here: I32Local
  readonly active: I32Local
  /** Entries of the list of channels that add to the scales of later ones, and of all that are not zero. */
  readonly dense: I32Local
  readonly seen: I32Local
  readonly channel: I32Local
  readonly table: I32Local
  readonly entry: I32Local
  readonly magnitude: I32Local
  readonly residual: I32Local
  readonly #group: I32Local
  readonly #scale: I32Local
  readonly #index: I32Local
  /** The record of the channel's rank. */
  readonly rank: I32Local
  readonly #offset: I32Local
  /** null where quantization is not dependent. */
  readonly states: States | null
  readonly #weights: I32Local
  readonly #sums: Four
  readonly #splat: V128Local
  readonly #row: V128Local
  readonly #rowSums: RowSums
  readonly #chroma: ChromaGroups | null
  readonly #intra: IntraCode | null
  readonly #at: KernelLayout

  constructor(at: KernelLayout, given: readonly I32Local[], scope: FunctionScope) {
    this.#at = at
    this.here = given[0]!
    this.active = given[1]!
    this.dense = scope.i32()
    this.seen = scope.i32()
    this.channel = scope.i32()
    this.table = scope.i32()
    this.entry = scope.i32()
    this.magnitude = scope.i32()
    this.residual = scope.i32()
    this.#group = scope.i32()
    this.#scale = scope.i32()
    this.#index = scope.i32()
    this.#offset = scope.i32()
    this.rank = scope.i32()
    this.states = at.trellis === null ? null : new States(at.trellis.lift, scope)
    this.#weights = scope.i32()
    this.#sums = four(scope)
    this.#splat = scope.v128()
    this.#row = scope.v128()
    this.#rowSums = new RowSums(scope)
    this.#chroma = at.chroma === null ? null : new ChromaGroups(at.chroma, at.symbols, this.channel, scope)
    this.#intra = at.intra === null ? null : new IntraCode(at.intra, scope)
  }

  /** Every active channel in turn; `code` finds `table` set, and puts what is not zero. */
  channels(code: Code): Code {
    return this.groups(this.eachOfGroup([this.#findTable(), code]))
  }

  /** Every group of active channels in turn; `code` moves `channel` on to the next. */
  groups(code: Code): Code {
    const { channel } = this
    const at = this.#at
    const group = this.#group
    return [
      [this.seen.set(0), this.dense.set(0), channel.set(0), group.set(0), this.states?.start() ?? []],
      loopWhile(channel.below(this.active), [
        this.#startGroup(),
        code,
        this.#chroma?.finish() ?? [],
        this.#intra?.finishGroup(channel, at.symbols) ?? [],
        group.increase(1),
      ]),
    ]
  }

  /** The channels of the group that has been started. */
  eachOfGroup(code: Code): Code {
    const { channel } = this
    return doWhile([code, channel.increase(1)], channel.and(GROUP - 1).isNot(0))
  }

  /** Scales of the group's 16 channels from all that is known; magnitudes start at zero, symbols at their means. */
  #startGroup(): Code {
    const at = this.#at
    const { channel, here } = this
    const group = this.#group
    const sums = this.#sums
    const zero = constant(0).splatI32()
    return [
      sums.map((sum, quarter) => sum.set(channel.shiftLeft(2).load128(at.bases + 16 * quarter))),
      this.#weights.set(group.times(at.dense * ROW_BYTES).plus(at.denseWeights)),
      this.#rowSums.add(sums, this.#weights, at.denseAt, at.denseValues, this.dense),
      sums.map((sum, quarter) => constant(0).store128(sum, at.scales + 16 * quarter)),
      here.plus(channel).store128(zero),
      // The first symbols hold their means.
      when(channel.atLeast(at.means), [
        channel.shiftLeft(1).store128(zero, at.symbols),
        channel.shiftLeft(1).store128(zero, at.symbols + 16),
      ]),
      this.#intra?.startGroup(channel, at.symbols) ?? [],
      this.#chroma?.start() ?? [],
    ]
  }

  /** Sets `rank` to the record of the channel's rank, of the first quantizer. */
  findRank(): Code {
    const at = this.#at
    const scale = this.#scale
    const index = this.#index
    const offset = this.#offset
    return [
      scale.set(
        this.channel
          .and(GROUP - 1)
          .shiftLeft(2)
          .load32(at.scales),
      ),
      when(
        scale.below(LOW_RANGE),
        [index.set(scale.plus(LOW_RANGE).shiftRight(LOW_SHIFT)), index.set(either(index.below(0), 0, index))],
        [
          index.set(scale.shiftRight(SCALE_BITS)),
          index.set(either(index.below(HIGH_ENTRIES), index, HIGH_ENTRIES - 1).plus(LOW_ENTRIES)),
        ],
      ),
      offset.set(this.channel.shiftLeft(2).load32(at.offsets)),
      index.set(
        index
          .shiftLeft(1)
          .loadS16(at.fine)
          .plus(offset.shiftRight(OFFSET_SHIFT))
          .plus(RANK_HALF)
          .shiftRight(RANK_SHIFT),
      ),
      index.set(either(index.below(0), 0, index)),
      index.set(either(index.below(at.rankCount), index, at.rankCount - 1)),
      this.rank.set(index.times(RANK_BYTES).plus(at.ranks)),
    ]
  }

  #findTable(): Code {
    return [this.findRank(), this.lookUpTable()]
  }

  /** Sets `table`, and `rank` to the record of the quantizer that serves; it was that of the first. */
  lookUpTable(): Code {
    const { rank, table, states } = this
    return [states === null ? [] : rank.increase(states.lift), table.set(rank.load32(RANK.table))]
  }

  /** Sets `rank` as findRank did for the channel. */
  recallRank(record: I32): Code {
    return [this.rank.set(record), this.#offset.set(this.channel.shiftLeft(2).load32(this.#at.offsets))]
  }

  /** Stores the records that findRank gives of the group's channels, before any of them is put; by channel. */
  findRanks(records: number): Code {
    const at = this.#at
    const { channel } = this
    const [low, high] = [this.#row, this.#splat]
    const scale = this.#sums[0]
    const limit = (bound: number): V128 => constant(bound).splatI32()
    const zero = limit(0)
    const setIndex = (index: V128Local, quarter: number): Code => [
      scale.set(constant(0).load128(at.scales + 16 * quarter)),
      index.set(
        scale
          .addI32(limit(LOW_RANGE))
          .shiftRightI32(LOW_SHIFT)
          .maxI32(zero)
          .where(
            scale.belowI32(limit(LOW_RANGE)),
            scale
              .shiftRightI32(SCALE_BITS)
              .minI32(limit(HIGH_ENTRIES - 1))
              .addI32(limit(LOW_ENTRIES)),
          )
          .shiftLeftI32(1),
      ),
    ]
    const fine = [low, high]
      .flatMap((index) => [0, 1, 2, 3].map((lane) => index.laneI32(lane)))
      .reduce((eight, address, lane) => eight.loadLaneI16(address, at.fine, lane), zero)
    const store = (ranks: V128, quarter: number): Code =>
      channel.shiftLeft(2).store128(
        ranks
          .addI32(
            channel
              .shiftLeft(2)
              .load128(at.offsets + 16 * quarter)
              .shiftRightI32(OFFSET_SHIFT),
          )
          .addI32(limit(RANK_HALF))
          .shiftRightI32(RANK_SHIFT)
          .maxI32(zero)
          .minI32(limit(at.rankCount - 1))
          .shiftLeftI32(Math.log2(RANK_BYTES))
          .addI32(limit(at.ranks)),
        records + 16 * quarter,
      )
    return [0, 2].map((quarter) => [
      [setIndex(low, quarter), setIndex(high, quarter + 1)],
      scale.set(fine),
      [store(scale.extendLowI16(), quarter), store(scale.extendHighI16(), quarter + 1)],
    ])
  }

  /** Moves the channel's offset by the drift at an address within the rank's record. */
  #follow(drift: I32): Code {
    const offset = this.#offset
    return [
      offset.set(offset.plus(drift.load32(RANK.drift))),
      offset.set(either(offset.below(OFFSET_LIMIT), offset, OFFSET_LIMIT)),
      offset.set(either(offset.below(-OFFSET_LIMIT), -OFFSET_LIMIT, offset)),
      this.channel.shiftLeft(2).store32(offset, this.#at.offsets),
    ]
  }

  /** Records a residual of zero. */
  putZero(): Code {
    return [this.#follow(this.rank), this.states?.afterZero() ?? []]
  }

  /** Records `residual`, which is not zero, of absolute value `magnitude`; changes magnitude. */
  put(): Code {
    const at = this.#at
    const { channel, magnitude, here } = this
    const index = this.#index
    const level = magnitude.shiftRight(this.rank.load32(RANK.shift))
    return [
      index.set(level),
      index.set(either(index.below(DRIFT_LEVELS), index, DRIFT_LEVELS - 1)),
      this.#follow(this.rank.plus(index.shiftLeft(2))),
      this.#setSymbol(),
      this.states?.after(magnitude) ?? [],
      magnitude.set(either(magnitude.below(MAGNITUDE_CAP), magnitude, MAGNITUDE_CAP)),
      here.plus(channel).store8(magnitude),
      append({ at: at.seenAt, values: at.seenValues, count: this.seen }, channel.times(ROW_BYTES), magnitude),
      this.#addToLater(),
    ]
  }

  /** Records them for a survey, for the channels that follow at this position: offsets, states and sites stay. */
  putForSurvey(): Code {
    const { magnitude } = this
    return [
      this.#setSymbol(),
      magnitude.set(either(magnitude.below(MAGNITUDE_CAP), magnitude, MAGNITUDE_CAP)),
      this.#addToLater(),
    ]
  }

  /** What the channel is foretold to be, in sixteenths, until it is put. */
  mean(): I32 {
    return this.channel.shiftLeft(1).loadS16(this.#at.symbols)
  }

  #setSymbol(): Code {
    const { channel, residual, states } = this
    const symbol = this.#scale
    const restored = states === null ? residual.times(SYMBOL_UNIT) : states.restored(residual)
    return [
      symbol.set(this.mean().plus(restored)),
      symbol.set(either(symbol.below(SYMBOL_LIMIT), symbol, SYMBOL_LIMIT)),
      symbol.set(either(symbol.below(-SYMBOL_LIMIT), -SYMBOL_LIMIT, symbol)),
      channel.shiftLeft(1).store16(symbol, this.#at.symbols),
    ]
  }

  /** Adds a magnitude within its cap to the scales of later channels. */
  #addToLater(): Code {
    const at = this.#at
    const { channel, magnitude } = this
    const index = this.#index
    const splat = this.#splat
    const row = this.#row
    const addEight = (half: number): Code => {
      const add = (product: V128, quarter: number): Code =>
        constant(0).store128(
          constant(0)
            .load128(at.scales + 16 * quarter)
            .addI32(product),
          at.scales + 16 * quarter,
        )
      return [
        row.set(index.plus(this.#weights).load128(16 * half)),
        add(row.productLowI16(splat), 2 * half),
        add(row.productHighI16(splat), 2 * half + 1),
      ]
    }
    return when(channel.below(at.dense), [
      index.set(channel.times(ROW_BYTES)),
      append({ at: at.denseAt, values: at.denseValues, count: this.dense }, index, magnitude),
      endList(at.denseValues, this.dense),
      splat.set(magnitude.splatI16()),
      [addEight(0), addEight(1)],
    ])
  }

  /** Before the channels pass once more: what chroma prediction knows of them is forgotten. */
  startAgain(): Code {
    return this.#chroma?.clear(this.#index) ?? []
  }

  /** Features and symbols of this position become visible to later ones. */
  finish(): Code {
    const at = this.#at
    const { here } = this
    const sums = this.#sums
    const zero = constant(0).splatI32()
    const feature = (sum: V128Local): V128 =>
      sum.maxI32(zero).shiftRightI32(FEATURE_SHIFT).minI32(constant(FEATURE_CAP).splatI32())
    return [
      endList(at.seenValues, this.seen),
      Array.from({ length: at.features / GROUP }, (_, group) => [
        sums.map((sum) => sum.set(zero)),
        this.#rowSums.add(
          sums,
          constant(at.featureWeights + group * LATENTS * ROW_BYTES),
          at.seenAt,
          at.seenValues,
          this.seen,
        ),
        here.store128(feature(sums[0]).narrowI32(feature(sums[1])), at.siteFeatures + group * ROW_BYTES),
        here.store128(feature(sums[2]).narrowI32(feature(sums[3])), at.siteFeatures + group * ROW_BYTES + 16),
      ]),
      Array.from({ length: at.means / 8 }, (_, eight) =>
        here.store128(constant(0).load128(at.symbols + 16 * eight), at.siteSymbols + 16 * eight),
      ),
      this.#chroma?.finishPosition(here) ?? [],
      this.#intra?.finish(here) ?? [],
    ]
  }
}

/** Frequency bounds of an entry of the table. */
export const bound = (table: I32, entry: I32 | number, after = 0): I32 =>
  typeof entry === 'number'
    ? table.load32(4 * (entry + after))
    : table.plus(entry.shiftLeft(2)).load32(4 * after)
/** Entries of a table, kept before it. */
export const sizeOf = (table: I32): I32 => table.minus(4).load32()
