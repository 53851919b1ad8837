/**
 * The training loop. Reads top to bottom: start or resume, then for every step gradients, Adam, and now and then
 * validation and a checkpoint; at the end the model and its card.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import type { CodecConfig } from '../codec/weights'
import { loadBaseModel } from '../model/base-model'
import { readyBackend } from './backend'
import { loadCheckpoint, saveCheckpoint } from './checkpoint'
import { exportModel } from './export-model'
import { startPool } from './gradient-pool'
import { writeCard } from './model-card'
import { applyGradients, meanParameters, startOptimizer, type OptimizerState } from './optimizer'
import { freshParameters, parametersOf, type Parameters } from './parameters'
import { learningRate, type TrainConfig } from './train-config'
import { validate, type RatePoint } from './validate'

export interface TrainOptions {
  /** Directory of the checkpoint, the log, and at the end the model. */
  readonly out: string
  readonly minutesBetweenValidations: number
  readonly minutesBetweenCheckpoints: number
  readonly validationCrops: number
  /** Stops early after this step and saves, as a kill would; Infinity for never. */
  readonly stopAfter: number
  readonly print: (line: string) => void
}

export interface TrainResult {
  readonly state: OptimizerState
  readonly losses: readonly number[]
  readonly points: readonly RatePoint[]
}

export async function train(wanted: TrainConfig, options: TrainOptions): Promise<TrainResult> {
  const { out, print } = options
  const file = join(out, 'checkpoint.bin')
  const saved = loadCheckpoint(file)
  let config = saved?.config ?? wanted
  const backend = await readyBackend(config.backend)
  let state: OptimizerState
  if (saved !== null) {
    state = saved.state
    print(`goes on from step ${state.step}`)
  } else {
    const start = await startParameters(config)
    config = start.config
    state = startOptimizer(start.parameters)
  }
  const pool = startPool(config, state.parameters)
  const losses: number[] = []
  const started = Date.now()
  let lastValidation = started
  let lastSave = started
  try {
    while (state.step < Math.min(config.steps, options.stopAfter)) {
      const { loss, gradients } = await pool.compute(state.step)
      const norm = applyGradients(state, gradients, learningRate(config, state.step))
      losses.push(loss)
      const now = Date.now()
      const speed = (losses.length * config.batch * config.size ** 2) / ((now - started) / 1000) / 1e6
      print(
        `step ${state.step}/${config.steps} loss ${loss.toFixed(4)} norm ${norm.toFixed(2)} ` +
          `${speed.toFixed(3)} Mpx/s ${backend} tensors ${tf.memory().numTensors}`,
      )
      if (now - lastValidation > options.minutesBetweenValidations * 60_000) {
        lastValidation = now
        print(describe(await validate(meanParameters(state), config, options.validationCrops)))
      }
      if (now - lastSave > options.minutesBetweenCheckpoints * 60_000) {
        lastSave = now
        saveCheckpoint(file, config, state)
      }
    }
  } finally {
    await pool.close()
  }
  saveCheckpoint(file, config, state)
  const points = await validate(meanParameters(state), config, options.validationCrops)
  print(describe(points))
  if (state.step >= config.steps) {
    const folder = join(out, 'model')
    exportModel(folder, config.codec, meanParameters(state))
    await writeCard(folder, {
      config,
      backend,
      step: state.step,
      hours: (Date.now() - started) / 3.6e6,
      points,
    })
    print(`wrote ${folder}`)
  }
  return { state, losses, points }
}

/** Fresh parameters, or those of a released model, whose configuration then holds; its positions are whole from then on. */
async function startParameters(
  config: TrainConfig,
): Promise<{ config: TrainConfig; parameters: Parameters }> {
  if (config.from === null) return { config, parameters: freshParameters(config) }
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(config.from!, name)))
  const files = { description: read('model.json'), weights: read('weights.bin'), tables: read('cdf.bin') }
  const { weights } = await loadBaseModel(files)
  // Units of activations hold for the released weights alone: whole-units measures them anew.
  const codec: { -readonly [K in keyof CodecConfig]: CodecConfig[K] } = { ...weights.config }
  delete codec.wholeActivationBits
  // Splits are trained by models/training/train.py alone; without them the rest of the model is whole.
  delete codec.splits
  return { config: { ...config, codec }, parameters: parametersOf(weights) }
}

function describe(points: readonly RatePoint[]): string {
  return points
    .map((p) => `q${p.quality.toFixed(0)} ${p.bpp.toFixed(4)} bpp ${p.psnrDb.toFixed(2)} dB`)
    .join('  ')
}
