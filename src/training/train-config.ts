/** Everything that decides a training run, saved whole in checkpoints and model cards. */
import type { CodecConfig } from '../codec/weights'
import { RECIPE, type Recipe } from './recipe'

export interface TrainConfig {
  readonly seed: number
  readonly steps: number
  /** Crops per step, over all workers. */
  readonly batch: number
  /** Side of a crop in pixels, a multiple of 16. */
  readonly size: number
  /** Processes that share a batch; sums of floats depend on it in their last bits. */
  readonly workers: number
  readonly backend: BackendChoice
  /** Peak learning rate; the schedule warms up, then follows a cosine. */
  readonly rate: number
  readonly warmupSteps: number
  /** Distortion weight: rate + squared error / (lagrange * step^2), per pixel. */
  readonly lagrange: number
  /** Magnitudes from k + 1 - deadzone on become k + 1. */
  readonly deadzone: number
  /** Directory of a released model to go on from, or null for a fresh start. */
  readonly from: string | null
  readonly codec: CodecConfig
  readonly data: Recipe
}

export type BackendChoice = 'auto' | 'webgpu' | 'wasm' | 'cpu'

const BASE_CODEC: CodecConfig = {
  analysisWidth: 192,
  analysisBlocks: 3,
  analysisOut: 320,
  synthesisIn: 320,
  synthesisWidth: 192,
  synthesisBlocks: 3,
  renderFeatures: 24,
  renderWidth: 32,
  contextDense: 320,
  contextFeatures: 32,
  meanChannels: 48,
  meanHidden: 64,
  chromaPrediction: 1,
  calibration: 1,
  intraWidth: 96,
  intraHidden: 64,
  stageHidden: 64,
}

export const BASE_CONFIG: TrainConfig = {
  seed: 1,
  steps: 20_000,
  batch: 8,
  size: 256,
  workers: 1,
  backend: 'auto',
  rate: 1e-3,
  warmupSteps: 200,
  lagrange: 0.13,
  deadzone: 0.42,
  from: null,
  codec: BASE_CODEC,
  data: RECIPE,
}

/** Small enough to train for some steps in seconds, with every part present. */
export const SMOKE_CONFIG: TrainConfig = {
  ...BASE_CONFIG,
  steps: 40,
  batch: 3,
  size: 64,
  backend: 'wasm',
  warmupSteps: 10,
  codec: {
    analysisWidth: 16,
    analysisBlocks: 1,
    analysisOut: 32,
    synthesisIn: 32,
    synthesisWidth: 16,
    synthesisBlocks: 1,
    renderFeatures: 8,
    renderWidth: 16,
    contextDense: 32,
    contextFeatures: 8,
    meanChannels: 8,
    meanHidden: 8,
    chromaPrediction: 1,
    calibration: 1,
    intraWidth: 12,
    intraHidden: 6,
    stageHidden: 5,
  },
}

/** Learning rate of a step. */
export function learningRate(config: TrainConfig, step: number): number {
  const warm = Math.min(1, (step + 1) / config.warmupSteps)
  const cosine = 0.5 * (1 + Math.cos(Math.PI * Math.min(1, step / config.steps)))
  return config.rate * warm * Math.max(cosine, 0.01)
}
