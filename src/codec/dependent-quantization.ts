/**
 * Two quantizers whose union is a finer grid, and the machine that says which one serves: the state after a symbol follows
 * from its parity alone, so the decoder knows it too (trellis-coded quantization: Schwarz, Nguyen, Marpe and Wiegand,
 * "Hybrid video coding with trellis-coded quantization", DCC 2019).
 *
 *   quantizer 0 (states 0, 1)   even half steps: 0, 2, 4, ...
 *   quantizer 1 (states 2, 3)   zero and odd half steps: 0, 1, 3, 5, ...
 *
 * Every position starts in state 0; its channels come in order. trellis.ts finds good paths for the encoder.
 */

export type Quantizer = 0 | 1
export type State = 0 | 1 | 2 | 3

export const STATES = 4

/** State after a magnitude, by state and parity. */
export const NEXT: readonly (readonly [even: State, odd: State])[] = [
  [0, 2],
  [2, 0],
  [1, 3],
  [3, 1],
]

/** Half a step of a quantizer, in sixteenths of the model's step. */
export const HALF_STEP = 9

export const quantizerOf = (state: number): Quantizer => (state >> 1) as Quantizer

export const nextState = (state: State, magnitude: number): State => NEXT[state]![magnitude & 1]!

/** What a signed symbol stands for, in sixteenths of a step. */
export function reconstruct(quantizer: Quantizer, symbol: number): number {
  const between = quantizer === 1 ? Math.sign(symbol) : 0
  return (2 * symbol - between) * HALF_STEP
}
