/**
 * The encoder's choice of splits. What a transform would cost is guessed from its luma alone: the sum over symbols before
 * rounding of log2(1 + |symbol|), which falls as a transform gathers what is there in fewer of them. The fast encoder goes
 * by this; the best one tries every candidate in the coder (split-trial.ts).
 *
 * All is in float32, in an order that the kernel (kernel/split.ts) keeps: both choose the same. A logarithm is that of the
 * product over half a column, whose exponent and fraction serve as they are.
 */
import { SPLIT_BITS, SPLITS, splitsColumns, splitsRows, type SplitModel } from './split-model'
import { LATENTS } from '../weights'

const SIDE = 16
const FREQUENCIES = SIDE * SIDE
/** Rows of a product. */
export const GUESS_ROWS = 8
/** From the bits of a float32 to units of 2^-8. */
export const GUESS_SHIFT = 15
const ONE = 127 << (23 - GUESS_SHIFT)
const BIT = 256
/** By which a split must be guessed better to be taken untried, for what it costs to say so. */
const LEAD = 2 * BIT
/** By which it may be guessed worse and is tried. */
const MARGIN = 1 * BIT
/** A position of less stays whole. */
const QUIET = 3 * BIT

/** What the guess says of the positions of a tile. */
export interface SplitGuess {
  /** The split to take untried. */
  readonly likely: Uint8Array
  /** Bit k is set where split k, other than whole, is worth a trial. */
  readonly candidates: Uint8Array
}

/**
 * Steps with the signs of the channels, and one over them, by colour, v and u; and what the guess multiplies luma with: the
 * lowest frequency, which no split changes, does not count.
 */
export function stepsByFrequency({ place, sign, step, unstep }: SplitModel): {
  steps: Float32Array
  unsteps: Float32Array
  guessed: Float32Array
} {
  const signed = (values: Int32Array): Float32Array =>
    Float32Array.from(place, (c, i) => (sign[i]! * values[c]!) / (1 << SPLIT_BITS))
  const unsteps = signed(unstep)
  return { steps: signed(step), unsteps, guessed: Float32Array.of(0, ...unsteps.subarray(1, FREQUENCIES)) }
}

/** Splits the latents of positions, in steps. */
export class Splitter {
  readonly #place: Int32Array
  readonly #halves: Float32Array
  readonly #steps: Float32Array
  readonly #unsteps: Float32Array
  readonly #guessed: Float32Array
  readonly #blocks = Array.from({ length: SPLITS }, () => new Float32Array(FREQUENCIES))
  readonly #products = new Float32Array(SIDE)
  readonly #bits = new Int32Array(this.#products.buffer)

  constructor(model: SplitModel) {
    this.#place = model.place
    this.#halves = Float32Array.from(model.halves, (factor) => factor / (1 << SPLIT_BITS))
    const { steps, unsteps, guessed } = stepsByFrequency(model)
    this.#steps = steps
    this.#unsteps = unsteps
    this.#guessed = guessed
  }

  /** From y [768] of a whole position to out [768] in a split; out may be y. */
  split(split: number, y: Float32Array, out: Float32Array): void {
    const [whole, quarters, columns, rows] = this.#blocks as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    for (let colour = 0; colour < LATENTS; colour += FREQUENCIES) {
      this.#gather(y, colour)
      if (splitsRows(split)) this.#rows(whole, rows)
      if (splitsColumns(split))
        this.#columns(splitsRows(split) ? rows : whole, splitsRows(split) ? quarters : columns)
      const block = this.#blocks[split]!
      for (let i = 0; i < FREQUENCIES; i++)
        out[this.#place[colour + i]!] = block[i]! * this.#unsteps[colour + i]!
    }
  }

  /** What y [768] of a whole position would cost in every split, in units of 2^-8. */
  guess(y: Float32Array): number[] {
    const [whole, quarters, columns, rows] = this.#blocks as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    this.#gather(y, 0)
    this.#rows(whole, rows)
    this.#columns(whole, columns)
    this.#columns(rows, quarters)
    return this.#blocks.map((block) => this.#cost(block))
  }

  #gather(y: Float32Array, colour: number): void {
    const whole = this.#blocks[0]!
    for (let i = 0; i < FREQUENCIES; i++) whole[i] = y[this.#place[colour + i]!]! * this.#steps[colour + i]!
  }

  #rows(from: Float32Array, to: Float32Array): void {
    to.fill(0)
    for (let a = 0; a < FREQUENCIES; a += SIDE)
      for (let k = 0; k < SIDE; k++) {
        const factor = this.#halves[a + k]!
        for (let x = 0; x < SIDE; x++) to[a + x] = to[a + x]! + Math.fround(factor * from[k * SIDE + x]!)
      }
  }

  #columns(from: Float32Array, to: Float32Array): void {
    for (let row = 0; row < FREQUENCIES; row += SIDE)
      for (let a = 0; a < SIDE; a++) {
        let sum = 0
        for (let k = 0; k < SIDE; k++)
          sum = Math.fround(sum + Math.fround(this.#halves[a * SIDE + k]! * from[row + k]!))
        to[row + a] = sum
      }
  }

  #cost(block: Float32Array): number {
    const [products, guessed] = [this.#products, this.#guessed]
    let cost = 0
    for (let first = 0; first < FREQUENCIES; first += GUESS_ROWS * SIDE) {
      products.fill(1)
      for (let i = first; i < first + GUESS_ROWS * SIDE; i++) {
        const size = Math.fround(Math.abs(Math.fround(block[i]! * guessed[i]!)) + 1)
        products[i % SIDE] = products[i % SIDE]! * size
      }
      for (const bits of this.#bits) cost += (bits >> GUESS_SHIFT) - ONE
    }
    return cost
  }
}

/** Splits of positions, of whose costs `costsOf` tells. */
export function guessSplits(positions: number, costsOf: (position: number) => ArrayLike<number>): SplitGuess {
  const [likely, candidates] = [new Uint8Array(positions), new Uint8Array(positions)]
  for (let position = 0; position < positions; position++) {
    const costs = costsOf(position)
    const whole = costs[0]!
    if (whole < QUIET) continue
    let least = whole - LEAD
    for (let split = 1; split < SPLITS; split++) {
      const cost = costs[split]!
      if (cost < whole + MARGIN) candidates[position] = candidates[position]! | (1 << split)
      if (cost >= least) continue
      least = cost
      likely[position] = split
    }
  }
  return { likely, candidates }
}
