/** Released models and the WASM backend of TensorFlow.js (one thread) under Node: for the command line and for tests. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { loadBaseModel, type BaseModel } from '../model/base-model'
import { NEWEST_MODEL } from '../model/released-models'

export const MODELS = fileURLToPath(new URL('../../models', import.meta.url))

/** Whether it started. */
export function readyWasm(): Promise<boolean> {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')
  setWasmPaths(join(dirname(entry), 'dist') + '/')
  setThreadsCount(1)
  return tf.setBackend('wasm')
}

export async function readModel(name = NEWEST_MODEL.name, folder = MODELS): Promise<BaseModel> {
  const [description, weights, tables] = await Promise.all(
    ['model.json', 'weights.bin', 'cdf.bin'].map((file) => readFile(join(folder, name, file))),
  )
  return loadBaseModel({ description: description!, weights: weights!, tables: tables! })
}
