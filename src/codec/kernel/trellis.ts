/**
 * The encoder's path through the states of dependent quantization in the kernel (codec/trellis.ts): the same costs in the
 * same order of operations, both parities or two states to an instruction.
 */
import {
  doWhile,
  giveBack,
  loopWhile,
  wasmFunction,
  when,
  type F64Local,
  type FunctionScope,
  type I32Local,
  type V128Local,
  type WasmFunction,
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
import { HALF_STEP } from '../dependent-quantization'
import { LATENTS } from '../weights'
import { COST_BYTES, GROUP, RANK, STATE, type KernelLayout, type TrellisLayout } from './layout'
import { Position, sizeOf, state } from './position'

const HALF = HALF_STEP / SYMBOL_UNIT
const STEP = 2 * HALF

/** Sets the magnitude as chooseMagnitude does from 0.5 on; the position's table is known. */
export function chooseMagnitude(
  at: KernelLayout,
  { table, magnitude }: Position,
  value: F64Local,
  worth: F64,
  scope: FunctionScope,
): Code {
  const rest = scope.f64()
  const bits = (after: number): F64 => table.plus(magnitude.shiftLeft(2)).loadF32(at.bitsAfter + 4 * after)
  return [
    magnitude.set(value.truncated()),
    when(
      magnitude.plus(1).atLeast(sizeOf(table).minus(1)),
      [
        magnitude.set(value.plus(0.5).truncated()),
        magnitude.set(either(magnitude.below(SYMBOL_MAX), magnitude, SYMBOL_MAX)),
      ],
      [
        rest.set(value.minus(magnitude.toF64())),
        magnitude.increase(
          rest
            .times(2)
            .minus(1)
            .times(worth)
            .above(bits(1).minus(bits(0))),
        ),
      ],
    ),
  ]
}

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
  readonly #index: I32Local
  readonly #record: I32Local
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

  constructor(at: KernelLayout, trellis: TrellisLayout, position: Position, scope: FunctionScope) {
    this.#at = at
    this.#trellis = trellis
    this.#position = position
    this.#index = scope.i32()
    this.#record = scope.i32()
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
  }

  /** Keeps what the costs of the channel need; the position's rank is that of the first quantizer. */
  see(distance: F64): Code {
    const { channel, rank } = this.#position
    return [
      channel.shiftLeft(3).storeF64(distance, this.#trellis.distances),
      channel.shiftLeft(2).store32(rank, this.#trellis.records),
    ]
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

  /** Before a group's channels, whose first latent is at `y`: costs to go within it, then by the plan. */
  planGroup(y: I32, worth: F64): Code {
    const { channel } = this.#position
    const { plan, toGo } = this.#trellis
    const index = this.#index
    const next = channel.times(COST_BYTES / GROUP)
    const load = (half: number): V128 => next.load128(plan + COST_BYTES + 16 * half)
    const place = index.and(GROUP - 1).times(COST_BYTES)
    return [
      this.#seeGroup(y),
      this.#startLooking(worth, load(0), load(1)),
      this.#keep(constant(GROUP * COST_BYTES), toGo),
      index.set(channel.plus(GROUP)),
      doWhile([index.increase(-1), this.#lookBack(), this.#keep(place, toGo)], index.and(GROUP - 1).isNot(0)),
    ]
  }

  #seeGroup(y: I32): Code {
    const { channel } = this.#position
    const latent = y.plus(channel.and(GROUP - 1).shiftLeft(2)).loadF32()
    return [
      doWhile(
        [
          this.#position.findRank(),
          this.see(
            latent
              .minus(
                this.#position
                  .mean()
                  .toF64()
                  .times(1 / SYMBOL_UNIT),
              )
              .magnitude(),
          ),
          channel.increase(1),
        ],
        channel.and(GROUP - 1).isNot(0),
      ),
      channel.increase(-GROUP),
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
    const { distances, records } = this.#trellis
    const index = this.#index
    const [first, second, distance] = [this.#first, this.#second, this.#distance]
    const [one, other] = this.#costs
    const evenOf = (costs: V128): V128 => costs.interleaveLow64(costs)
    const oddOf = (costs: V128): V128 => costs.interleaveHigh64(costs)
    const seen = index.shiftLeft(3).loadF64(distances)
    return [
      this.#record.set(index.shiftLeft(2).load32(records)),
      distance.set(index.shiftLeft(3).load64Splat(distances)),
      when(
        seen.below(HALF),
        [this.#weighSmall(0, STEP), this.#weighSmall(1, HALF)],
        [this.#halfSteps.set(inHalfSteps(seen)), this.#weigh(0), this.#weigh(1)],
      ),
      // After a state come states 0 or 2, or 2 or 0, or 1 or 3, or 3 or 1.
      distance.set(
        evenOf(one)
          .addF64(first.interleaveLow64(second))
          .lowerF64(oddOf(one).addF64(second.interleaveLow64(first))),
      ),
      second.set(
        evenOf(other)
          .addF64(first.interleaveHigh64(second))
          .lowerF64(oddOf(other).addF64(second.interleaveHigh64(first))),
      ),
      first.set(distance),
    ]
  }

  /** Costs of two magnitudes that are so far apart from the distance. */
  #cost(errors: V128Local, bits: V128): V128 {
    return errors.timesF64(errors).timesF64(this.#worth).addF64(bits.promoteLowF32())
  }

  /** Of a distance below half a step: 0 and 1, which is restored as `one` steps. */
  #weighSmall(quantizer: 0 | 1, one: number): Code {
    const costs = this.#costs[quantizer]
    const bits = this.#record.load64(RANK.bits + quantizer * this.#trellis.lift)
    return [costs.set(this.#distance.subF64(doubles(0, one))), costs.set(this.#cost(costs, bits))]
  }

  /** The magnitudes beside the distance, and zero. */
  #weigh(quantizer: 0 | 1): Code {
    const [record, low, distance] = [this.#record, this.#low, this.#distance]
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

  /** Sets the magnitude of the channel, whose rank and table are known. */
  choose(distance: F64Local, worth: F64): Code {
    const { magnitude, rank, table, channel } = this.#position
    const { now, then } = this.#position.states!
    const [low, evenCost, oddCost, zeroCost] = [this.#low, this.#evenCost, this.#oddCost, this.#zeroCost]
    const later = channel
      .and(GROUP - 1)
      .times(COST_BYTES)
      .plus(now.and(8))
    const toGo = (after: I32): F64 => later.plus(after.and(16)).loadF64(this.#trellis.toGo + COST_BYTES)
    const isLess = oddCost.plus(toGo(then.xor(-1))).below(evenCost.plus(toGo(then)))
    const squared = (error: F64): F64 => error.times(error).times(worth)
    const set = (cost: F64Local, bits: F64, restored: F64): Code => [
      cost.set(distance.minus(restored)),
      cost.set(bits.plus(squared(cost))),
    ]
    const zeroBits = rank.loadF32(RANK.bits)
    const quantizer = now.and(1).toF64()
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
        set(oddCost, rank.loadF32(RANK.bits + 4), eitherReal(now, HALF, STEP)),
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

/**
 * survey(here, active, y) -> 0. Passes over a position that has begun with the first quantizer alone, plans by what it
 * sees, and begins the position again.
 */
export function surveyFunction(at: KernelLayout, trellis: TrellisLayout): WasmFunction {
  return wasmFunction('survey', 3, (given, scope) => {
    const position = new Position(at, given, scope)
    const y = given[2]!
    const { magnitude, residual } = position
    const code = new TrellisCode(at, trellis, position, scope)
    const [value, distance, worth, ownWorth] = [scope.f64(), scope.f64(), scope.f64(), scope.f64()]
    const copyMeans = (from: number, to: number): Code =>
      Array.from({ length: at.means / 8 }, (_, eight) =>
        constant(0).store128(constant(0).load128(from + 16 * eight), to + 16 * eight),
      )
    const surveyOne: Code = [
      value.set(
        y.loadF32().minus(
          position
            .mean()
            .toF64()
            .times(1 / SYMBOL_UNIT),
        ),
      ),
      distance.set(value.magnitude()),
      code.see(distance),
      y.increase(4),
      when(distance.below(HALF).is(0), [
        distance.set(distance.dividedBy(STEP)),
        chooseMagnitude(at, position, distance, ownWorth, scope),
        when(magnitude, [
          residual.set(either(value.below(0), constant(0).minus(magnitude), magnitude)),
          position.putForSurvey(),
        ]),
      ]),
    ]
    return [
      [worth.set(state.loadF32(STATE.worth)), ownWorth.set(worth.times(STEP * STEP))],
      copyMeans(at.symbols, trellis.means),
      position.channels(surveyOne),
      copyMeans(trellis.means, at.symbols),
      position.startAgain(),
      code.planAll(worth),
      giveBack(0),
    ]
  })
}
