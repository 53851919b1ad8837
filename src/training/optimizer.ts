/** Adam with a clipped gradient norm and a running mean of the parameters, on plain arrays so that it saves exactly. */
import type { Parameters } from './parameters'
import { QUALITY_TABLES } from './parameters'

const BETA1 = 0.9
const BETA2 = 0.98
const EPSILON = 1e-8
const LARGEST_NORM = 2

export interface OptimizerState {
  /** Steps taken. */
  step: number
  readonly parameters: Parameters
  readonly first: readonly Float32Array[]
  readonly second: readonly Float32Array[]
  /** Running mean of the parameters: what is validated and released. */
  readonly mean: readonly Float32Array[]
}

export function startOptimizer(parameters: Parameters): OptimizerState {
  return {
    step: 0,
    parameters,
    first: parameters.map((p) => new Float32Array(p.values.length)),
    second: parameters.map((p) => new Float32Array(p.values.length)),
    mean: parameters.map((p) => p.values.slice()),
  }
}

/** Per-quality tables of the context model. */
const QUALITY_GAINS: ReadonlySet<string> = new Set(['scale_bias', 'mean_gain', 'luma_gain', 'first_gain'])

/** The linear transforms start nearly optimal and move slowly; per-quality tables, intra prediction and stages move fast. */
function rateFactor(name: string): number {
  if (name === 'analysis_linear' || name === 'synthesis_linear') return 0.03
  return QUALITY_TABLES.has(name) || QUALITY_GAINS.has(name) || /intra|^stage_/.test(name) ? 3 : 1
}

/** One step in place. Returns the gradient norm before clipping; a step with a norm that is not finite is skipped. */
export function applyGradients(
  state: OptimizerState,
  gradients: readonly Float32Array[],
  rate: number,
): number {
  let squares = 0
  for (const g of gradients) for (const v of g) squares += v * v
  const norm = Math.sqrt(squares)
  state.step++
  if (!Number.isFinite(norm)) return norm
  const clip = Math.min(1, LARGEST_NORM / (norm + 1e-6))
  const correct1 = 1 / (1 - BETA1 ** state.step)
  const correct2 = 1 / (1 - BETA2 ** state.step)
  const keep = Math.min(0.999, (1 + state.step) / (10 + state.step))
  state.parameters.forEach(({ name, values }, k) => {
    const [g, m, v, mean] = [gradients[k]!, state.first[k]!, state.second[k]!, state.mean[k]!]
    const scaled = rate * rateFactor(name) * correct1
    for (let i = 0; i < values.length; i++) {
      const slope = g[i]! * clip
      m[i] = BETA1 * m[i]! + (1 - BETA1) * slope
      v[i] = BETA2 * v[i]! + (1 - BETA2) * slope * slope
      values[i]! -= (scaled * m[i]!) / (Math.sqrt(v[i]! * correct2) + EPSILON)
      mean[i] = keep * mean[i]! + (1 - keep) * values[i]!
    }
  })
  return norm
}

/** The running mean as parameters. */
export function meanParameters(state: OptimizerState): Parameters {
  return state.parameters.map(({ name, shape }, k) => ({ name, shape, values: state.mean[k]! }))
}
