/**
 * The entropy coder's inner loops as WebAssembly SIMD, position by position: the same integers as TileContext, the same
 * bytes as rans.ts. The scale of a channel is gathered, not scattered: sources of scale that are not zero stand in a list, and a
 * group of 16 channels sums its weights over the list when its turn comes, two rows to an instruction. Channels of the
 * group itself are added to the scales as they become known.
 */
import {
  constant,
  doWhile,
  either,
  float,
  giveBack,
  loopWhile,
  wasmFunction,
  when,
  type Code,
  type F64,
  type FunctionScope,
  type I32,
  type I32Local,
  type V128,
  type V128Local,
  type WasmFunction,
} from '../lib/wasm-assembler'
import {
  FEATURE_CAP,
  FEATURE_SHIFT,
  HIDDEN_CAP,
  HIGH_ENTRIES,
  LOW_RANGE,
  LOW_SHIFT,
  MAGNITUDE_CAP,
  MEAN_HALF,
  MEAN_SHIFT,
  NEIGHBOURS,
  SCALE_BITS,
  SYMBOL_MAX,
  SYMBOL_UNIT,
} from './context-model'
import { GROUP, LOW_ENTRIES, PAIR_BYTES, ROW_BYTES, STATE, type KernelLayout } from './kernel-layout'
import { LOWER, PRECISION_BITS } from './rans'
import { BITS_PER_SQUARED_STEP } from './symbol-choice'
import { LATENTS } from './weights'

/** What decode gives back. */
export const DECODED = { ok: 0, rawCut: 1, rawRange: 2 } as const

const SYMBOL_LIMIT = SYMBOL_MAX * SYMBOL_UNIT
const QUARTERS = [0, 1, 2, 3] as const
const state = constant(0)

type Four = readonly [V128Local, V128Local, V128Local, V128Local]
const four = (scope: FunctionScope): Four => [scope.v128(), scope.v128(), scope.v128(), scope.v128()]

/** Adds to 16 sums the rows at `weights` + at[i] times values[i]; the list has an even length, padded by a zero value. */
class RowSums {
  readonly #first: I32Local
  readonly #second: I32Local
  readonly #index: I32Local
  readonly #pair: V128Local
  readonly #low: V128Local
  readonly #high: V128Local

  constructor(scope: FunctionScope) {
    this.#first = scope.i32()
    this.#second = scope.i32()
    this.#index = scope.i32()
    this.#pair = scope.v128()
    this.#low = scope.v128()
    this.#high = scope.v128()
  }

  add(sums: Four, weights: I32, at: number, values: number, count: I32): Code {
    const [first, second, index] = [this.#first, this.#second, this.#index]
    const [pair, low, high] = [this.#pair, this.#low, this.#high]
    const half = (offset: number, a: V128Local, b: V128Local): Code => [
      low.set(first.load128(offset)),
      high.set(second.load128(offset)),
      a.set(a.addI32(low.interleaveLowI16(high).dotI16(pair))),
      b.set(b.addI32(low.interleaveHighI16(high).dotI16(pair))),
    ]
    return [
      index.set(0),
      loopWhile(index.below(count), [
        pair.set(index.shiftLeft(1).load32Splat(values)),
        first.set(weights.plus(index.shiftLeft(2).load32(at))),
        second.set(weights.plus(index.shiftLeft(2).load32(at + 4))),
        half(0, sums[0], sums[1]),
        half(16, sums[2], sums[3]),
        index.increase(2),
      ]),
    ]
  }
}

/** Appends to a list without a branch; an entry of value zero is overwritten by the next. */
function append(list: { at: number; values: number; count: I32Local }, address: I32, value: I32Local): Code {
  return [
    list.count.shiftLeft(2).store32(address, list.at),
    list.count.shiftLeft(1).store16(value, list.values),
    list.count.increase(value.isNot(0)),
  ]
}

/** The list's length may be odd: the entry after the last counts for nothing. */
const endList = (values: number, count: I32Local): Code => count.shiftLeft(1).store16(0, values)

/**
 * begin(west, north, northWest, northEast, active) -> rows in the list. Predicts the means into `symbols` and lists the
 * sources of scale that neighbours give.
 */
function beginFunction(at: KernelLayout): WasmFunction {
  return wasmFunction('begin', 5, (given, scope) => {
    const neighbours = given.slice(0, NEIGHBOURS)
    const active = given[4]!
    const [count, value, index, weights] = [scope.i32(), scope.i32(), scope.i32(), scope.i32()]
    const sums = four(scope)
    const splat = scope.v128()
    const zero = constant(0).splatI32()

    const listPairs: Code = [
      count.set(0),
      neighbours.map((site, tap) => [
        index.set(0),
        doWhile(
          [
            value.set(site.plus(index.shiftLeft(2)).load32(at.siteSymbols)),
            count.shiftLeft(2).store32(index.plus((tap * at.means) / 2).times(PAIR_BYTES), at.pairAt),
            count.shiftLeft(2).store32(value, at.pairValues),
            count.increase(value.isNot(0)),
            index.increase(1),
          ],
          index.below(at.means / 2),
        ),
      ]),
    ]
    const sumPairs = (group: number): Code => [
      sums.map((sum) => sum.set(zero)),
      index.set(0),
      loopWhile(index.below(count), [
        splat.set(index.shiftLeft(2).load32Splat(at.pairValues)),
        weights.set(index.shiftLeft(2).load32(at.pairAt)),
        sums.map((sum, quarter) =>
          sum.set(
            sum.addI32(
              weights.load128(at.pairWeights + group * at.pairs * PAIR_BYTES + 16 * quarter).dotI16(splat),
            ),
          ),
        ),
        index.increase(1),
      ]),
    ]
    const hiddenGroup = (group: number): Code => [
      sumPairs(group),
      sums.map((sum, quarter) =>
        constant(0).store128(
          sum.shiftRightI32(MEAN_SHIFT).maxI32(zero),
          at.hiddenValues + 4 * GROUP * group + 16 * quarter,
        ),
      ),
    ]
    const limit = (bound: number): V128 => constant(bound).splatI32()
    const half = limit(MEAN_HALF)
    const meanOf = (sum: V128Local, group: number, quarter: number): V128 =>
      sum
        .addI32(half)
        .shiftRightI32(MEAN_SHIFT)
        .timesI32(constant(0).load128(at.meanGain + 4 * GROUP * group + 16 * quarter))
        .addI32(half)
        .shiftRightI32(MEAN_SHIFT)
        .minI32(limit(SYMBOL_LIMIT))
        .maxI32(limit(-SYMBOL_LIMIT))
    const meanGroup = (group: number): Code => {
      const store = (offset: number, eight: V128): Code =>
        constant(0).store128(eight, at.symbols + ROW_BYTES * group + offset)
      return when(
        active.below(GROUP * group + 1),
        [store(0, zero), store(16, zero)],
        [
          sumPairs(at.hidden / GROUP + group),
          index.set(0),
          doWhile(
            [
              value.set(index.shiftLeft(2).load32(at.hiddenValues)),
              when(value.isNot(0), [
                splat.set(value.splatI32()),
                weights.set(index.times(4 * at.means)),
                sums.map((sum, quarter) =>
                  sum.set(
                    sum.addI32(
                      weights.load128(at.meanOut + 4 * GROUP * group + 16 * quarter).timesI32(splat),
                    ),
                  ),
                ),
              ]),
              index.increase(1),
            ],
            index.below(at.hidden),
          ),
          store(0, meanOf(sums[0], group, 0).narrowI32(meanOf(sums[1], group, 1))),
          store(16, meanOf(sums[2], group, 2).narrowI32(meanOf(sums[3], group, 3))),
        ],
      )
    }
    const rows = { at: at.rowAt, values: at.rowValues, count }
    const listRows: Code = [
      count.set(0),
      neighbours.map((site, tap) => [
        index.set(0),
        doWhile(
          [
            value.set(site.plus(index.shiftLeft(1)).loadU16(at.siteFeatures)),
            append(rows, index.plus(tap * at.features).times(ROW_BYTES), value),
            index.increase(1),
          ],
          index.below(at.features),
        ),
      ]),
      index.set(0),
      doWhile(
        [
          value.set(index.shiftLeft(2).load32(at.hiddenValues)),
          value.set(either(value.below(HIDDEN_CAP), value, HIDDEN_CAP)),
          append(rows, index.plus(NEIGHBOURS * at.features).times(ROW_BYTES), value),
          index.increase(1),
        ],
        index.below(at.hidden),
      ),
      endList(at.rowValues, count),
    ]
    return [
      listPairs,
      Array.from({ length: at.hidden / GROUP }, (_, group) => hiddenGroup(group)),
      Array.from({ length: at.means / GROUP }, (_, group) => meanGroup(group)),
      listRows,
      giveBack(count),
    ]
  })
}

/** What decode and encode share: (here, west, north, northWest, northEast, active, rows, ...). */
class Position {
  readonly here: I32Local
  readonly active: I32Local
  /** Entries of the row list, and of the list of channels that are not zero. */
  readonly rows: I32Local
  readonly seen: I32Local
  readonly channel: I32Local
  readonly table: I32Local
  readonly entry: I32Local
  readonly magnitude: I32Local
  readonly residual: I32Local
  readonly #neighbours: readonly I32Local[]
  readonly #group: I32Local
  readonly #scale: I32Local
  readonly #index: I32Local
  readonly #weights: I32Local
  readonly #sums: Four
  readonly #near: Four
  readonly #splat: V128Local
  readonly #row: V128Local
  readonly #rowSums: RowSums
  readonly #at: KernelLayout

  constructor(at: KernelLayout, given: readonly I32Local[], scope: FunctionScope) {
    this.#at = at
    this.here = given[0]!
    this.#neighbours = given.slice(1, 1 + NEIGHBOURS)
    this.active = given[5]!
    this.rows = given[6]!
    this.seen = scope.i32()
    this.channel = scope.i32()
    this.table = scope.i32()
    this.entry = scope.i32()
    this.magnitude = scope.i32()
    this.residual = scope.i32()
    this.#group = scope.i32()
    this.#scale = scope.i32()
    this.#index = scope.i32()
    this.#weights = scope.i32()
    this.#sums = four(scope)
    this.#near = four(scope)
    this.#splat = scope.v128()
    this.#row = scope.v128()
    this.#rowSums = new RowSums(scope)
  }

  /** Every active channel in turn; `code` finds `table` set, and puts what is not zero. */
  channels(code: Code): Code {
    const { channel } = this
    const group = this.#group
    return [
      [this.seen.set(0), channel.set(0), group.set(0)],
      loopWhile(channel.below(this.active), [
        this.#startGroup(),
        doWhile([this.#findTable(), code, channel.increase(1)], channel.and(GROUP - 1).isNot(0)),
        group.increase(1),
      ]),
      this.#finish(),
    ]
  }

  /** Scales of the group's 16 channels from all that is known; magnitudes and symbols start at zero. */
  #startGroup(): Code {
    const at = this.#at
    const { channel, here } = this
    const group = this.#group
    const near = this.#near
    const sums = this.#sums
    const zero = constant(0).splatI32()
    const weights = (pair: number, quarter: number): V128 =>
      channel.shiftLeft(2).load128(at.same + 2 * LATENTS * 2 * pair + 16 * quarter)
    const addSame = (pair: number, low: V128Local, high: V128Local): Code =>
      [
        low.interleaveLowI8(high).extendLowU8(),
        low.interleaveLowI8(high).extendHighU8(),
        low.interleaveHighI8(high).extendLowU8(),
        low.interleaveHighI8(high).extendHighU8(),
      ].map((magnitudes, quarter) => {
        const sum = sums[quarter]!
        return sum.set(sum.addI32(magnitudes.dotI16(weights(pair, quarter))))
      })
    return [
      sums.map((sum, quarter) => sum.set(channel.shiftLeft(2).load128(at.bias + 16 * quarter))),
      near.map((magnitudes, tap) => magnitudes.set(this.#neighbours[tap]!.plus(channel).load128())),
      [addSame(0, near[0], near[1]), addSame(1, near[2], near[3])],
      this.#weights.set(group.times(at.rows * ROW_BYTES).plus(at.rowWeights)),
      this.#rowSums.add(sums, this.#weights, at.rowAt, at.rowValues, this.rows),
      sums.map((sum, quarter) => constant(0).store128(sum, at.scales + 16 * quarter)),
      here.plus(channel).store128(zero),
      // The first symbols hold their means.
      when(channel.atLeast(at.means), [
        channel.shiftLeft(1).store128(zero, at.symbols),
        channel.shiftLeft(1).store128(zero, at.symbols + 16),
      ]),
    ]
  }

  #findTable(): Code {
    const at = this.#at
    const scale = this.#scale
    const index = this.#index
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
      this.table.set(index.shiftLeft(1).loadU16(at.tableOf).shiftLeft(2).plus(at.tables)),
    ]
  }

  /** Records `residual`, which is not zero, of absolute value `magnitude`; changes magnitude. */
  put(): Code {
    const at = this.#at
    const { channel, magnitude, residual, here } = this
    const index = this.#index
    const symbol = this.#scale
    const earlier = (NEIGHBOURS * at.features + at.hidden) * ROW_BYTES
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
    return [
      symbol.set(channel.shiftLeft(1).loadS16(at.symbols).plus(residual.times(SYMBOL_UNIT))),
      symbol.set(either(symbol.below(SYMBOL_LIMIT), symbol, SYMBOL_LIMIT)),
      symbol.set(either(symbol.below(-SYMBOL_LIMIT), -SYMBOL_LIMIT, symbol)),
      channel.shiftLeft(1).store16(symbol, at.symbols),
      magnitude.set(either(magnitude.below(MAGNITUDE_CAP), magnitude, MAGNITUDE_CAP)),
      here.plus(channel).store8(magnitude),
      append({ at: at.seenAt, values: at.seenValues, count: this.seen }, channel.times(ROW_BYTES), magnitude),
      when(channel.below(at.dense), [
        index.set(channel.times(ROW_BYTES).plus(earlier)),
        append({ at: at.rowAt, values: at.rowValues, count: this.rows }, index, magnitude),
        endList(at.rowValues, this.rows),
        splat.set(magnitude.splatI16()),
        [addEight(0), addEight(1)],
      ]),
    ]
  }

  /** Features and symbols of this position become visible to later ones. */
  #finish(): Code {
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
    ]
  }
}

/** Frequency bounds of an entry of the table. */
const bound = (table: I32, entry: I32 | number, after = 0): I32 =>
  typeof entry === 'number'
    ? table.load32(4 * (entry + after))
    : table.plus(entry.shiftLeft(2)).load32(4 * after)
/** Entries of a table, kept before it. */
const sizeOf = (table: I32): I32 => table.minus(4).load32()

/** decode(here, west, north, northWest, northEast, active, rows, out) -> DECODED. */
function decodeFunction(at: KernelLayout): WasmFunction {
  return wasmFunction('decode', 8, (given, scope) => {
    const position = new Position(at, given, scope)
    const out = given[7]!
    const { table, entry, magnitude, residual, active } = position
    const [coder, from, end, slot, first, high, middle] = [
      ...[scope.i32(), scope.i32(), scope.i32()],
      ...[scope.i32(), scope.i32(), scope.i32(), scope.i32()],
    ] as [I32Local, I32Local, I32Local, I32Local, I32Local, I32Local, I32Local]
    const [rawBit, rawEnd, raw, bit, zeros, excess] = [
      ...[scope.i32(), scope.i32(), scope.i32()],
      ...[scope.i32(), scope.i32(), scope.i32()],
    ] as [I32Local, I32Local, I32Local, I32Local, I32Local, I32Local]

    const readBit: Code = [
      when(rawBit.atLeast(rawEnd), giveBack(DECODED.rawCut)),
      bit.set(
        raw
          .plus(rawBit.shiftRight(3))
          .loadU8()
          .shiftRight(constant(7).minus(rawBit.and(7)))
          .and(1),
      ),
      rawBit.increase(1),
    ]
    const readGolomb: Code = [
      zeros.set(0),
      readBit,
      loopWhile(bit.is(0), [zeros.increase(1), when(zeros.atLeast(17), giveBack(DECODED.rawRange)), readBit]),
      excess.set(1),
      loopWhile(zeros.isNot(0), [readBit, excess.set(excess.shiftLeft(1).or(bit)), zeros.increase(-1)]),
      residual.increase(excess.minus(1)),
    ]
    // The first few entries hold nearly all the mass; a long alphabet is searched by halves.
    const search: Code = [
      entry.set(1),
      loopWhile(entry.below(4).and(slot.atLeast(bound(table, entry, 1))), entry.increase(1)),
      when(entry.is(4), [
        high.set(sizeOf(table).minus(1)),
        loopWhile(entry.below(high), [
          middle.set(entry.plus(high).shiftRight(1)),
          when(slot.atLeast(bound(table, middle, 1)), entry.set(middle.plus(1)), high.set(middle)),
        ]),
      ]),
    ]
    const renormalise: Code = loopWhile(coder.below(LOWER), [
      coder.set(coder.shiftLeft(8)),
      // Past the end zeros are read: the caller then finds that more was read than there is.
      when(from.below(end), coder.set(coder.or(from.loadU8()))),
      from.increase(1),
    ])
    const decodeOne: Code = [
      slot.set(coder.and((1 << PRECISION_BITS) - 1)),
      first.set(bound(table, 1)),
      when(
        slot.below(first),
        [coder.set(first.times(coder.shiftRight(PRECISION_BITS)).plus(slot)), renormalise],
        [
          search,
          first.set(bound(table, entry)),
          coder.set(
            bound(table, entry, 1)
              .minus(first)
              .times(coder.shiftRight(PRECISION_BITS))
              .plus(slot)
              .minus(first),
          ),
          renormalise,
          residual.set(entry),
          when(entry.is(sizeOf(table).minus(1)), readGolomb),
          magnitude.set(residual),
          readBit,
          when(bit, residual.set(constant(0).minus(residual))),
          position.put(),
        ],
      ),
    ]
    const index = zeros
    return [
      [
        coder.set(state.load32(STATE.coder)),
        from.set(state.load32(STATE.at)),
        end.set(state.load32(STATE.end)),
      ],
      [rawBit.set(state.load32(STATE.rawBit)), rawEnd.set(state.load32(STATE.rawEnd))],
      raw.set(state.load32(STATE.rawBytes)),
      position.channels(decodeOne),
      [state.store32(coder, STATE.coder), state.store32(from, STATE.at), state.store32(rawBit, STATE.rawBit)],
      index.set(0),
      loopWhile(index.below(active.shiftLeft(1)), [
        out.plus(index).store128(index.load128(at.symbols)),
        index.increase(16),
      ]),
      giveBack(DECODED.ok),
    ]
  })
}

/**
 * encode(here, west, north, northWest, northEast, active, rows, y, chosen, entries) -> address after the entries, each
 * start | frequency << 16. Chooses from y, in steps, or takes the residuals at `chosen` where that is not 0.
 */
function encodeFunction(at: KernelLayout): WasmFunction {
  return wasmFunction('encode', 10, (given, scope) => {
    const position = new Position(at, given, scope)
    const [, , , , , , , y, chosen, entries] = given as readonly [
      ...[I32Local, I32Local, I32Local, I32Local, I32Local, I32Local, I32Local],
      ...[I32Local, I32Local, I32Local],
    ]
    const { channel, table, entry, magnitude, residual } = position
    const [escape, start, length] = [scope.i32(), scope.i32(), scope.i32()]
    const [pending, count, raw] = [scope.i32(), scope.i32(), scope.i32()]
    const [value, distance, rest] = [scope.f64(), scope.f64(), scope.f64()]

    const writeBits = (bits: I32, n: I32 | number): Code => [
      pending.set(pending.shiftLeft(n).or(bits)),
      count.increase(n),
      loopWhile(count.atLeast(8), [
        count.increase(-8),
        raw.store8(pending.shiftRightUnsigned(count)),
        raw.increase(1),
      ]),
    ]
    const writeGolomb = (excess: I32): Code => [
      start.set(excess.plus(1)),
      length.set(constant(32).minus(start.leadingZeros())),
      writeBits(constant(0), length.minus(1)),
      writeBits(start, length),
    ]
    const bits = (after: number): F64 => table.plus(magnitude.shiftLeft(2)).loadF32(at.bitsAfter + 4 * after)
    /** As chooseMagnitude, from 0.5 on. */
    const choose: Code = [
      magnitude.set(distance.truncated()),
      when(
        magnitude.plus(1).atLeast(sizeOf(table).minus(1)),
        [
          magnitude.set(distance.plus(0.5).truncated()),
          magnitude.set(either(magnitude.below(SYMBOL_MAX), magnitude, SYMBOL_MAX)),
        ],
        [
          rest.set(distance.minus(magnitude.toF64())),
          magnitude.increase(
            rest
              .times(2)
              .minus(1)
              .times(BITS_PER_SQUARED_STEP)
              .above(bits(1).minus(bits(0))),
          ),
        ],
      ),
      residual.set(either(value.below(0), constant(0).minus(magnitude), magnitude)),
    ]
    const take: Code = [
      residual.set(channel.shiftLeft(1).plus(chosen).loadS16()),
      magnitude.set(either(residual.below(0), constant(0).minus(residual), residual)),
    ]
    const mean = channel.shiftLeft(1).loadS16(at.symbols)
    const encodeOne: Code = [
      when(chosen, take, [
        value.set(y.loadF32().minus(mean.toF64().times(1 / SYMBOL_UNIT))),
        distance.set(value.magnitude()),
        when(distance.below(0.5), magnitude.set(0), choose),
      ]),
      y.increase(4),
      when(
        magnitude,
        [
          escape.set(sizeOf(table).minus(1)),
          entry.set(either(magnitude.below(escape), magnitude, escape)),
          start.set(bound(table, entry)),
          entries.store32(bound(table, entry, 1).minus(start).shiftLeft(16).or(start)),
          when(entry.is(escape), writeGolomb(magnitude.minus(escape))),
          writeBits(residual.below(0), 1),
          position.put(),
        ],
        entries.store32(bound(table, 1).shiftLeft(16)),
      ),
      entries.increase(4),
    ]
    return [
      [pending.set(state.load32(STATE.rawPending)), count.set(state.load32(STATE.rawCount))],
      raw.set(state.load32(STATE.rawBytes)),
      position.channels(encodeOne),
      [state.store32(pending, STATE.rawPending), state.store32(count, STATE.rawCount)],
      state.store32(raw, STATE.rawBytes),
      giveBack(entries),
    ]
  })
}

/**
 * prepare(y, end) -> channels that are coded: all up to the last with some |y| of at least 0.5, in groups. Clips y to
 * what can be coded; NaN, which no picture gives, becomes a symbol too.
 */
function prepareFunction(): WasmFunction {
  return wasmFunction('prepare', 2, (given, scope) => {
    const [y, end] = given as readonly [I32Local, I32Local]
    const [active, channel] = [scope.i32(), scope.i32()]
    const [low, high, half, seen, values] = [
      ...[scope.v128(), scope.v128(), scope.v128(), scope.v128(), scope.v128()],
    ] as [V128Local, V128Local, V128Local, V128Local, V128Local]
    const clip = (quarter: number): Code => [
      values.set(high.lowerF32(low.higherF32(y.load128(16 * quarter)))),
      y.store128(values, 16 * quarter),
      seen.set(quarter === 0 ? values.absF32() : seen.maxF32(values.absF32())),
    ]
    return [
      [active.set(0), low.set(float(-SYMBOL_MAX).splatF32()), high.set(float(SYMBOL_MAX).splatF32())],
      half.set(float(0.5).splatF32()),
      loopWhile(y.below(end), [
        channel.set(0),
        doWhile(
          [
            QUARTERS.map(clip),
            y.increase(4 * GROUP),
            channel.increase(GROUP),
            when(channel.above(active), when(seen.atLeastF32(half).hasAny(), active.set(channel))),
          ],
          channel.below(LATENTS),
        ),
      ]),
      giveBack(active),
    ]
  })
}

/** code(entries, end, out) -> address of the first byte: ransEncode, written backwards to end at `out`. */
function codeFunction(): WasmFunction {
  return wasmFunction('code', 3, (given, scope) => {
    const [entries, end, out] = given as readonly [I32Local, I32Local, I32Local]
    const [coder, frequency, quotient, entry] = [scope.i32(), scope.i32(), scope.i32(), scope.i32()]
    const writeByte: Code = [out.increase(-1), out.store8(coder), coder.set(coder.shiftRightUnsigned(8))]
    return [
      coder.set(LOWER),
      loopWhile(entries.below(end), [
        end.increase(-4),
        entry.set(end.load32()),
        frequency.set(entry.shiftRightUnsigned(16)),
        loopWhile(coder.atLeastUnsigned(frequency.shiftLeft(15)), writeByte),
        quotient.set(coder.dividedBy(frequency)),
        coder.set(
          quotient
            .shiftLeft(PRECISION_BITS)
            .plus(coder.minus(quotient.times(frequency)))
            .plus(entry.and(0xffff)),
        ),
      ]),
      QUARTERS.map(() => writeByte),
      giveBack(out),
    ]
  })
}

export function kernelFunctions(layout: KernelLayout): WasmFunction[] {
  return [
    beginFunction(layout),
    decodeFunction(layout),
    encodeFunction(layout),
    prepareFunction(),
    codeFunction(),
  ]
}
