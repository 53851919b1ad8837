import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addBytes, subtractBytes } from './byte-addition'
import { openAesKeystream } from './aes-keystream'
import { equalBytes } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import { runBattery, worstVerdict } from '../lib/randomness'
import { createMask, defaultEngine, PROCESS_TORUS_AES, PROCESS_TORUS_NEURAL } from './mask'
import type { MaskKeys } from './mask'
import { BLOCK_BYTES, CHUNK_BYTES, expandNetwork, STEP_BYTES } from './neural-keystream'
import type { KeystreamEngine } from './neural-keystream'

const mask = createMask()
const aesAlone = createMask(PROCESS_TORUS_AES)

function keyOf(seed: number): Uint8Array {
  const key = new Uint8Array(32)
  makePrng(seed).fill(key)
  return key
}
const keys: MaskKeys = { aes: keyOf(1), net: keyOf(2) }

function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice()
  copy[bit >> 3]! ^= 1 << (bit & 7)
  return copy
}

/** Share of bits that differ. */
function bitDistance(a: Uint8Array, b: Uint8Array): number {
  let different = 0
  for (let i = 0; i < a.length; i++) for (let d = a[i]! ^ b[i]!; d > 0; d >>= 1) different += d & 1
  return different / (8 * a.length)
}

/** Share of bytes that differ: 255/256 for independent bytes. */
function byteDistance(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, x, i) => sum + (x === b[i] ? 0 : 1), 0) / a.length
}

describe('mask', () => {
  it('comes back whole and by chunk, and leaves its arguments as they were', async () => {
    const sizes = fc.oneof(fc.nat({ max: 300 }), fc.integer({ min: 60_000, max: 140_000 }))
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat({ max: 65535 }), fc.nat(), async (length, section, seed) => {
        const plaintext = new Uint8Array(length)
        makePrng(seed).fill(plaintext)
        const kept = [plaintext.slice(), keys.aes.slice(), keys.net.slice()]
        for (const process of [mask, aesAlone]) {
          const masked = await process.apply(keys, section, plaintext)
          expect(equalBytes(await process.remove(keys, section, masked), plaintext)).toBe(true)
          for (let chunk = 0; chunk * CHUNK_BYTES < length; chunk++) {
            const [from, to] = [chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES]
            const opened = await process.removeChunk(keys, section, chunk, masked.subarray(from, to))
            expect(equalBytes(opened, plaintext.subarray(from, to))).toBe(true)
          }
        }
        expect([plaintext, keys.aes, keys.net].every((bytes, i) => equalBytes(bytes, kept[i]!))).toBe(true)
      }),
      { numRuns: 12 },
    )
  })

  it('works through sections longer than its groups', async () => {
    const plaintext = new Uint8Array(4 * 2 ** 20 + 70_000).map((_, i) => i >> 9)
    const masked = await mask.apply(keys, 2, plaintext)
    expect(equalBytes(await mask.remove(keys, 2, masked), plaintext)).toBe(true)
    const last = Math.floor(plaintext.length / CHUNK_BYTES)
    const tail = await mask.removeChunk(keys, 2, last, masked.subarray(last * CHUNK_BYTES))
    expect(equalBytes(tail, plaintext.subarray(last * CHUNK_BYTES))).toBe(true)
  })

  it('refuses bad keys, places and process numbers', async () => {
    const short = new Uint8Array(31)
    const some = new Uint8Array(10)
    for (const attempt of [
      () => mask.apply({ ...keys, aes: short }, 1, some),
      () => mask.apply({ ...keys, net: short }, 1, some),
      () => mask.apply(keys, 65536, some),
      () => mask.remove(keys, -1, some),
      () => mask.removeChunk(keys, 1, 2 ** 32, some),
      () => mask.removeChunk(keys, 1, 0, new Uint8Array(CHUNK_BYTES + 1)),
    ])
      await expect(attempt()).rejects.toMatchObject({ name: 'DiffusionError', code: 'bad-argument' })
    for (const id of [0, 2, 0x8000, 0xffff])
      expect(() => createMask(id)).toThrow(expect.objectContaining({ code: 'unknown-process' }) as Error)
    expect([mask.processId, aesAlone.processId]).toEqual([PROCESS_TORUS_NEURAL, PROCESS_TORUS_AES])
  })
})

describe('keys', () => {
  const plaintext = new Uint8Array(3 * STEP_BYTES).fill(9)

  it('each matter: with one of them wrong nothing is left of the plaintext', async () => {
    const masked = await mask.apply(keys, 1, plaintext)
    for (const wrong of [
      { ...keys, aes: keyOf(3) },
      { ...keys, net: keyOf(3) },
      { aes: keys.net, net: keys.aes },
    ])
      expect(byteDistance(await mask.remove(wrong, 1, masked), plaintext)).toBeGreaterThan(0.99)
    expect(byteDistance(await mask.remove(keys, 2, masked), plaintext)).toBeGreaterThan(0.99)
  })

  it('avalanche: any flipped key bit, and any other section, changes half of all bits', async () => {
    const base = await mask.apply(keys, 1, plaintext)
    const tolerance = 6 / (2 * Math.sqrt(8 * base.length))
    for (const bit of [0, 1, 7, 8, 100, 128, 200, 254, 255]) {
      for (const changed of [
        { ...keys, aes: flipBit(keys.aes, bit) },
        { ...keys, net: flipBit(keys.net, bit) },
      ])
        expect(Math.abs(bitDistance(base, await mask.apply(changed, 1, plaintext)) - 0.5)).toBeLessThan(
          tolerance,
        )
    }
  })
})

describe('the neural keystream within the mask', () => {
  /** c - x - a: what the network adds. */
  async function networkPart(section: number, plaintext: Uint8Array): Promise<Uint8Array> {
    const masked = await mask.apply(keys, section, plaintext)
    const noise = await (await openAesKeystream(keys.aes)).read(0, plaintext.length)
    return subtractBytes(subtractBytes(masked, plaintext), noise)
  }

  it('depends on every counter: section, lane and step', async () => {
    const zeros = new Uint8Array(CHUNK_BYTES)
    const first = await networkPart(1, zeros)
    const tolerance = 6 / (2 * Math.sqrt(8 * STEP_BYTES))
    const here = first.subarray(0, STEP_BYTES)
    // At step 0 the feedback is zero, so sections and lanes differ by their counters alone.
    const otherSection = (await networkPart(2, zeros)).subarray(0, STEP_BYTES)
    expect(Math.abs(bitDistance(here, otherSection) - 0.5)).toBeLessThan(tolerance)
    const nextLane = first.slice(BLOCK_BYTES, STEP_BYTES)
    expect(Math.abs(bitDistance(here.subarray(0, nextLane.length), nextLane) - 0.5)).toBeLessThan(tolerance)
    const secondChunk = (await networkPart(1, new Uint8Array(CHUNK_BYTES + STEP_BYTES))).subarray(CHUNK_BYTES)
    expect(Math.abs(bitDistance(here, secondChunk) - 0.5)).toBeLessThan(tolerance)
  })

  it('avalanche: one changed plaintext bit changes half of all later bits of its lane, and no other lane', async () => {
    const plaintext = new Uint8Array(CHUNK_BYTES).map((_, i) => i >> 4)
    const base = await mask.apply(keys, 1, plaintext)
    for (const [lane, bit] of [
      [0, 0],
      [17, 7],
      [63, 511],
    ] as const) {
      const at = lane * BLOCK_BYTES
      const changed = await mask.apply(keys, 1, flipBit(plaintext, 8 * at + bit))
      const laneOf = (bytes: Uint8Array, of: number): Uint8Array =>
        Uint8Array.from({ length: 15 * BLOCK_BYTES }, (_, i) => {
          const step = 1 + Math.floor(i / BLOCK_BYTES)
          return bytes[step * STEP_BYTES + of * BLOCK_BYTES + (i % BLOCK_BYTES)]!
        })
      const distance = bitDistance(laneOf(base, lane), laneOf(changed, lane))
      expect(Math.abs(distance - 0.5)).toBeLessThan(6 / (2 * Math.sqrt(8 * 15 * BLOCK_BYTES)))
      const other = (lane + 1) % 64
      expect(laneOf(changed, other)).toEqual(laneOf(base, other))
    }
  })

  it('never decides alone: for a hostile constant f the mask is AES-CTR plus that constant', async () => {
    const plaintext = new Uint8Array(2 * CHUNK_BYTES + 77).map((_, i) => i >> 8)
    for (const constant of [0, 1, 255]) {
      const hostile: KeystreamEngine = {
        name: 'constant',
        run: (_network, { direction, bytes }) => {
          const f = new Uint8Array(bytes.length).fill(constant)
          return Promise.resolve(direction === 'add' ? addBytes(bytes, f) : subtractBytes(bytes, f))
        },
      }
      const masked = await createMask(1, { engine: hostile }).apply(keys, 1, plaintext)
      const alone = await aesAlone.apply(keys, 1, plaintext)
      expect(
        equalBytes(
          masked,
          alone.map((byte) => byte + constant),
        ),
      ).toBe(true)
      const other = await createMask(1, { engine: hostile }).apply({ ...keys, aes: keyOf(4) }, 1, plaintext)
      expect(byteDistance(masked, other)).toBeGreaterThan(0.99)
    }
  })
})

describe('streams', () => {
  const MEGABYTES = 2
  const zeros = new Uint8Array(MEGABYTES * 2 ** 20)

  it('pass the battery: zeros, one grey, and the difference of two keys one bit apart', async () => {
    const ofZeros = await mask.apply(keys, 1, zeros)
    const ofGrey = await mask.apply(
      { aes: keyOf(5), net: keyOf(6) },
      1,
      zeros.map(() => 128),
    )
    const oneBit = await mask.apply({ ...keys, net: flipBit(keys.net, 77) }, 1, zeros)
    for (const stream of [ofZeros, ofGrey, subtractBytes(ofZeros, oneBit)])
      expect(worstVerdict(runBattery(stream))).toBe('pass')
  })

  it('pass with the AES side at zero, and fail with both sides broken', async () => {
    const engine = await defaultEngine()
    const network = await expandNetwork(keys.net)
    const job = { direction: 'add', section: 1, firstChunk: 0, bytes: zeros } as const
    expect(worstVerdict(runBattery(await engine.run(network, job)))).not.toBe('fail')
    for (const layer of network) layer.weights.fill(0)
    expect(worstVerdict(runBattery(await engine.run(network, job)))).toBe('fail')
  })
})
