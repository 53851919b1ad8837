/**
 * What symbols a decoder may meet in one block. Sums over symbols stay below 2^24 because the energy of a block does: that
 * of any picture's block does by far, and other symbols, which no encoder of ours makes, are shifted right until theirs
 * does too, all of a block by as many bits. Energies are whole numbers below 2^53: nothing depends on the order of a sum.
 */
import { SYMBOL_UNIT } from '../context-model'
import { BLOCK, LATENTS, type CodecWeights } from '../weights'
import type { Inputs } from './whole-layer'

/** Energy of the whitest block, with a tenth in amplitude for what the analysis adds. */
const PICTURE_NORM = 1.1 * 128 * Math.sqrt(3) * BLOCK
/** Largest shares of symbols in sixteenths (16 bits) and in whole steps (12): no energy of 768 then reaches 2^53. */
const FRACTIONAL_SHARE = 2 ** 12
const WHOLE_SHARE = 2 ** 20

/** The energy of a block is the sum of share * symbol^2 over its channels, and at most `limit`. */
export interface SymbolEnergy {
  /** [768], whole numbers above zero. */
  readonly shares: Float64Array
  readonly limit: number
  /** Symbols of a channel are in 1/16 (the channel is predicted) or 1 of a step. */
  readonly units: Float64Array
}

/** Predictions are in sixteenths of a step; what is not predicted is whole steps, and its weights are the finer for it. */
export function symbolUnits({ config, integers }: CodecWeights): Float64Array {
  const lumaOf = integers.get('luma_of')
  return Float64Array.from({ length: LATENTS }, (_, c) => {
    const isPredicted = c < config.meanChannels || (lumaOf !== undefined && lumaOf[c]! >= 0)
    return isPredicted ? 1 / SYMBOL_UNIT : 1
  })
}

/** `linear`: synthesis_linear [768, 768] at a quality, steps folded. */
export function symbolEnergyOf(linear: Float32Array, units: Float64Array): SymbolEnergy {
  const squares = Float64Array.from({ length: LATENTS }, (_, row) => {
    let sum = 0
    for (let c = 0; c < LATENTS; c++) {
      const weight = linear[row * LATENTS + c]!
      sum += weight * weight
    }
    return sum
  })
  // Rounding moves each symbol by half a step at most.
  const norm = PICTURE_NORM + 0.5 * Math.sqrt(squares.reduce((sum, square) => sum + square, 0))
  const energies = squares.map((square, row) => square * units[row]! * units[row]!)
  const scale = energies.reduce((least, energy, row) => {
    const most = units[row]! < 1 ? FRACTIONAL_SHARE : WHOLE_SHARE
    return energy > 0 ? Math.min(least, most / energy) : least
  }, WHOLE_SHARE)
  const shares = energies.map((energy) => Math.max(1, Math.ceil(energy * scale)))
  return { shares, limit: Math.floor(norm * norm * scale), units }
}

/** Symbols as inputs of a layer: by Cauchy and Schwarz. */
export function symbolInputs({ shares, limit, units }: SymbolEnergy): Inputs {
  return {
    units,
    reach: (weights) => {
      let sum = 0
      for (let row = 0; row < weights.length; row++) sum += (weights[row]! * weights[row]!) / shares[row]!
      return Math.sqrt(limit * sum)
    },
  }
}

/**
 * Brings the symbols of a tile, [positions, active] in sixteenths of a step, to what layers take, in place. The number of
 * blocks that had too much energy.
 */
export function fitSymbols(symbols: Int16Array, active: number, energy: SymbolEnergy): number {
  const { shares, limit, units } = energy
  let misfits = 0
  for (let at = 0; at < symbols.length; at += active) {
    let sum = 0
    for (let c = 0; c < active; c++) {
      const symbol = units[c]! < 1 ? symbols[at + c]! : symbols[at + c]! / SYMBOL_UNIT
      symbols[at + c] = symbol
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
