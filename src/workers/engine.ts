/**
 * One TensorFlow.js engine and a codec on it. Backends are tried in order (webgpu, wasm, cpu); each must code and
 * restore a fixed picture well before it is trusted. WebAssembly runs on one thread: the pool of workers is the parallelism.
 */
import * as tf from '@tensorflow/tfjs-core'
import wasmPlainUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import wasmSimdUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import { createCodec } from '../codec/codec'
import { squaredError } from '../codec/metrics'
import type { Codec, RasterImage } from '../codec/types'
import type { CodecWeights } from '../codec/weights'
import { DarkroomError } from './errors'

export type Backend = Codec['backend']

export interface Engine {
  readonly codec: Codec
  readonly backend: Backend
  /** Decoded, on the probe picture. */
  readonly megapixelsPerSecond: number
}

const PROBE_SIDE = 128
const PROBE_QUALITY = 63
/** A working backend restores the probe picture at more than 40 dB; a broken one does not come near. */
const PROBE_MAX_MSE = 10

const READY: Readonly<Record<Backend, () => Promise<boolean>>> = {
  webgpu: async () => {
    if (!('gpu' in navigator) || (await navigator.gpu.requestAdapter()) === null) return false
    await import('@tensorflow/tfjs-backend-webgpu')
    return tf.setBackend('webgpu')
  },
  wasm: async () => {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm')
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
    setWasmPaths({
      'tfjs-backend-wasm.wasm': wasmPlainUrl,
      'tfjs-backend-wasm-simd.wasm': wasmSimdUrl,
      'tfjs-backend-wasm-threaded-simd.wasm': wasmSimdUrl,
    })
    return tf.setBackend('wasm')
  },
  cpu: async () => {
    await import('@tensorflow/tfjs-backend-cpu')
    return tf.setBackend('cpu')
  },
}

/** A smooth picture with edges and a little texture, the same everywhere. */
function probePicture(): RasterImage {
  const data = new Uint8ClampedArray(4 * PROBE_SIDE * PROBE_SIDE)
  for (let y = 0, i = 0; y < PROBE_SIDE; y++)
    for (let x = 0; x < PROBE_SIDE; x++, i += 4) {
      const inside = (x - 64) ** 2 + (y - 50) ** 2 < 900
      data[i] = inside ? 200 : x + 40
      data[i + 1] = inside ? 60 + y / 4 : y + ((x * 7 + y * 13) % 5)
      data[i + 2] = 255 - x - y / 2
      data[i + 3] = 255
    }
  return { width: PROBE_SIDE, height: PROBE_SIDE, hasAlpha: false, colorSpace: 'srgb', data }
}

/** Megapixels decoded a second, or null where the picture does not come back well. */
export async function probe(codec: Codec): Promise<number | null> {
  const picture = probePicture()
  const bitstream = await codec.encode(picture, { quality: PROBE_QUALITY, effort: 'fast' })
  await codec.decode(bitstream) // warms up: kernels compile on first use
  const startMs = performance.now()
  const restored = await codec.decode(bitstream)
  const seconds = Math.max(1e-4, (performance.now() - startMs) / 1000)
  const mse = squaredError(picture, restored) / (3 * PROBE_SIDE * PROBE_SIDE)
  return mse <= PROBE_MAX_MSE ? (PROBE_SIDE * PROBE_SIDE) / 1e6 / seconds : null
}

/** The first of `backends` that works. Throws DarkroomError 'no-engine'. */
export async function startEngine(weights: CodecWeights, backends: readonly Backend[]): Promise<Engine> {
  let cause: unknown = null
  for (const backend of backends) {
    try {
      if (!(await READY[backend]())) continue
      await tf.ready()
      const codec = createCodec(weights)
      const megapixelsPerSecond = await probe(codec)
      if (megapixelsPerSecond !== null) return { codec, backend, megapixelsPerSecond }
      codec.dispose()
    } catch (error) {
      cause = error
    }
  }
  throw new DarkroomError('no-engine', { cause })
}
