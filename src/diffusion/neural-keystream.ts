/**
 * The neural keystream, version 1: a small network of integers, keyed by its weights, whose output is added mod 256 to
 * bytes that AES-256-CTR has already masked. Nothing is claimed for it alone (see mask.ts). The format, fixed for ever:
 *
 *   section bytes   chunk 0 (64 KiB) | chunk 1 | ...          the last chunk may be short
 *   chunk           step 0 (4 KiB) | step 1 | ... | step 15
 *   step            lane 0 (64 B)  | lane 1 | ... | lane 63   a block is one lane at one step
 *
 *   input  u [72] = section u16 LE | chunk u32 LE | lane u8 | step u8 | previous ciphertext block of this lane [64]
 *                   (the 64 bytes that lie 4096 bytes earlier in the chunk; zeros at step 0)
 *   h1 [64] = floor(W1 (u  - 128) / 32) mod 256
 *   h2 [64] = floor(W2 (h1 - 128) / 32) mod 256
 *   f  [64] =       W3 (h2 - 128)       mod 256
 *   ciphertext block = plaintext block + f mod 256
 *
 * Weights are int8: W1 [72, 64], W2 [64, 64], W3 [64, 64], input-major, the first 12,800 bytes of an AES-256-CTR
 * keystream. Every sum is an integer below 2^24, so int32, float32 and any order of summation give the same bits; the
 * quotients are written as products with powers of two where floats compute them. 200 products a byte.
 * A chunk stands alone; opening is parallel over its blocks, sealing is a chain of 16 steps in each of 64 lanes.
 */
import { openAesKeystream } from './aes-keystream'
import { requireArgument } from './errors'

export const CHUNK_BYTES = 65536
export const LANES = 64
export const BLOCK_BYTES = 64
export const STEP_BYTES = LANES * BLOCK_BYTES
export const STEPS = CHUNK_BYTES / STEP_BYTES
export const COUNTER_BYTES = 8
export const INPUTS = COUNTER_BYTES + BLOCK_BYTES
export const HIDDEN = 64
/** Hidden sums lose their lowest bits before they wrap: what keeps the layers from being one linear map mod 256. */
export const HIDDEN_SHIFT = 5
const INPUT_OFFSET = 128

export const WEIGHT_BYTES = INPUTS * HIDDEN + HIDDEN * HIDDEN + HIDDEN * BLOCK_BYTES

export interface Layer {
  readonly inputs: number
  readonly outputs: number
  /** [inputs, outputs] */
  readonly weights: Int8Array
  /** [outputs]; -128 times the sum of each output's weights, so that layers read bytes 0..255 as they are */
  readonly bias: Int32Array
}

export type Network = readonly [Layer, Layer, Layer]

export type Direction = 'add' | 'remove'

/** Whole chunks of one section, the last of which may be short. */
export interface KeystreamJob {
  readonly direction: Direction
  readonly section: number
  readonly firstChunk: number
  readonly bytes: Uint8Array
}

/** One way of computing the keystream; all give the same bits. */
export interface KeystreamEngine {
  readonly name: string
  run(network: Network, job: KeystreamJob): Promise<Uint8Array>
}

function makeLayer(inputs: number, outputs: number, stream: Uint8Array, offset: number): Layer {
  const weights = new Int8Array(stream.slice(offset, offset + inputs * outputs).buffer)
  const bias = new Int32Array(outputs)
  for (let i = 0; i < inputs; i++)
    for (let o = 0; o < outputs; o++) bias[o]! -= INPUT_OFFSET * weights[i * outputs + o]!
  return { inputs, outputs, weights, bias }
}

/** `stream` [12800]: the bytes that the weights are read from. */
export function networkFromBytes(stream: Uint8Array): Network {
  requireArgument(stream.length === WEIGHT_BYTES, 'The weights of the neural keystream have 12,800 bytes.')
  const second = INPUTS * HIDDEN
  return [
    makeLayer(INPUTS, HIDDEN, stream, 0),
    makeLayer(HIDDEN, HIDDEN, stream, second),
    makeLayer(HIDDEN, BLOCK_BYTES, stream, second + HIDDEN * HIDDEN),
  ]
}

/** The network of one 32-byte key. */
export async function expandNetwork(netKey: Uint8Array): Promise<Network> {
  const keystream = await openAesKeystream(netKey)
  return networkFromBytes(await keystream.read(0, WEIGHT_BYTES))
}

/** Best effort, as all wiping in JavaScript. */
export function wipeNetwork(network: Network): void {
  for (const layer of network) {
    layer.weights.fill(0)
    layer.bias.fill(0)
  }
}

/** Writes the counter block of one lane and step. */
export function writeCounter(
  input: Uint8Array,
  section: number,
  chunk: number,
  lane: number,
  step: number,
): void {
  input[0] = section & 0xff
  input[1] = section >>> 8
  input[2] = chunk & 0xff
  input[3] = (chunk >>> 8) & 0xff
  input[4] = (chunk >>> 16) & 0xff
  input[5] = chunk >>> 24
  input[6] = lane
  input[7] = step
}

export function checkJob(job: KeystreamJob): void {
  const chunks = Math.ceil(job.bytes.length / CHUNK_BYTES)
  requireArgument(
    Number.isInteger(job.section) && job.section >= 0 && job.section < 2 ** 16,
    'A section number is a 16-bit integer.',
  )
  requireArgument(
    Number.isInteger(job.firstChunk) && job.firstChunk >= 0 && job.firstChunk + chunks <= 2 ** 32,
    'A chunk number is a 32-bit integer.',
  )
}
