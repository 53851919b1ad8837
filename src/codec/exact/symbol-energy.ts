/**
 * What symbols a decoder may meet in one block. Sums over symbols stay below 2^24 because the energy of a block does: that
 * of any picture's block does by far, and other symbols, which no encoder of ours makes, are shifted right until theirs
 * does too, all of a block by as many bits. Energies are whole numbers below 2^53: nothing depends on the order of a sum.
 */
import { SYMBOL_UNIT } from '../context-model'
import { BLOCK, LATENTS } from '../weights'
import type { Inputs } from './whole-layer'

/** Energy of the whitest block, with a tenth in amplitude for what the analysis adds. */
const PICTURE_NORM = 1.1 * 128 * Math.sqrt(3) * BLOCK
/** Shares are at most this: the energy of 768 symbols of 16 bits is then below 2^53. */
const SHARE_MOST = 4096

/** The energy of a block is the sum of share * symbol^2 over its channels, and at most `limit`. */
export interface SymbolEnergy {
  /** [768], whole numbers above zero. */
  readonly shares: Float64Array
  readonly limit: number
}

/** `linear`: synthesis_linear [768, 768] at a quality, steps folded. */
export function symbolEnergyOf(linear: Float32Array): SymbolEnergy {
  const squares = Float64Array.from({ length: LATENTS }, (_, row) => {
    let sum = 0
    for (let c = 0; c < LATENTS; c++) {
      const weight = linear[row * LATENTS + c]!
      sum += weight * weight
    }
    return sum
  })
  // Rounding moves each symbol by half a step at most.
  const norm =
    SYMBOL_UNIT * (PICTURE_NORM + 0.5 * Math.sqrt(squares.reduce((sum, square) => sum + square, 0)))
  const scale = SHARE_MOST / squares.reduce((most, square) => Math.max(most, square), 0)
  const shares = squares.map((square) => Math.max(1, Math.ceil(square * scale)))
  return { shares, limit: Math.floor(norm * norm * scale) }
}

/** Symbols as inputs of a layer: by Cauchy and Schwarz. */
export function symbolInputs({ shares, limit }: SymbolEnergy): Inputs {
  return {
    units: new Float64Array(LATENTS).fill(1 / SYMBOL_UNIT),
    reach: (weights) => {
      let sum = 0
      for (let row = 0; row < weights.length; row++) sum += (weights[row]! * weights[row]!) / shares[row]!
      return Math.sqrt(limit * sum)
    },
  }
}

/** Brings the symbols of a tile, [positions, active], within the energy, in place. The number of blocks that had too much. */
export function fitSymbols(symbols: Int16Array, active: number, energy: SymbolEnergy): number {
  const { shares, limit } = energy
  let misfits = 0
  for (let at = 0; at < symbols.length; at += active) {
    let sum = 0
    for (let c = 0; c < active; c++) {
      const symbol = symbols[at + c]!
      sum += symbol * symbol * shares[c]!
    }
    if (sum > limit) {
      shiftToFit(symbols.subarray(at, at + active), energy)
      misfits++
    }
  }
  return misfits
}

function shiftToFit(symbols: Int16Array, { shares, limit }: SymbolEnergy): void {
  const energy = (): number => symbols.reduce((sum, symbol, c) => sum + symbol * symbol * shares[c]!, 0)
  // Towards zero, as an Int16Array takes fractions, so that a change of signs changes nothing else.
  while (energy() > limit) symbols.forEach((symbol, c) => (symbols[c] = symbol / 2))
}
