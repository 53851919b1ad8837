/** The symbols of a whole bitstream as bytes, for comparing decoders: what every device must agree on. */
import type { ParsedBitstream } from './bitstream'
import { contextModelAt } from './context-model'
import { createEntropyKernel } from './kernel/entropy-kernel'
import { buildTableBank } from './entropy-tables'
import { tileRegion } from './runs'
import { decodeTile } from './tile-coder'
import type { CodecWeights } from './weights'

/**
 * Tile by tile: active channels (u16), then the symbols [positions, active] in sixteenths (i16), all little-endian.
 * Throws CodecError 'damaged'.
 */
export async function readSymbols(
  weights: CodecWeights,
  { header, grid, tiles }: ParsedBitstream,
  entropy: 'kernel' | 'typescript' = 'kernel',
): Promise<Uint8Array> {
  const model = contextModelAt(weights, header.quality)
  const bank = buildTableBank(weights.tables)
  const kernel = entropy === 'kernel' ? await createEntropyKernel(weights.config, model, bank) : null
  const decoded = tiles.map((tile, i) => {
    const part = tileRegion(header, i % grid.columns, Math.floor(i / grid.columns))
    return decodeTile({ model, bank, kernel }, tile, part.width, part.height)
  })
  const view = new DataView(
    new ArrayBuffer(decoded.reduce((n, { symbols }) => n + 2 + 2 * symbols.length, 0)),
  )
  let at = 0
  for (const { active, symbols } of decoded) {
    view.setUint16(at, active, true)
    symbols.forEach((symbol, i) => view.setInt16(at + 2 + 2 * i, symbol, true))
    at += 2 + 2 * symbols.length
  }
  return new Uint8Array(view.buffer)
}
