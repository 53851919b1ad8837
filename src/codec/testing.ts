/** Hostile bitstreams from sound ones, and a decoder up to the symbols that they are thrown at: for tests and `npm run fuzz`. */
import { copyBytes, type Bytes } from '../lib/bytes'
import type { Prng } from '../lib/prng'
import { decodeAlpha } from './alpha'
import { parseBitstream } from './bitstream'
import { contextModelAt, type ContextModel } from './context-model'
import { buildTableBank } from './entropy-tables'
import { CodecError, type CodecErrorCode } from './errors'
import { createEntropyKernel } from './kernel/entropy-kernel'
import { tileRegion } from './runs'
import { decodeTile } from './tile-coder'
import type { CodecWeights } from './weights'

const EXTREMES = [0, 1, 255, 65535, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
const HEADER_BYTES = 16
const DIRECTORY_BYTES = 40

/** One to three changes: bits, bytes, lengths, cuts, repeats, parts of another stream, extreme fields. */
export function mutate(prng: Prng, sound: readonly Uint8Array[]): Uint8Array {
  const pick = (): Uint8Array => sound[prng.nextBelow(sound.length)]!
  let bytes = copyBytes(pick())
  for (let left = 1 + prng.nextBelow(3); left > 0; left--) bytes = mutateOnce(prng, bytes, pick)
  return bytes
}

function mutateOnce(prng: Prng, bytes: Bytes, pick: () => Uint8Array): Bytes {
  if (bytes.length === 0) return Uint8Array.of(prng.nextBelow(256))
  const at = prng.nextBelow(bytes.length)
  const early = Math.min(bytes.length - 1, prng.nextBelow(DIRECTORY_BYTES))
  switch (prng.nextBelow(8)) {
    case 0:
      bytes[at]! ^= 1 << prng.nextBelow(8)
      return bytes
    case 1:
      bytes[early]! ^= 1 << prng.nextBelow(8)
      return bytes
    case 2:
      bytes[at] = prng.nextBelow(256)
      return bytes
    case 3:
      return bytes.slice(0, at)
    case 4:
      return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(prng.nextBelow(bytes.length)))
    case 5: {
      const other = pick()
      return Uint8Array.of(...bytes.subarray(0, at), ...other.subarray(prng.nextBelow(other.length)))
    }
    case 6:
      return bytes.fill(prng.nextBelow(256), at, at + prng.nextBelow(64))
    default: {
      const field = 4 * prng.nextBelow((HEADER_BYTES + DIRECTORY_BYTES) / 4)
      if (field + 4 > bytes.length) return bytes
      const value = EXTREMES[prng.nextBelow(EXTREMES.length)]!
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(field, value, true)
      return bytes
    }
  }
}

/** What a decoder makes of any bytes: 'read', or the code of its refusal. Anything but a CodecError is thrown on. */
export async function makeVictim(
  weights: CodecWeights,
): Promise<(bytes: Uint8Array) => CodecErrorCode | 'read'> {
  const models = new Map<number, ContextModel>()
  const modelAt = (quality: number): ContextModel => {
    const known = models.get(quality) ?? contextModelAt(weights, quality)
    models.set(quality, known)
    return known
  }
  const bank = buildTableBank(weights.tables)
  const kernel = await createEntropyKernel(weights.config, modelAt(0), bank)
  return (bytes) => {
    try {
      const { header, grid, alpha, tiles } = parseBitstream(bytes)
      const model = modelAt(header.quality)
      tiles.forEach((tile, i) => {
        const { width, height } = tileRegion(header, i % grid.columns, Math.floor(i / grid.columns))
        const { symbols, active } = decodeTile({ model, bank, kernel }, tile, width, height)
        if (symbols.length !== width * height * active) throw new RangeError('A tile has another size.')
      })
      if (alpha === null) return 'read'
      const plane = decodeAlpha(alpha, header.width, header.height)
      if (plane.length !== header.width * header.height) throw new RangeError('Alpha has another size.')
      return 'read'
    } catch (error) {
      if (error instanceof CodecError) return error.code
      throw error
    }
  }
}
