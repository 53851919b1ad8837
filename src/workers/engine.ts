/**
 * One TensorFlow.js engine. Backends are tried in order (webgpu, wasm, cpu); each must restore a stored stream of the
 * newest base model to the pixels stored with it before it is trusted, and the same again with each older model that a
 * photo needs. WebAssembly runs on one thread: the pool of workers is the parallelism.
 */
import * as tf from '@tensorflow/tfjs-core'
import wasmPlainUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import wasmSimdUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import { inflateSync } from 'fflate'
import { createCodec } from '../codec/codec'
import { largestDifference } from '../codec/exactness'
import type { Codec } from '../codec/types'
import { toHex } from '../lib/bytes'
import type { BaseModel } from '../model/base-model'
import { DarkroomError } from './errors'
import probeTiles from './vectors/probe-tiles.json'

export type Backend = Codec['backend']

export interface Engine {
  readonly backend: Backend
  /** Decoded, on the probe tile. */
  readonly megapixelsPerSecond: number
  /** Probes the backend once more: its speed, or null. */
  readonly check: () => Promise<number | null>
}

/** What a released model's stored stream must restore to; written by `npm run vectors`. */
interface ProbeTile {
  /** Model id, hexadecimal. */
  readonly model: string
  readonly width: number
  readonly height: number
  readonly bitstream: string
  /** RGBA rows, deflated. */
  readonly pixels: string
}

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

/** Megapixels decoded a second by the backend in use, or null where the model's stored tile does not come back. */
export async function probe(model: BaseModel): Promise<number | null> {
  const id = toHex(model.id)
  const tile: ProbeTile | undefined = probeTiles.find((one) => one.model === id)
  if (tile === undefined) return null
  const codec = createCodec(model.weights)
  try {
    return await probeWith(codec, tile, largestDifference(model.weights.config))
  } finally {
    codec.dispose()
  }
}

async function probeWith(codec: Codec, tile: ProbeTile, tolerance: number): Promise<number | null> {
  const bitstream = bytesOf(tile.bitstream)
  const expected = inflateSync(bytesOf(tile.pixels))
  await codec.decode(bitstream) // warms up: kernels compile on first use
  const startMs = performance.now()
  const { width, height, data } = await codec.decode(bitstream)
  const seconds = Math.max(1e-4, (performance.now() - startMs) / 1000)
  if (width !== tile.width || height !== tile.height || data.length !== expected.length) return null
  if (data.some((value, i) => Math.abs(value - expected[i]!) > tolerance)) return null
  return (width * height) / 1e6 / seconds
}

/** The first of `backends` that restores the stored tile of the newest model. Throws DarkroomError 'no-engine'. */
export async function startEngine(newest: BaseModel, backends: readonly Backend[]): Promise<Engine> {
  let cause: unknown = null
  for (const backend of backends) {
    try {
      if (!(await READY[backend]())) continue
      await tf.ready()
      const check = () => probe(newest)
      const megapixelsPerSecond = await check()
      if (megapixelsPerSecond === null) continue
      return { backend, megapixelsPerSecond, check }
    } catch (error) {
      cause = error
    }
  }
  throw new DarkroomError('no-engine', { cause })
}
