import type { CodecWeights } from '../codec/weights'
import { readModel, readyWasm } from './node-model'
import { inWholeNumbers, measureUnits } from './whole-units'

/** The current model where it is one in whole numbers, else the same made so, for tests; WebAssembly is the backend then. */
export async function wholeTestWeights(): Promise<CodecWeights> {
  await readyWasm()
  const { weights } = await readModel()
  if (weights.config.wholeActivationBits !== undefined) return weights
  return inWholeNumbers(weights, await measureUnits(weights, 1))
}
