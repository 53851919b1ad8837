/**
 * The encoder's path through the states of dependent quantization: what every channel costs (bits, and squared error
 * times its worth) plus the least that the channels after it cost from the state it leads to.
 *
 * Contexts depend on the symbols chosen, so the tables of later channels are not known. A *survey* of the position with
 * one quantizer alone foretells them, from which the *plan* is made backwards. Then the position begins again, and the
 * channels of every group are planned once more with what is known at its start, up to the plan of the next group.
 *
 * All in float64, in the order written: the kernel must choose the same.
 */
import { SYMBOL_MAX, SYMBOL_UNIT } from './context-model'
import { HALF_STEP, NEXT, quantizerOf, reconstruct, STATES, type Quantizer } from './dependent-quantization'
import type { TableBank } from './entropy-tables'
import { chooseMagnitude } from './symbol-choice'
import type { TileContext } from './tile-context'
import { LATENTS } from './weights'

/** Channels that are planned again together. */
const TRELLIS_GROUP = 16
/** A step of one quantizer, in steps of the model. */
const OWN_STEP = (2 * HALF_STEP) / SYMBOL_UNIT

/** Chooses the magnitudes of a tile, position by position. */
export class Trellis {
  readonly #bank: TableBank
  readonly #worth: number
  readonly #active: number
  readonly #plans: boolean
  /** Least cost of a channel and those after it, [768 + 1, states]. */
  readonly #toGo = new Float64Array((LATENTS + 1) * STATES)
  /** Of a position: distances |y - mean| in steps [768] and tables of both quantizers [768, 2]. */
  readonly #distances = new Float64Array(LATENTS)
  readonly #tables = new Int32Array(2 * LATENTS)
  /** Best magnitudes of a quantizer and their costs, by parity. */
  readonly #best = new Int32Array(2)
  readonly #costs = new Float64Array(2)

  /** `worth`: bits that a unit of squared error is worth, a float32. `plans`: false looks no further than a group. */
  constructor(bank: TableBank, worth: number, active: number, plans: boolean) {
    this.#bank = bank
    this.#worth = worth
    this.#active = active
    this.#plans = plans
  }

  /** The context has just started the position whose latents y [active], in steps, lie from `at` on; it starts again. */
  start(context: TileContext, y: Float32Array, at: number): void {
    this.#toGo.fill(0)
    if (!this.#plans) return
    const { bits, from, size } = this.#bank
    for (let c = 0; c < this.#active; c++) {
      const mean = context.mean(c)
      const value = y[at + c]! - mean / SYMBOL_UNIT
      this.#see(context, c, value)
      const table = this.#tables[2 * c]!
      const worth = this.#worth * (OWN_STEP * OWN_STEP)
      const distance = this.#distances[c]! / OWN_STEP
      const magnitude = chooseMagnitude(distance, bits, from[table]!, size[table]!, worth)
      context.try(c, value < 0 ? -magnitude : magnitude, mean)
    }
    this.#lookBack(0, this.#active)
    context.startAgain()
  }

  /** Magnitude of channel c for a distance |y - mean| in steps, with its table; the context is at this channel. */
  choose(context: TileContext, c: number, y: Float32Array, at: number, distance: number): number {
    if (c % TRELLIS_GROUP === 0) this.#planGroup(context, c, y, at)
    const { state } = context
    this.#weigh(distance, quantizerOf(state), context.table(c))
    const [even, odd] = NEXT[state]!
    const later = (c + 1) * STATES
    const evenCost = this.#costs[0]! + this.#toGo[later + even]!
    const oddCost = this.#costs[1]! + this.#toGo[later + odd]!
    return this.#best[oddCost < evenCost ? 1 : 0]!
  }

  #planGroup(context: TileContext, first: number, y: Float32Array, at: number): void {
    const end = first + TRELLIS_GROUP
    for (let c = first; c < end; c++) this.#see(context, c, y[at + c]! - context.mean(c) / SYMBOL_UNIT)
    this.#lookBack(first, end)
  }

  #see(context: TileContext, c: number, value: number): void {
    this.#distances[c] = value < 0 ? -value : value
    for (const quantizer of [0, 1] as const) this.#tables[2 * c + quantizer] = context.table(c, quantizer)
  }

  /** Costs to go of channels `from` to before `to`, from those at `to`. */
  #lookBack(from: number, to: number): void {
    const toGo = this.#toGo
    for (let c = to - 1; c >= from; c--) {
      const [row, later] = [c * STATES, (c + 1) * STATES]
      for (let state = 0; state < STATES; state++) {
        if ((state & 1) === 0) {
          const quantizer = quantizerOf(state)
          this.#weigh(this.#distances[c]!, quantizer, this.#tables[2 * c + quantizer]!)
        }
        const [even, odd] = NEXT[state]!
        const evenCost = this.#costs[0]! + toGo[later + even]!
        const oddCost = this.#costs[1]! + toGo[later + odd]!
        toGo[row + state] = oddCost < evenCost ? oddCost : evenCost
      }
    }
  }

  /** The best magnitude of each parity among both neighbours of the distance and zero. */
  #weigh(distance: number, quantizer: Quantizer, table: number): void {
    const halfSteps = (distance * SYMBOL_UNIT) / HALF_STEP
    // Both can be coded.
    const low = Math.min(SYMBOL_MAX - 1, Math.floor((halfSteps + quantizer) / 2))
    this.#costs.fill(Infinity)
    this.#consider(low, distance, quantizer, table)
    this.#consider(low + 1, distance, quantizer, table)
    if (low > 0) this.#consider(0, distance, quantizer, table)
  }

  #consider(magnitude: number, distance: number, quantizer: Quantizer, table: number): void {
    const { bits, from, size } = this.#bank
    const entry = Math.min(magnitude, size[table]! - 1)
    const error = distance - reconstruct(quantizer, magnitude) / SYMBOL_UNIT
    const cost = bits[from[table]! + entry]! + this.#worth * (error * error)
    const parity = magnitude & 1
    if (!(cost < this.#costs[parity]!)) return
    this.#costs[parity] = cost
    this.#best[parity] = magnitude
  }
}
