import * as tf from '@tensorflow/tfjs-core'
import { createWholeKernel } from './kernel/whole-kernel'
import type { WholeMachine } from './layers'
import { createTensorMachine } from './tensor-machine'

/** The WebAssembly kernel on that backend, where the platform has it; tensors otherwise. All give the same integers. */
export async function createWholeMachine(wanted: 'kernel' | 'tensors' = 'kernel'): Promise<WholeMachine> {
  const kernel = wanted === 'kernel' && tf.getBackend() === 'wasm' ? await createWholeKernel() : null
  return kernel ?? createTensorMachine()
}
