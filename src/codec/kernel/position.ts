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
  MAGNITUDE_CAP,
  SYMBOL_UNIT,
  SYMBOL_LIMIT,
} from '../context-model'
import { SCALE_STAGES } from '../scale-stages'
import { ChromaGroups } from './chroma'
import { IntraCode } from './intra'
import { INPUT_BYTES, LayerSums } from './layers'
import { GROUP, RANK, ROW_BYTES, type KernelLayout, type StageLayout } from './layout'
import { append, endList, four, RowSums, type Four } from './lists'
import { Ranks } from './ranks'
import { StageCode } from './stages'
import { TurnCode } from './turn'

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
  readonly #ranks: Ranks
  readonly #weights: I32Local
  readonly #sums: Four
  readonly #splat: V128Local
  readonly #row: V128Local
  readonly #rowSums: RowSums
  readonly #chroma: ChromaGroups | null
  readonly #intra: IntraCode | null
  readonly #stages: StageCode | null
  readonly #turn: TurnCode | null
  readonly #layers: LayerSums
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
    this.#ranks = new Ranks(at, this.channel, scope)
    this.#weights = scope.i32()
    this.#sums = four(scope)
    this.#splat = scope.v128()
    this.#row = scope.v128()
    this.#rowSums = new RowSums(scope)
    this.#chroma = at.chroma === null ? null : new ChromaGroups(at.chroma, at.symbols, this.channel, scope)
    this.#intra = at.intra === null ? null : new IntraCode(at.intra, scope)
    this.#stages = at.stages === null ? null : new StageCode(at.stages, scope)
    this.#turn = at.turn === null ? null : new TurnCode(at.turn, at.symbols, scope)
    this.#layers = new LayerSums(scope)
  }

  /** Every active channel in turn; `code` finds `table` set, and puts what is not zero. */
  channels(code: Code): Code {
    const { channel } = this
    const ranks = this.#ranks
    const at = this.#at
    const group = this.#group
    return [
      [this.seen.set(0), this.dense.set(0), channel.set(0), group.set(0)],
      loopWhile(channel.below(this.active), [
        [this.#startGroup(), ranks.startGroup(group)],
        doWhile([this.#findTable(), code, channel.increase(1)], channel.and(GROUP - 1).isNot(0)),
        ranks.finishGroup(),
        this.#chroma?.finish() ?? [],
        this.#intra?.finishGroup(channel, at.symbols) ?? [],
        group.increase(1),
      ]),
    ]
  }

  #addLate({ late }: StageLayout): Code {
    const { channel } = this
    return this.#sums.map((sum, quarter) =>
      sum.set(sum.addI32(channel.shiftLeft(2).load128(late + 16 * quarter))),
    )
  }

  /** Channels that are not zero. */
  get #seen(): { at: number; values: number; count: I32Local } {
    return { at: this.#at.seenAt, values: this.#at.seenValues, count: this.seen }
  }

  /** Scales of the group's 16 channels from all that is known; magnitudes start at zero, symbols at their means. */
  #startGroup(): Code {
    const at = this.#at
    const { channel, here } = this
    const group = this.#group
    const sums = this.#sums
    const zero = constant(0).splatI32()
    return [
      this.#stages?.startGroup(channel, this.active, this.#seen) ?? [],
      sums.map((sum, quarter) => sum.set(channel.shiftLeft(2).load128(at.bases + 16 * quarter))),
      at.stages === null ? [] : when(channel.atLeast(SCALE_STAGES[0]), this.#addLate(at.stages)),
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

  #findTable(): Code {
    return [this.#ranks.find(), this.table.set(this.#ranks.record.load32(RANK.table))]
  }

  /** Records a residual of zero. */
  putZero(): Code {
    return this.#ranks.learn(this.#ranks.record)
  }

  /** Records `residual`, which is not zero, of absolute value `magnitude`; changes magnitude. */
  put(): Code {
    const { channel, magnitude, here } = this
    const { record } = this.#ranks
    const index = this.#index
    const level = magnitude.shiftRight(record.load32(RANK.shift))
    return [
      index.set(level),
      index.set(either(index.below(DRIFT_LEVELS), index, DRIFT_LEVELS - 1)),
      this.#ranks.learn(record.plus(index.shiftLeft(2))),
      this.#setSymbol(),
      magnitude.set(either(magnitude.below(MAGNITUDE_CAP), magnitude, MAGNITUDE_CAP)),
      here.plus(channel).store8(magnitude),
      append(this.#seen, channel.times(INPUT_BYTES), magnitude),
      this.#addToLater(),
    ]
  }

  /** What the channel is foretold to be, in sixteenths, until it is put. */
  mean(): I32 {
    return this.channel.shiftLeft(1).loadS16(this.#at.symbols)
  }

  #setSymbol(): Code {
    const { channel, residual } = this
    const symbol = this.#scale
    return [
      symbol.set(this.mean().plus(residual.times(SYMBOL_UNIT))),
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

  /** Features and symbols of this position become visible to later ones; the symbols of a split are turned back. */
  finish(): Code {
    const at = this.#at
    const { here } = this
    const layers = this.#layers
    const feature = (sum: V128): V128 =>
      sum.maxI32(constant(0).splatI32()).shiftRightI32(FEATURE_SHIFT).minI32(constant(FEATURE_CAP).splatI32())
    return [
      endList(at.seenValues, this.seen),
      layers.layer(at.features, [layers.listed(at.featureWeights, this.#seen)], (low, high, output, shift) =>
        here
          .plus(output.shiftLeft(1))
          .store128(feature(low).narrowI32(feature(high)), at.siteFeatures + 2 * shift),
      ),
      this.#turnBack(),
      Array.from({ length: at.means / 8 }, (_, eight) =>
        here.store128(constant(0).load128(at.symbols + 16 * eight), at.siteSymbols + 16 * eight),
      ),
      this.#chroma?.finishPosition(here) ?? [],
      this.#intra?.finish(here) ?? [],
      at.turn === null ? [] : (this.#intra?.silence(this.channel, this.active) ?? []),
    ]
  }

  /** In a split position: what later positions see as signed symbols, and what is given out, are those of the whole. */
  #turnBack(): Code {
    const { channel, active } = this
    return this.#turn === null
      ? []
      : [this.#turn.back(active), this.#intra?.takeTurned(channel, this.#at.symbols) ?? []]
  }
}

/** Frequency bounds of an entry of the table. */
export const bound = (table: I32, entry: I32 | number, after = 0): I32 =>
  typeof entry === 'number'
    ? table.load32(4 * (entry + after))
    : table.plus(entry.shiftLeft(2)).load32(4 * after)
/** Entries of a table, kept before it. */
export const sizeOf = (table: I32): I32 => table.minus(4).load32()
