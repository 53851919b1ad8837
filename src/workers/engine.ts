/**
 * One TensorFlow.js engine and a codec on it. Backends are tried in order (webgpu, wasm, cpu); each must restore a stored
 * stream of the base model to the pixels stored with it before it is trusted with the personal one. WebAssembly runs on
 * one thread: the pool of workers is the parallelism.
 */
import * as tf from '@tensorflow/tfjs-core'
import wasmPlainUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import wasmSimdUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import { inflateSync } from 'fflate'
import { createCodec } from '../codec/codec'
import type { Codec } from '../codec/types'
import type { CodecWeights } from '../codec/weights'
import { DarkroomError } from './errors'
import { PROBE_TILE } from './probe-tile'

export type Backend = Codec['backend']

export interface Engine {
  readonly codec: Codec
  readonly backend: Backend
  /** Decoded, on the probe tile. */
  readonly megapixelsPerSecond: number
  /** Probes the backend once more: its speed, or null. */
  readonly check: () => Promise<number | null>
}

/** What the base model's stored stream must restore to; written by `npm run vectors`. */
interface ProbeTile {
  readonly width: number
  readonly height: number
  readonly bitstream: string
  /** RGBA rows, deflated. */
  readonly pixels: string
}

/** Backends sum in another order: restored values may fall on either side of a half. */
const TOLERANCE = 1

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

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))

/** Megapixels decoded a second by a codec of the base model, or null where the stored tile does not come back. */
export async function probe(codec: Codec, tile: ProbeTile = PROBE_TILE): Promise<number | null> {
  const bitstream = bytesOf(tile.bitstream)
  const expected = inflateSync(bytesOf(tile.pixels))
  await codec.decode(bitstream) // warms up: kernels compile on first use
  const startMs = performance.now()
  const { width, height, data } = await codec.decode(bitstream)
  const seconds = Math.max(1e-4, (performance.now() - startMs) / 1000)
  if (width !== tile.width || height !== tile.height || data.length !== expected.length) return null
  if (data.some((value, i) => Math.abs(value - expected[i]!) > TOLERANCE)) return null
  return (width * height) / 1e6 / seconds
}

/** The first of `backends` that works, with a codec of the personal weights. Throws DarkroomError 'no-engine'. */
export async function startEngine(
  weights: { readonly base: CodecWeights; readonly personal: CodecWeights },
  backends: readonly Backend[],
): Promise<Engine> {
  let cause: unknown = null
  for (const backend of backends) {
    try {
      if (!(await READY[backend]())) continue
      await tf.ready()
      const check = () => checkBackend(weights.base)
      const megapixelsPerSecond = await check()
      if (megapixelsPerSecond === null) continue
      return { codec: createCodec(weights.personal), backend, megapixelsPerSecond, check }
    } catch (error) {
      cause = error
    }
  }
  throw new DarkroomError('no-engine', { cause })
}

async function checkBackend(base: CodecWeights): Promise<number | null> {
  const codec = createCodec(base)
  try {
    return await probe(codec)
  } finally {
    codec.dispose()
  }
}
