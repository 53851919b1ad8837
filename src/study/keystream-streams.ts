/**
 * Structured streams: what a generator must turn into noise when its inputs are as regular as they can be. Each is made
 * by the mask as shipped, by the neural keystream alone, and, beside them, by generators known to be weak.
 */
import { makePrng } from '../lib/prng'
import { subtractBytes } from '../diffusion/byte-addition'
import { createMask, defaultEngine } from '../diffusion/mask'
import { CHUNK_BYTES, expandNetwork } from '../diffusion/neural-keystream'

export interface Stream {
  readonly generator: string
  readonly input: string
  /** Whether the study expects it to pass: the weak ones are there to fail. */
  readonly isWeak: boolean
  make(length: number): Promise<Uint8Array>
}

/** Two keys, from a number: studies repeat. */
export interface KeyPair {
  readonly aes: Uint8Array
  readonly net: Uint8Array
}

export function studyKeys(seed: number): KeyPair {
  const prng = makePrng(seed)
  const [aes, net] = [new Uint8Array(32), new Uint8Array(32)]
  prng.fill(aes)
  prng.fill(net)
  return { aes, net }
}

/** A key that is a counter and nothing else. */
function counterKey(counter: number): Uint8Array {
  const key = new Uint8Array(32)
  new DataView(key.buffer).setUint32(0, counter, true)
  return key
}

function flipped(key: Uint8Array, bit: number): Uint8Array {
  const copy = key.slice()
  copy[bit >> 3]! ^= 1 << (bit & 7)
  return copy
}

/** Turns a plaintext into a stream under keys. */
type Generator = (keys: KeyPair, section: number, plaintext: Uint8Array) => Promise<Uint8Array>

const shippedMask: Generator = (keys, section, plaintext) => createMask().apply(keys, section, plaintext)

const neuralAlone: Generator = async ({ net }, section, bytes) => {
  const engine = await defaultEngine()
  return engine.run(await expandNetwork(net), { direction: 'add', section, firstChunk: 0, bytes })
}

const FLIPPED_BIT = 77
const INTERLEAVED = 1024
const WORD_BYTES = 8

/** One word of each of 1,024 streams in turn, whose keys count from 0. */
async function interleaved(generate: Generator, length: number): Promise<Uint8Array> {
  const words = Math.ceil(length / (INTERLEAVED * WORD_BYTES))
  const out = new Uint8Array(words * INTERLEAVED * WORD_BYTES)
  const plaintext = new Uint8Array(words * WORD_BYTES)
  for (let lane = 0; lane < INTERLEAVED; lane++) {
    const key = counterKey(lane)
    const stream = await generate({ aes: key, net: key }, 1, plaintext)
    for (let word = 0; word < words; word++)
      out.set(
        stream.subarray(word * WORD_BYTES, (word + 1) * WORD_BYTES),
        (word * INTERLEAVED + lane) * WORD_BYTES,
      )
  }
  return out.subarray(0, length)
}

/** The first chunk of many sections, one after another: nothing but the section number changes. */
async function sections(generate: Generator, length: number): Promise<Uint8Array> {
  const out = new Uint8Array(length)
  const plaintext = new Uint8Array(CHUNK_BYTES)
  const keys = studyKeys(4)
  for (let start = 0; start < length; start += CHUNK_BYTES) {
    const stream = await generate(keys, start / CHUNK_BYTES, plaintext)
    out.set(stream.subarray(0, length - start), start)
  }
  return out
}

function structuredInputs(generator: string, generate: Generator): Stream[] {
  const stream = (input: string, make: (length: number) => Promise<Uint8Array>): Stream => ({
    generator,
    input,
    isWeak: false,
    make,
  })
  return [
    stream('all zeros', (length) => generate(studyKeys(1), 1, new Uint8Array(length))),
    stream('one grey level', (length) => generate(studyKeys(2), 1, new Uint8Array(length).fill(128))),
    stream('difference of two keys one bit apart', async (length) => {
      const keys = studyKeys(3)
      const other = { aes: flipped(keys.aes, FLIPPED_BIT), net: flipped(keys.net, FLIPPED_BIT) }
      const zeros = new Uint8Array(length)
      return subtractBytes(await generate(keys, 1, zeros), await generate(other, 1, zeros))
    }),
    stream('1,024 keys that count from 0, interleaved', (length) => interleaved(generate, length)),
  ]
}

function fromWords(length: number, next: () => number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0; i < words.length; i++) words[i] = next()
  return new Uint8Array(words.buffer, 0, length)
}

/** The rand() of ISO C's example, all 32 bits of its state. */
function linearCongruential(length: number): Uint8Array {
  let state = 1
  return fromWords(length, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0))
}

/** Marsaglia's xorshift32: even byte counts, but linear over GF(2). */
export function xorshift32(length: number): Uint8Array {
  let state = 1
  return fromWords(length, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  })
}

/** The logistic map x -> 4 x (1 - x), as in many chaotic image ciphers: one byte of each state. */
function logisticMap(length: number): Uint8Array {
  let x = 0.3141592653589793
  const out = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    x = 4 * x * (1 - x)
    out[i] = Math.floor(x * 256)
  }
  return out
}

function weakStream(generator: string, make: (length: number) => Uint8Array): Stream {
  return { generator, input: 'seed 1', isWeak: true, make: (length) => Promise.resolve(make(length)) }
}

export function structuredStreams(): Stream[] {
  return [
    ...structuredInputs('mask as shipped', shippedMask),
    ...structuredInputs('neural keystream alone', neuralAlone),
    {
      generator: 'neural keystream alone',
      input: 'one key, section numbers that count',
      isWeak: false,
      make: (length) => sections(neuralAlone, length),
    },
    weakStream('linear congruential', linearCongruential),
    weakStream('xorshift32', xorshift32),
    weakStream('logistic map', logisticMap),
  ]
}

/** The shipped mask over zeros, a megabyte at a time and as long as wanted: for external batteries. */
export async function* shippedPieces(totalBytes: number): AsyncGenerator<Uint8Array> {
  const pieceBytes = 16 * CHUNK_BYTES
  const plaintext = new Uint8Array(pieceBytes)
  for (let start = 0; start < totalBytes; start += pieceBytes)
    yield await shippedMask(studyKeys(1 + start / pieceBytes), 1, plaintext)
}

/** The same length of a weak generator. */
export async function* weakPieces(totalBytes: number): AsyncGenerator<Uint8Array> {
  const pieceBytes = 16 * CHUNK_BYTES
  let state = 1
  for (let start = 0; start < totalBytes; start += pieceBytes) {
    yield await Promise.resolve(
      fromWords(pieceBytes, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0)),
    )
  }
}
