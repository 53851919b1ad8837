/**
 * The neural keystream as TensorFlow.js matrix products on whatever backend is set: integers held in float32. Every
 * lane of up to GROUP_CHUNKS chunks is a row of one product, and the feedback stays on the device between steps.
 */
import * as tf from '@tensorflow/tfjs-core'
import {
  BLOCK_BYTES,
  CHUNK_BYTES,
  checkJob,
  COUNTER_BYTES,
  HIDDEN_SHIFT,
  LANES,
  STEP_BYTES,
  STEPS,
  writeCounter,
} from './neural-keystream'
import type { Direction, KeystreamEngine, KeystreamJob, Network } from './neural-keystream'

/** 4 MiB of bytes, 64 MiB of tensors. */
const GROUP_CHUNKS = 64
const STEP_COUNTER = COUNTER_BYTES - 1

/** x mod 256 for integers below 2^24, by exact products with powers of two. */
function wrap(x: tf.Tensor2D): tf.Tensor2D {
  return tf.sub(x, tf.mul(tf.floor(tf.mul(x, 2 ** -8)), 256))
}

function wrapHidden(x: tf.Tensor2D): tf.Tensor2D {
  return wrap(tf.floor(tf.mul(x, 2 ** -HIDDEN_SHIFT)))
}

interface TensorNetwork {
  /** [8, 64], the rows of W1 that read the counter */
  readonly counterWeights: tf.Tensor2D
  /** [64], the row that reads the step */
  readonly stepWeights: tf.Tensor1D
  /** [64, 64] each: the rest of W1, W2, W3 */
  readonly weights: readonly [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D]
  /** [64] each */
  readonly biases: readonly [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D]
}

function uploadNetwork(network: Network): TensorNetwork {
  const [first, second, third] = network
  const split = COUNTER_BYTES * first.outputs
  const matrix = (weights: Int8Array, outputs: number) =>
    tf.tensor2d(Float32Array.from(weights), [weights.length / outputs, outputs])
  return {
    counterWeights: matrix(first.weights.subarray(0, split), first.outputs),
    stepWeights: tf.tensor1d(Float32Array.from(first.weights.subarray(split - first.outputs, split))),
    weights: [
      matrix(first.weights.subarray(split), first.outputs),
      matrix(second.weights, second.outputs),
      matrix(third.weights, third.outputs),
    ],
    biases: [
      tf.tensor1d(Float32Array.from(first.bias)),
      tf.tensor1d(Float32Array.from(second.bias)),
      tf.tensor1d(Float32Array.from(third.bias)),
    ],
  }
}

/** Counters at step 0 of every lane, [rows, 8]. */
function counterRows(section: number, firstChunk: number, chunks: number): tf.Tensor2D {
  const rows = new Uint8Array(chunks * LANES * COUNTER_BYTES)
  for (let row = 0; row < chunks * LANES; row++) {
    const counter = rows.subarray(row * COUNTER_BYTES, (row + 1) * COUNTER_BYTES)
    writeCounter(counter, section, firstChunk + Math.floor(row / LANES), row % LANES, 0)
  }
  return tf.tensor2d(Float32Array.from(rows), [chunks * LANES, STEP_COUNTER + 1])
}

/** The blocks of one step of every chunk, [rows, 64]; what lies past the end is zero. */
function stepRows(bytes: Uint8Array, chunks: number, step: number): tf.Tensor2D {
  const rows = new Float32Array(chunks * STEP_BYTES)
  for (let chunk = 0; chunk < chunks; chunk++) {
    const start = chunk * CHUNK_BYTES + step * STEP_BYTES
    rows.set(bytes.subarray(start, start + STEP_BYTES), chunk * STEP_BYTES)
  }
  return tf.tensor2d(rows, [chunks * LANES, BLOCK_BYTES])
}

function combine(direction: Direction, bytes: tf.Tensor2D, f: tf.Tensor2D): tf.Tensor2D {
  return wrap(direction === 'add' ? tf.add(bytes, f) : tf.sub(bytes, f))
}

/** Every step of one group of chunks: [rows, 64] each. */
function runSteps(
  net: TensorNetwork,
  counters: tf.Tensor2D,
  given: readonly tf.Tensor2D[],
  direction: Direction,
) {
  const made: tf.Tensor2D[] = []
  const fromCounter = tf.matMul(counters, net.counterWeights)
  let feedback: tf.Tensor2D = tf.zerosLike(given[0]!)
  for (const [step, bytes] of given.entries()) {
    const next = tf.tidy(() => {
      const product = (a: tf.Tensor2D, layer: 0 | 1 | 2, bias: tf.Tensor1D): tf.Tensor2D =>
        tf.add(tf.matMul(a, net.weights[layer]), bias)
      const firstBias: tf.Tensor1D = tf.add(net.biases[0], tf.mul(net.stepWeights, step))
      const h1 = wrapHidden(tf.add(product(feedback, 0, firstBias), fromCounter))
      const h2 = wrapHidden(product(h1, 1, net.biases[1]))
      return combine(direction, bytes, wrap(product(h2, 2, net.biases[2])))
    })
    made.push(next)
    feedback = direction === 'add' ? next : bytes
  }
  return made
}

async function runGroup(network: Network, job: KeystreamJob): Promise<Uint8Array> {
  const chunks = Math.ceil(job.bytes.length / CHUNK_BYTES)
  const steps = Math.min(STEPS, Math.ceil(job.bytes.length / STEP_BYTES))
  const made = tf.tidy(() => {
    const given = Array.from({ length: steps }, (_, step) => stepRows(job.bytes, chunks, step))
    const counters = counterRows(job.section, job.firstChunk, chunks)
    return runSteps(uploadNetwork(network), counters, given, job.direction)
  })
  try {
    const out = new Uint8Array(chunks * CHUNK_BYTES)
    for (const [step, rows] of made.entries()) {
      const values = await rows.data()
      for (let chunk = 0; chunk < chunks; chunk++)
        out.set(
          values.subarray(chunk * STEP_BYTES, (chunk + 1) * STEP_BYTES),
          chunk * CHUNK_BYTES + step * STEP_BYTES,
        )
    }
    return out.subarray(0, job.bytes.length)
  } finally {
    tf.dispose(made)
  }
}

async function runTensors(network: Network, job: KeystreamJob): Promise<Uint8Array> {
  checkJob(job)
  const out = new Uint8Array(job.bytes.length)
  const groupBytes = GROUP_CHUNKS * CHUNK_BYTES
  for (let start = 0; start < out.length; start += groupBytes) {
    const bytes = job.bytes.subarray(start, start + groupBytes)
    const firstChunk = job.firstChunk + start / CHUNK_BYTES
    out.set(await runGroup(network, { ...job, firstChunk, bytes }), start)
  }
  return out
}

/** Runs on the backend that TensorFlow.js has when it is called. */
export const tensorEngine: KeystreamEngine = { name: 'tensor', run: runTensors }
