/** For tests: symbols of any size, and the loudest ones. */
import type { Prng } from '../../lib/prng'
import { SYMBOL_LIMIT } from '../context-model'
import { LATENTS } from '../weights'
import { fitSymbols, type SymbolEnergy } from './symbol-energy'

/** Symbols [positions, channels] as layers take them, of all sizes: a block is silent, usual, or as loud as can be. */
export function anySymbols(
  random: Prng,
  positions: number,
  channels: number,
  energy: SymbolEnergy,
): Int16Array {
  const symbols = new Int16Array(positions * channels)
  for (let at = 0; at < symbols.length; at += channels) {
    const most = [0, 40, 4000, SYMBOL_LIMIT][random.nextBelow(4)]!
    const rows = 1 + random.nextBelow(channels)
    for (let c = 0; c < rows; c++) {
      symbols[at + c] = random.nextBelow(2 * most + 1) - most
    }
  }
  fitSymbols(symbols, channels, energy)
  return symbols
}

/** The loudest symbols that a block may have for one output: all of its weights pull one way. */
export function loudestFor(
  weights: Int16Array,
  column: number,
  columns: number,
  { shares, limit }: SymbolEnergy,
): Int16Array {
  const rows = weights.length / columns
  const direction = Float64Array.from(
    { length: rows },
    (_, row) => weights[row * columns + column]! / shares[row]!,
  )
  const norm = direction.reduce((sum, x, row) => sum + x * x * shares[row]!, 0)
  const scale = Math.sqrt(limit / norm)
  const symbols = new Int16Array(LATENTS)
  direction.forEach((x, row) => {
    symbols[row] = Math.max(-SYMBOL_LIMIT, Math.min(SYMBOL_LIMIT, Math.trunc(x * scale)))
  })
  return symbols
}
