/** The id of a released model: what artifacts and records name it by, and what tells whole files from others. */
import { concatBytes, u64, type Bytes } from '../lib/bytes'
import { sha256 } from './hash'

/** The files of a model, see model/base-model.ts. */
export interface ModelFiles {
  /** model.json */
  readonly description: Uint8Array
  /** weights.bin */
  readonly weights: Uint8Array
  /** cdf.bin */
  readonly tables: Uint8Array
}

/** SHA-256, 32 bytes, over the three files in this order, each after its length (u64). */
export function modelIdOf({ description, weights, tables }: ModelFiles): Promise<Bytes> {
  return sha256(concatBytes(...[description, weights, tables].flatMap((file) => [u64(file.length), file])))
}
