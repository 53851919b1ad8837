/** Readies a TensorFlow.js backend for training under Node: WebGPU where a device answers, else WASM, else plain CPU. */
import * as tf from '@tensorflow/tfjs-core'
// The whole package registers the gradient functions and the CPU backend.
import '@tensorflow/tfjs'
import { registerGradientKernels } from './gradient-kernels'
import { readyWasm } from './node-model'
import type { BackendChoice } from './train-config'

export async function readyBackend(choice: BackendChoice): Promise<'webgpu' | 'wasm' | 'cpu'> {
  if (choice === 'webgpu' || choice === 'auto') {
    if (await readyWebgpu()) return 'webgpu'
    if (choice === 'webgpu') throw new Error('No WebGPU device answers on this machine.')
  }
  if (choice !== 'cpu' && (await readyWasm())) {
    registerGradientKernels()
    return 'wasm'
  }
  if (choice === 'wasm') throw new Error('The WASM backend does not start on this machine.')
  await tf.setBackend('cpu')
  return 'cpu'
}

async function readyWebgpu(): Promise<boolean> {
  const { create, globals } = await import('webgpu')
  const gpu = create([])
  if ((await gpu.requestAdapter().catch(() => null)) === null) return false
  Object.assign(globalThis, globals)
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true })
  await import('@tensorflow/tfjs-backend-webgpu')
  return tf.setBackend('webgpu').catch(() => false)
}
