/**
 * The encoder's path through the states of dependent quantization in the kernel (codec/trellis.ts): the same costs in the
 * same order of operations, both parities or two states to an instruction.
 */
import {
  doWhile,
  loopWhile,
  when,
  type F64Local,
  type FunctionScope,
  type I32Local,
  type V128Local,
} from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import {
  constant,
  doubles,
  either,
  eitherReal,
  float,
  type F64,
  type I32,
  type Real,
  type V128,
} from '../../lib/wasm-values'
import { SYMBOL_MAX, SYMBOL_UNIT } from '../context-model'
import { HALF_STEP, STATES } from '../dependent-quantization'
import { LATENTS } from '../weights'
import { COST_BYTES, FAR, GROUP, RANK, type KernelLayout, type TrellisLayout } from './layout'
import { sizeOf, type Position } from './position'

/** Half a step of a quantizer and a whole one, in steps of the model. */
export const HALF = HALF_STEP / SYMBOL_UNIT
export const STEP = 2 * HALF

/** The lower of the two magnitudes beside a distance, so that both can be coded. */
const lowest = (halfSteps: F64, quantizer: Real): I32 => {
  const low = halfSteps.plus(quantizer).times(0.5).truncated()
  return either(low.below(SYMBOL_MAX), low, SYMBOL_MAX - 1)
}

const inHalfSteps = (distance: F64): F64 => distance.times(SYMBOL_UNIT).dividedBy(HALF_STEP)

/** The code that looks back from later channels, and chooses. */
export class TrellisCode {
  readonly #at: KernelLayout
  readonly #trellis: TrellisLayout
  readonly #position: Position
  /** Not zero where a distance of the group is half a step or more. */
  readonly far: I32Local
  /** Not zero where a symbol of the group may not be zero. */
  readonly any: I32Local
  /** States after which the channel is odd, or FAR. */
  readonly decision: I32Local
  readonly #isFar: I32Local
  readonly #denseBefore: I32Local
  readonly #index: I32Local
  /** The records of the channel's rank of both quantizers, as of the first. */
  readonly #records: readonly [I32Local, I32Local]
  readonly #low: I32Local
  readonly #halfSteps: F64Local
  readonly #evenCost: F64Local
  readonly #oddCost: F64Local
  readonly #zeroCost: F64Local
  /** Costs to go of states 0 and 1, and of 2 and 3. */
  readonly #first: V128Local
  readonly #second: V128Local
  readonly #distance: V128Local
  readonly #worth: V128Local
  /** Of each quantizer: even, then odd. */
  readonly #costs: readonly [V128Local, V128Local]
  /** Costs from states 0 and 1, and from 2 and 3, if the channel is even or odd. */
  readonly #evens: readonly [V128Local, V128Local]
  readonly #odds: readonly [V128Local, V128Local]

  constructor(at: KernelLayout, trellis: TrellisLayout, position: Position, scope: FunctionScope) {
    this.#at = at
    this.#trellis = trellis
    this.#position = position
    this.far = scope.i32()
    this.any = scope.i32()
    this.decision = scope.i32()
    this.#isFar = scope.i32()
    this.#denseBefore = scope.i32()
    this.#index = scope.i32()
    const record = scope.i32()
    this.#records = at.calibration === null ? [record, record] : [record, scope.i32()]
    this.#low = scope.i32()
    this.#halfSteps = scope.f64()
    this.#evenCost = scope.f64()
    this.#oddCost = scope.f64()
    this.#zeroCost = scope.f64()
    this.#first = scope.v128()
    this.#second = scope.v128()
    this.#distance = scope.v128()
    this.#worth = scope.v128()
    this.#costs = [scope.v128(), scope.v128()]
    this.#evens = [scope.v128(), scope.v128()]
    this.#odds = [scope.v128(), scope.v128()]
  }

  /**
   * Keeps distances and ranks of a group's channels, whose first latent is at `y`. Ranks hold until a channel adds to the
   * scales. Sets `far`.
   */
  see(y: I32): Code {
    const { channel } = this.#position
    const { distances } = this.#trellis
    const [means, pair, far] = [this.#first, this.#second, this.far]
    const seePair = (latents: V128, mean: V128, two: number): Code => [
      pair.set(
        latents
          .promoteLowF32()
          .subF64(mean.lowI32ToF64().timesF64(doubles(1 / SYMBOL_UNIT, 1 / SYMBOL_UNIT)))
          .absF64(),
      ),
      channel.shiftLeft(3).store128(pair, distances + 16 * two),
      far.set(far.or(pair.atLeastF64(doubles(HALF, HALF)).mask64())),
    ]
    return [
      far.set(0),
      [0, 1, 2, 3].map((quarter) => {
        const latents = y.load128(16 * quarter)
        return [
          means.set(
            channel
              .shiftLeft(1)
              .load64(this.#at.symbols + 8 * quarter)
              .extendLowI16(),
          ),
          seePair(latents, means, 2 * quarter),
          seePair(latents.interleaveHigh64(latents), means.interleaveHigh64(means), 2 * quarter + 1),
        ]
      }),
      this.#position.ranks.keepAll(this.#trellis),
      this.#denseBefore.set(this.#position.dense),
    ]
  }

  /** Keeps the rank of the channel once more if channels of the group moved it. */
  keepRank(): Code {
    const { dense, ranks } = this.#position
    return when(this.#denseBefore.isNot(dense), ranks.keep(this.#trellis))
  }

  /** The record of the channel's rank, of the first quantizer, as it is kept. */
  get record(): I32 {
    return this.#position.channel.shiftLeft(2).load32(this.#trellis.records)
  }

  /** That of the channel, as it was seen. */
  get distance(): F64 {
    return this.#position.channel.shiftLeft(3).loadF64(this.#trellis.distances)
  }

  /** No group is planned: ranks are found one by one. */
  planNothing(): Code {
    return [this.any.set(1), this.#denseBefore.set(-1)]
  }

  /** Finds rank and table of the channel of a planned group. */
  findTable(): Code {
    const { channel, dense, ranks } = this.#position
    const { decision } = this
    const decided = channel.and(GROUP - 1).loadU8(this.#trellis.decisions)
    return [
      when(
        this.#denseBefore.is(dense),
        [ranks.recall(this.#trellis), decision.set(decided)],
        [ranks.find(), decision.set(FAR)],
      ),
      this.#position.lookUpTable(),
    ]
  }

  /** Finds rank and table of a channel as it was seen. */
  recallTable(): Code {
    return [this.#position.ranks.recall(this.#trellis), this.#position.lookUpTable()]
  }

  /** Plans all channels that were seen. */
  planAll(worth: F64): Code {
    const { plan } = this.#trellis
    const index = this.#index
    return [
      this.#startLooking(worth, doubles(0, 0), doubles(0, 0)),
      index.set(this.#position.active),
      this.#keep(index.times(COST_BYTES / GROUP), plan),
      loopWhile(index.above(0), [
        index.increase(-1),
        this.#lookBack(),
        when(index.and(GROUP - 1).is(0), this.#keep(index.times(COST_BYTES / GROUP), plan)),
      ]),
    ]
  }

  /** Before a group's channels, whose first latent is at `y`: costs to go within it, then by the plan; sets `any`. */
  planGroup(y: I32, worth: F64): Code {
    const { channel } = this.#position
    const { plan, toGo } = this.#trellis
    const index = this.#index
    const next = channel.times(COST_BYTES / GROUP)
    const load = (half: number): V128 => next.load128(plan + COST_BYTES + 16 * half)
    const place = index.and(GROUP - 1).times(COST_BYTES)
    return [
      this.see(y),
      this.any.set(0),
      this.#startLooking(worth, load(0), load(1)),
      this.#keep(constant(GROUP * COST_BYTES), toGo),
      index.set(channel.plus(GROUP)),
      doWhile(
        [index.increase(-1), this.#lookBack(), this.#keepDecision(), this.#keep(place, toGo)],
        index.and(GROUP - 1).isNot(0),
      ),
    ]
  }

  #startLooking(worth: F64, first: V128, second: V128): Code {
    return [this.#first.set(first), this.#second.set(second), this.#worth.set(worth.splat())]
  }

  #keep(place: I32, region: number): Code {
    return [place.store128(this.#first, region), place.store128(this.#second, region + 16)]
  }

  /** From the costs to go after channel `index` to those before it. */
  #lookBack(): Code {
    const { distances, records, lift } = this.#trellis
    const index = this.#index
    const [first, second, distance] = [this.#first, this.#second, this.#distance]
    const [one, other] = this.#costs
    const [evens, odds] = [this.#evens, this.#odds]
    const evenOf = (costs: V128): V128 => costs.interleaveLow64(costs)
    const oddOf = (costs: V128): V128 => costs.interleaveHigh64(costs)
    const seen = index.shiftLeft(3).loadF64(distances)
    return [
      this.#records.map((record, quantizer) =>
        quantizer === 1 && record === this.#records[0]
          ? []
          : record.set(index.shiftLeft(2).load32(records + quantizer * lift)),
      ),
      distance.set(index.shiftLeft(3).load64Splat(distances)),
      when(
        seen.below(HALF),
        [this.#isFar.set(0), this.#weighSmall(0, STEP), this.#weighSmall(1, HALF)],
        [this.#isFar.set(FAR), this.#halfSteps.set(inHalfSteps(seen)), this.#weigh(0), this.#weigh(1)],
      ),
      // After a state come states 0 or 2, or 2 or 0, or 1 or 3, or 3 or 1.
      evens[0].set(evenOf(one).addF64(first.interleaveLow64(second))),
      odds[0].set(oddOf(one).addF64(second.interleaveLow64(first))),
      evens[1].set(evenOf(other).addF64(first.interleaveHigh64(second))),
      odds[1].set(oddOf(other).addF64(second.interleaveHigh64(first))),
      first.set(evens[0].lowerF64(odds[0])),
      second.set(evens[1].lowerF64(odds[1])),
    ]
  }

  #keepDecision(): Code {
    const { any } = this
    const [evens, odds, decision] = [this.#evens, this.#odds, this.#low]
    const isOdd = (half: 0 | 1): I32 => odds[half].belowF64(evens[half]).mask64()
    return [
      decision.set(isOdd(0).or(isOdd(1).shiftLeft(2)).or(this.#isFar)),
      any.set(any.or(decision)),
      this.#index.and(GROUP - 1).store8(decision, this.#trellis.decisions),
    ]
  }

  /** Costs of two magnitudes that are so far apart from the distance. */
  #cost(errors: V128Local, bits: V128): V128 {
    return errors.timesF64(errors).timesF64(this.#worth).addF64(bits.promoteLowF32())
  }

  /** Of a distance below half a step: 0 and 1, which is restored as `one` steps. */
  #weighSmall(quantizer: 0 | 1, one: number): Code {
    const costs = this.#costs[quantizer]
    const bits = this.#records[quantizer].load64(RANK.bits + quantizer * this.#trellis.lift)
    return [costs.set(this.#distance.subF64(doubles(0, one))), costs.set(this.#cost(costs, bits))]
  }

  /** The magnitudes beside the distance, and zero. */
  #weigh(quantizer: 0 | 1): Code {
    const [record, low, distance] = [this.#records[quantizer], this.#low, this.#distance]
    const costs = this.#costs[quantizer]
    const shift = quantizer * this.#trellis.lift
    const table = record.load32(RANK.table + shift)
    const last = sizeOf(table).minus(1)
    const bits = table.plus(either(low.below(last), low, last).shiftLeft(2)).load64(this.#at.bitsAfter)
    const isOdd = constant(0).minus(low.and(1)).splatI32()
    const lower = low
      .toF64()
      .times(STEP)
      .minus(quantizer * HALF)
    return [
      low.set(lowest(this.#halfSteps, quantizer)),
      costs.set(distance.subF64(lower.splat().addF64(doubles(0, STEP)))),
      costs.set(this.#cost(costs, bits)),
      costs.set(costs.swapped64().where(isOdd, costs)),
      costs.set(costs.lowerF64(this.#cost(distance, record.load64(RANK.bitsOfZero + shift)))),
    ]
  }

  /** Sets the magnitude of the channel, after findTable. */
  choose(distance: F64Local, worth: F64): Code {
    const { magnitude, states } = this.#position
    return when(
      this.decision.and(FAR),
      [distance.set(this.distance), this.#weighAndChoose(distance, worth)],
      magnitude.set(this.decision.shiftRightUnsigned(states!.word.and(STATES - 1)).and(1)),
    )
  }

  #weighAndChoose(distance: F64Local, worth: F64): Code {
    const { magnitude, table, channel } = this.#position
    const { record } = this.#position.ranks
    const { word, isSecond } = this.#position.states!
    const [low, evenCost, oddCost, zeroCost] = [this.#low, this.#evenCost, this.#oddCost, this.#zeroCost]
    const later = channel.and(GROUP - 1).times(COST_BYTES)
    // Costs are by state: 8 bytes times the bits that come after an even magnitude, 16 more or less after an odd one.
    const even = word.and(24)
    const toGo = (after: I32): F64 => later.plus(after).loadF64(this.#trellis.toGo + COST_BYTES)
    const isLess = oddCost.plus(toGo(even.xor(16))).below(evenCost.plus(toGo(even)))
    const squared = (error: F64): F64 => error.times(error).times(worth)
    const set = (cost: F64Local, bits: F64, restored: F64): Code => [
      cost.set(distance.minus(restored)),
      cost.set(bits.plus(squared(cost))),
    ]
    const zeroBits = record.loadF32(RANK.bits)
    const quantizer = isSecond.toF64()
    const last = sizeOf(table).minus(1)
    const setAt = (cost: F64Local, coded: I32): Code =>
      set(
        cost,
        table.plus(either(coded.below(last), coded, last).shiftLeft(2)).loadF32(this.#at.bitsAfter),
        coded.toF64().times(STEP).minus(quantizer.times(HALF)),
      )
    return when(
      distance.below(HALF),
      [
        set(evenCost, zeroBits, float(0)),
        set(oddCost, record.loadF32(RANK.bits + 4), eitherReal(isSecond, HALF, STEP)),
        magnitude.set(isLess),
      ],
      [
        low.set(lowest(inHalfSteps(distance), quantizer)),
        magnitude.set(low.plus(low.and(1))),
        [setAt(evenCost, magnitude), setAt(oddCost, low.or(1))],
        zeroCost.set(zeroBits.plus(squared(distance))),
        when(zeroCost.below(evenCost), [evenCost.set(zeroCost), magnitude.set(0)]),
        magnitude.set(either(isLess, low.or(1), magnitude)),
      ],
    )
  }
}

/** Without a plan nothing is known of what comes after a group. */
export function clearPlan(memory: ArrayBuffer, { plan }: TrellisLayout): void {
  new Uint8Array(memory, plan, COST_BYTES * (LATENTS / GROUP + 1)).fill(0)
}
