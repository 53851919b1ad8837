/** Models with dependent quantization before they are trained: for tests. */
import { driftShifts, driftTable, laplaceTables, lawsOf } from './entropy-tables'
import type { CodecWeights } from './weights'

/** The weights with both quantizers, drift and tables as the Laplace laws say. */
export function withDependentQuantization(weights: CodecWeights): CodecWeights {
  const laws = lawsOf(true)
  const integers = new Map(weights.integers)
  integers.set('drift', driftTable(laws))
  integers.set('drift_shift', driftShifts(laws))
  return {
    ...weights,
    config: { ...weights.config, dependentQuantization: 1 },
    integers,
    tables: laplaceTables(laws),
  }
}
