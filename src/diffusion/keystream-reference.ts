/**
 * The neural keystream in plain TypeScript: the definition that the other engines are held to, and what runs where
 * WebAssembly has no SIMD. One block at a time, nothing but typed arrays.
 */
import {
  BLOCK_BYTES,
  CHUNK_BYTES,
  checkJob,
  COUNTER_BYTES,
  HIDDEN,
  HIDDEN_SHIFT,
  INPUTS,
  LANES,
  STEP_BYTES,
  writeCounter,
} from './neural-keystream'
import type { Direction, KeystreamEngine, KeystreamJob, Layer, Network } from './neural-keystream'

/** out[o] = ((bias[o] + sum of weights[i, o] input[i]) >> shift) mod 256 */
function applyLayer(layer: Layer, input: Uint8Array, sums: Int32Array, shift: number, out: Uint8Array): void {
  const { inputs, outputs, weights, bias } = layer
  sums.set(bias)
  for (let i = 0; i < inputs; i++) {
    const x = input[i]!
    const row = i * outputs
    for (let o = 0; o < outputs; o++) sums[o]! += Math.imul(weights[row + o]!, x)
  }
  for (let o = 0; o < outputs; o++) out[o] = (sums[o]! >> shift) & 0xff
}

/** f of one input [72]. */
function makeBlockFunction([first, second, third]: Network): (input: Uint8Array, f: Uint8Array) => void {
  const sums = new Int32Array(HIDDEN)
  const h1 = new Uint8Array(HIDDEN)
  const h2 = new Uint8Array(HIDDEN)
  return (input, f) => {
    applyLayer(first, input, sums, HIDDEN_SHIFT, h1)
    applyLayer(second, h1, sums, HIDDEN_SHIFT, h2)
    applyLayer(third, h2, sums, 0, f)
  }
}

export function runReference(network: Network, job: KeystreamJob): Uint8Array {
  checkJob(job)
  const blockFunction = makeBlockFunction(network)
  const out = new Uint8Array(job.bytes.length)
  const input = new Uint8Array(INPUTS)
  const f = new Uint8Array(BLOCK_BYTES)
  const sign = signOf(job.direction)
  const ciphertext = job.direction === 'add' ? out : job.bytes
  for (let start = 0; start < out.length; start += BLOCK_BYTES) {
    const inChunk = start % CHUNK_BYTES
    const chunk = job.firstChunk + Math.floor(start / CHUNK_BYTES)
    const step = Math.floor(inChunk / STEP_BYTES)
    writeCounter(input, job.section, chunk, (inChunk / BLOCK_BYTES) % LANES, step)
    if (step === 0) input.fill(0, COUNTER_BYTES)
    else input.set(ciphertext.subarray(start - STEP_BYTES, start - STEP_BYTES + BLOCK_BYTES), COUNTER_BYTES)
    blockFunction(input, f)
    const end = Math.min(start + BLOCK_BYTES, out.length)
    for (let i = start; i < end; i++) out[i] = job.bytes[i]! + sign * f[i - start]!
  }
  return out
}

function signOf(direction: Direction): 1 | -1 {
  return direction === 'add' ? 1 : -1
}

export const referenceEngine: KeystreamEngine = {
  name: 'reference',
  run: (network, job) => Promise.resolve(runReference(network, job)),
}
