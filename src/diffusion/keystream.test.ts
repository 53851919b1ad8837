import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { equalBytes, parseHex, toHex } from '../lib/bytes'
import { DiffusionError } from './errors'
import { countKeystreamMismatches } from './keystream-check'
import { referenceEngine, runReference } from './keystream-reference'
import { tensorEngine } from './keystream-tensor'
import { assembleKernel, loadWasmEngine } from './keystream-wasm'
import { createMask } from './mask'
import { CHUNK_BYTES, expandNetwork, networkFromBytes, WEIGHT_BYTES } from './neural-keystream'
import type { KeystreamEngine } from './neural-keystream'
import vectors from './vectors/mask-v1.json'

let wasm: KeystreamEngine

beforeAll(async () => {
  const path = createRequire(import.meta.url).resolve(
    '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm',
  )
  setWasmPaths(dirname(path) + sep)
  const engine = await loadWasmEngine()
  if (engine === null) throw new Error('This machine has no WebAssembly SIMD.')
  wasm = engine
})

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const plaintextOf = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => 7 * i + 31 * (i >> 8) + seed)

describe('golden vectors of an independent implementation', () => {
  for (const name of ['wasm-simd', 'reference', 'tensor'] as const)
    it(`are what ${name} computes, both ways`, async () => {
      await tf.setBackend('wasm')
      const engine = { 'wasm-simd': wasm, reference: referenceEngine, tensor: tensorEngine }[name]
      const mask = createMask(1, { engine })
      expect(vectors.sections.length).toBeGreaterThan(8)
      for (const vector of vectors.sections) {
        const keys = { aes: parseHex(vector.aes)!, net: parseHex(vector.net)! }
        const plaintext = plaintextOf(vector.length, vector.seed)
        const masked = await mask.apply(keys, vector.section, plaintext)
        expect(toHex(masked.subarray(0, 32))).toBe(vector.first32)
        expect(sha256(masked)).toBe(vector.sha256)
        expect(sha256(await mask.remove(keys, vector.section, masked))).toBe(sha256(plaintext))
      }
    })

  it('hold for a chunk far into a section', async () => {
    const { aes, net, section, chunk, length, seed, sha256: hash } = vectors.chunk
    const keys = { aes: parseHex(aes)!, net: parseHex(net)! }
    const network = await expandNetwork(keys.net)
    for (const engine of [wasm, referenceEngine]) {
      // What AES adds cancels: removing the mask from any chunk and running the other engine forwards meets again.
      const given = plaintextOf(length, seed)
      const job = { direction: 'add', section, firstChunk: chunk, bytes: given } as const
      expect(await engine.run(network, job)).toEqual(runReference(network, job))
      const mask = createMask(1, { engine })
      const noise = createMask(0x8001)
      const addedNoise = (await noise.removeChunk(keys, section, chunk, given)).map(
        (x, i) => 2 * given[i]! - x,
      )
      const masked = await engine.run(network, { ...job, bytes: addedNoise })
      expect(sha256(masked)).toBe(hash)
      expect(await mask.removeChunk(keys, section, chunk, masked)).toEqual(given)
    }
  })
})

describe('engines', () => {
  it('agree to the bit on any weights, bytes and place', async () => {
    await tf.setBackend('wasm')
    const job = fc.record({
      direction: fc.constantFrom('add' as const, 'remove' as const),
      section: fc.nat({ max: 65535 }),
      firstChunk: fc.nat({ max: 2 ** 32 - 3 }),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ minLength: 8000, maxLength: 8600 }),
        fc.integer({ min: CHUNK_BYTES - 70, max: CHUNK_BYTES + 200 }).map((length) => plaintextOf(length, 3)),
      ),
    })
    const weights = fc.oneof(
      fc
        .infiniteStream(fc.nat({ max: 255 }))
        .map((s) => Uint8Array.from({ length: 64 }, () => s.next().value as number)),
      fc.constantFrom(0, 127, 128, 255).map((byte) => new Uint8Array(64).fill(byte)), // the largest sums there are
    )
    await fc.assert(
      fc.asyncProperty(job, weights, async (someJob, pattern) => {
        const stream = Uint8Array.from({ length: WEIGHT_BYTES }, (_, i) => pattern[(i * 5 + (i >> 6)) % 64]!)
        const network = networkFromBytes(stream)
        const expected = runReference(network, someJob)
        expect(equalBytes(await wasm.run(network, someJob), expected)).toBe(true)
        expect(equalBytes(await tensorEngine.run(network, someJob), expected)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })

  it('agree on the cpu backend of TensorFlow.js, and the check counts what differs', async () => {
    for (const backend of ['cpu', 'wasm']) {
      await tf.setBackend(backend)
      expect(await countKeystreamMismatches()).toBe(0)
    }
    const wrong: KeystreamEngine = {
      name: 'one bit off',
      run: (network, job) =>
        Promise.resolve(runReference(network, job).map((byte, i) => (i === 5000 ? byte ^ 1 : byte))),
    }
    expect(await countKeystreamMismatches(wrong)).toBe(2)
  })

  it('leave no tensors behind', async () => {
    await tf.setBackend('wasm')
    await countKeystreamMismatches()
    const { numTensors } = tf.memory()
    await countKeystreamMismatches()
    expect(tf.memory().numTensors).toBe(numTensors)
  })

  it('take overlapping calls', async () => {
    const mask = createMask(1, { engine: wasm })
    const jobs = vectors.sections.map((vector) => ({
      keys: { aes: parseHex(vector.aes)!, net: parseHex(vector.net)! },
      vector,
    }))
    const masked = await Promise.all(
      jobs.map(({ keys, vector }) =>
        mask.apply(keys, vector.section, plaintextOf(vector.length, vector.seed)),
      ),
    )
    expect(masked.map(sha256)).toEqual(vectors.sections.map((vector) => vector.sha256))
  })

  it('refuse places that the counter block cannot hold', () => {
    const network = networkFromBytes(new Uint8Array(WEIGHT_BYTES))
    const bytes = new Uint8Array(CHUNK_BYTES + 1)
    for (const wrong of [
      { section: -1, firstChunk: 0 },
      { section: 65536, firstChunk: 0 },
      { section: 0.5, firstChunk: 0 },
      { section: 0, firstChunk: -1 },
      { section: 0, firstChunk: 2 ** 32 - 1 }, // two chunks, one past the end
    ])
      expect(() => runReference(network, { direction: 'add', bytes, ...wrong })).toThrow(DiffusionError)
    expect(() => networkFromBytes(new Uint8Array(WEIGHT_BYTES - 1))).toThrow(DiffusionError)
  })

  it('run a valid WebAssembly module', () => {
    const code = assembleKernel()
    expect(WebAssembly.validate(code)).toBe(true)
    expect(WebAssembly.Module.exports(new WebAssembly.Module(code)).map((e) => e.name)).toEqual([
      'products',
      'add',
      'remove',
      'memory',
    ])
  })
})
