/**
 * The personal model: the base model after a random media transform that the model secret decides (DESIGN, "Personal
 * model"). It computes what the base model computes, from weights, tables and bitstreams that are this user's own.
 */
import { unsharedBytes, u32, utf8, type Bytes } from '../lib/bytes'
import type { CodecWeights } from '../codec/weights'
import { drawsFrom } from './draws'
import { drawMediaTransform, foldMediaTransform } from './media-transform'

export interface PersonalModel {
  readonly weights: CodecWeights
  /** SHA-256 of the canonical bytes of the weights: what artifacts are bound to. */
  readonly weightsHash: Bytes
}

/** `seed`: 32 bytes derived from the model secret for this purpose alone. */
export async function personalModel(base: CodecWeights, seed: Uint8Array): Promise<PersonalModel> {
  const draws = await drawsFrom(seed)
  const weights = foldMediaTransform(base, drawMediaTransform(base, draws))
  return { weights, weightsHash: await hashWeights(weights) }
}

/**
 * SHA-256 over: "safelight weights" ‖ 0 ‖ the architecture ‖ every tensor by name ‖ the tables. Each part is its name,
 * 0, its number of values (u32) and the values, 32 bits each, little-endian.
 */
export async function hashWeights({ config, tensors, integers, tables }: CodecWeights): Promise<Bytes> {
  const byName = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
    a[0] < b[0] ? -1 : 1
  const parts: [string, Words][] = [
    ...Object.entries(config)
      .sort(byName)
      .map(([name, value]): [string, Words] => [name, Uint32Array.of(value as number)]),
    ...[...tensors].sort(byName),
    ...[...integers].sort(byName),
    ...tables.map((table, i): [string, Words] => [`table ${i}`, table]),
  ]
  const pieces: Uint8Array[] = [utf8('safelight weights\0')]
  for (const [name, values] of parts) pieces.push(utf8(`${name}\0`), u32(values.length), littleEndian(values))
  const bytes = new Uint8Array(pieces.reduce((n, piece) => n + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', unsharedBytes(bytes)))
}

type Words = Float32Array | Int32Array | Uint32Array

const PLATFORM_IS_LITTLE = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

function littleEndian(values: Words): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  if (PLATFORM_IS_LITTLE) return bytes
  const swapped = bytes.slice()
  for (let at = 0; at < swapped.length; at += 4) swapped.subarray(at, at + 4).reverse()
  return swapped
}
