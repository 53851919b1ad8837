import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyBytes, toHex, type Bytes } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import {
  CHUNK_BYTES,
  chunkCount,
  chunkNonce,
  chunkRange,
  decodeHeader,
  encodeHeaderBeforeCommit,
  HEADER_BEFORE_COMMIT_BYTES,
  HEADER_BYTES,
  INDEX_BYTES,
  sealedLength,
  TAG_BYTES,
  THUMBNAIL_OFFSET,
} from './artifact'
import { decodeIndex, encodeIndex, layOutSections, MAX_SECTIONS } from './artifact-index'
import { FormatError } from './errors'
import { chainEntryMessage } from './chain-entry'
import { accountIds, artifactIds, deviceIds, modelIds, recordIds } from './ids'
import { paddedLength, paddedSectionLength, PADDING_RULE } from './padding'
import { decodeRecordBody, encodeRecordBody, recordMessage } from './record'
import { PROCESS } from './suite'
import { accountRequest, chainFeed, wireBytes } from './wire'
import { z } from 'zod'

const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value)
const accepts = (work: () => unknown): boolean => {
  try {
    work()
    return true
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}

describe('padding', () => {
  it('is the next step, and wastes what the rule says', () => {
    for (const [rule, most] of [
      [PADDING_RULE.eighths, 0.0906],
      [PADDING_RULE.halves, 0.4143],
    ] as const) {
      let waste = 0
      const prng = makePrng(5)
      for (let i = 0; i < 3000; i++) {
        const bytes = Math.floor(2 ** (12 + 20 * prng.nextFloat()))
        const padded = paddedLength(rule, bytes)
        expect(padded).toBeGreaterThanOrEqual(bytes)
        expect(padded / bytes - 1).toBeLessThan(most + 0.0005)
        expect(paddedLength(rule, padded)).toBe(padded)
        waste += padded / bytes - 1
      }
      if (rule === PADDING_RULE.eighths) expect(waste / 3000).toBeCloseTo(0.044, 2)
    }
  })

  it('never falls as the length grows, and has its steps per factor of two', () => {
    const lengths = (rule: 1 | 2) => {
      const seen = new Set<number>()
      let last = 0
      for (let bytes = 2 ** 16 + 1; bytes <= 2 ** 17; bytes += 7) {
        const padded = paddedLength(rule, bytes)
        expect(padded).toBeGreaterThanOrEqual(last)
        last = padded
        seen.add(padded)
      }
      return seen.size
    }
    expect(lengths(PADDING_RULE.eighths)).toBe(8)
    expect(lengths(PADDING_RULE.halves)).toBe(2)
  })

  it('holds at its edges', () => {
    const small = Array.from({ length: 20 }, (_, bytes) => paddedLength(PADDING_RULE.eighths, bytes))
    expect(small).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 18, 20])
    expect(paddedLength(PADDING_RULE.eighths, 2 ** 40)).toBe(2 ** 40)
    expect(accepts(() => paddedLength(PADDING_RULE.eighths, 2 ** 40 + 1))).toBe(false)
    expect(accepts(() => paddedLength(PADDING_RULE.eighths, -1))).toBe(false)
    expect(paddedSectionLength(PADDING_RULE.eighths, 0, 5)).toBe(INDEX_BYTES)
    expect([0, 1, 4096, 4097].map((bytes) => paddedSectionLength(PADDING_RULE.eighths, 2, bytes))).toEqual([
      0, 4096, 4096, 8192,
    ])
  })
})

describe('chunks', () => {
  it('tile a sealed section', () => {
    const lengths = fc.oneof(fc.nat(300_000), fc.constantFrom(0, CHUNK_BYTES, 2 * CHUNK_BYTES))
    fc.assert(
      fc.property(lengths, (bytes) => {
        let at = 0
        for (let chunk = 0; chunk < chunkCount(bytes); chunk++) {
          const { start, end } = chunkRange(bytes, chunk)
          expect(start).toBe(at)
          expect(end - start).toBeGreaterThanOrEqual(bytes === 0 ? TAG_BYTES : TAG_BYTES + 1)
          at = end
        }
        expect(at).toBe(sealedLength(bytes))
      }),
    )
    expect(toHex(chunkNonce(258, true))).toBe('000000000000000000010201')
    expect(HEADER_BYTES + sealedLength(INDEX_BYTES)).toBe(THUMBNAIL_OFFSET)
  })
})

const fields = {
  process: PROCESS.torus32,
  modelId: modelIds.fromBytes(fill(32, 7)),
  modelGeneration: 258,
  artifactId: artifactIds.fromBytes(fill(16, 8)),
  nonce: fill(24, 9),
}

describe('the header', () => {
  const bytes = new Uint8Array(HEADER_BYTES).fill(0xcc)
  bytes.set(encodeHeaderBeforeCommit(fields))

  it('lies as it is drawn', () => {
    expect(toHex(bytes)).toBe(
      '534146454c47541a' +
        '0100' +
        '0100' +
        '0100' +
        '0000' +
        '07'.repeat(32) +
        '0201' +
        '10' +
        '08'.repeat(16) +
        '09'.repeat(24) +
        '00'.repeat(37) +
        'cc'.repeat(32),
    )
    expect(decodeHeader(bytes)).toEqual({ ...fields, commit: fill(32, 0xcc) })
  })

  it('refuses every process, flag and reserved bit it does not know', () => {
    let accepted = 0
    for (let bit = 0; bit < HEADER_BEFORE_COMMIT_BYTES * 8; bit++) {
      const copy = copyBytes(bytes)
      copy[bit >> 3]! ^= 1 << (bit & 7)
      if (accepts(() => decodeHeader(copy))) accepted++
    }
    expect(accepted).toBe(8 * (32 + 2 + 16 + 24)) // ids, generation and nonce may be anything
    for (let length = 0; length < HEADER_BYTES; length++)
      expect(accepts(() => decodeHeader(bytes.subarray(0, length)))).toBe(false)
  })
})

describe('the index', () => {
  const plans = [
    { id: 1, flags: 0, trueBytes: 70_000 },
    { id: 2, flags: 0, trueBytes: 5000 },
    { id: 7777, flags: 0, trueBytes: 0 },
  ]
  const index = {
    width: 20_000,
    height: 10,
    quality: 40,
    paddingRule: 'eighths' as const,
    extension: fill(0, 0),
    sections: layOutSections(PADDING_RULE.eighths, plans),
  }

  it('comes back, thumbnail first', () => {
    expect(decodeIndex(encodeIndex(index))).toEqual(index)
    expect(index.sections.map(({ id, offset }) => [id, offset])).toEqual([
      [2, THUMBNAIL_OFFSET],
      [1, THUMBNAIL_OFFSET + 8192 + 16],
      [7777, THUMBNAIL_OFFSET + 8192 + 16 + sealedLength(index.sections[1]!.paddedBytes)],
    ])
  })

  it('has room for as many sections as it allows, and a full extension', () => {
    const most = Array.from({ length: MAX_SECTIONS }, (_, i) => ({
      id: 100 + i,
      flags: 0,
      trueBytes: 2 ** 33,
    }))
    const sections = layOutSections(PADDING_RULE.eighths, most)
    const full = { ...index, sections, extension: fill(32, 1) }
    expect(decodeIndex(encodeIndex(full))).toEqual(full)
    expect(accepts(() => encodeIndex({ ...full, extension: fill(33, 1) }))).toBe(false)
  })

  it('refuses another layout, whatever is changed in it', () => {
    const bytes = encodeIndex(index)
    const prng = makePrng(6)
    for (let i = 0; i < 3000; i++) {
      const copy = copyBytes(bytes)
      copy[prng.nextBelow(400)] = prng.nextBelow(256)
      if (!accepts(() => decodeIndex(copy))) continue
      const decoded = decodeIndex(copy)
      expect(layOutSections(PADDING_RULE[decoded.paddingRule], decoded.sections)).toEqual(decoded.sections)
    }
    expect(accepts(() => decodeIndex(bytes.subarray(0, 60)))).toBe(false)
  })
})

describe('records and chain entries', () => {
  const id32 = (value: number) => fill(32, value)

  it('lie as they are drawn', () => {
    const record = recordMessage.encode({
      account: accountIds.fromBytes(id32(1)),
      recordId: recordIds.fromBytes(fill(16, 2)),
      version: 3,
      epoch: 4,
      modelId: modelIds.fromBytes(id32(5)),
      modelGeneration: 6,
      nonce: fill(24, 7),
      wrappedKey: fill(60, 8),
      commit: id32(9),
      sealed: fill(528, 10),
    })
    expect(toHex(record.subarray(0, 6))).toBe('060001000100')
    const drawn = [
      [10, 32, 1],
      [46, 16, 2],
      [82, 32, 5],
      [124, 24, 7],
      [152, 60, 8],
      [216, 32, 9],
      [252, 528, 10],
    ]
    for (const [at, length, value] of drawn)
      expect(record.subarray(at, at! + length!)).toEqual(fill(length!, value!))
    expect([66, 74, 118].map((at) => record[at])).toEqual([3, 4, 6])
    expect(record.length).toBe(252 + 528)
  })

  it('lie as they are drawn, with heads and without an artifact', () => {
    const device = deviceIds.fromBytes(id32(2))
    const entry = chainEntryMessage.encode({
      account: accountIds.fromBytes(id32(1)),
      device,
      n: 3,
      prevHash: id32(4),
      heads: [{ device, n: 5, hash: id32(6) }],
      action: 'delete',
      recordId: recordIds.fromBytes(fill(16, 7)),
      version: 8,
      epoch: 9,
      recordHash: null,
      artifactId: null,
      artifactHash: null,
      signature: fill(64, 10),
    })
    expect(toHex(entry.subarray(0, 6))).toBe('050001000100')
    const after = 128 + 80
    const drawn = [
      [10, 32, 1],
      [46, 32, 2],
      [90, 32, 4],
      [132, 32, 2],
      [176, 32, 6],
      [after + 10, 16, 7],
    ]
    for (const [at, length, value] of drawn)
      expect(entry.subarray(at, at! + length!)).toEqual(fill(length!, value!))
    expect([82, 126, 168, after + 4, after + 30, after + 38].map((at) => entry[at])).toEqual([
      3, 1, 5, 2, 8, 9,
    ])
    expect(entry.subarray(-64)).toEqual(fill(64, 10))
    expect(entry.length).toBe(after + 42 + 3 * 4 + 4 + 64)
  })
})

describe('the text of a record', () => {
  it('is one text for one record, whatever the order of its members', () => {
    const a = encodeRecordBody({ kind: 'photo', b: { y: 1, x: [2, { q: 1, p: 2 }] } })
    const b = encodeRecordBody({ b: { x: [2, { p: 2, q: 1 }], y: 1 }, kind: 'photo' })
    expect(a).toEqual(b)
    expect(a.length).toBe(512)
  })

  it('is refused with another length, padding or shape', () => {
    const good = encodeRecordBody({ kind: 'photo' })
    const nested = (levels: number) => `{"kind":"x","a":${'['.repeat(levels)}${']'.repeat(levels)}}`
    const padded = (text: string) => {
      const body = new Uint8Array(Math.ceil((4 + text.length) / 512) * 512)
      new DataView(body.buffer).setUint32(0, text.length, true)
      body.set(new TextEncoder().encode(text), 4)
      return body
    }
    expect(accepts(() => decodeRecordBody(padded(nested(63))))).toBe(true)
    for (const levels of [64, 30_000])
      expect(accepts(() => decodeRecordBody(padded(nested(levels))))).toBe(false)
    expect(accepts(() => encodeRecordBody(JSON.parse(nested(64)) as { kind: string }))).toBe(false)
    const change = (at: number, value: number) => {
      const copy = copyBytes(good)
      copy[at] = value
      return accepts(() => decodeRecordBody(copy))
    }
    expect([
      change(0, 15),
      change(1, 9),
      change(2, 255),
      change(511, 1),
      change(4, 0x5b),
      change(6, 0xff),
    ]).toEqual(Array.from({ length: 6 }, () => false))
    expect(accepts(() => decodeRecordBody(good.subarray(0, 511)))).toBe(false)
    expect(accepts(() => decodeRecordBody(new Uint8Array(1024)))).toBe(false)
  })
})

describe('the wire', () => {
  it('writes bytes as text and reads only the canonical one', () => {
    const schema = wireBytes(1, 40)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        expect(schema.parse(z.encode(schema, bytes))).toEqual(new Uint8Array(bytes))
      }),
    )
    for (const text of ['', 'AB', 'A=', 'A'.repeat(56), 5, null])
      expect(schema.safeParse(text).success).toBe(false)
  })

  it('refuses unknown members and wrong shapes', () => {
    expect(chainFeed.safeParse({ entries: [], next: 0 }).success).toBe(true)
    expect(chainFeed.safeParse({ entries: [], next: 0, more: 1 }).success).toBe(false)
    expect(chainFeed.safeParse({ entries: [{ seq: 0, entry: 'AA' }], next: 0 }).success).toBe(false)
    expect(accountRequest.safeParse({}).success).toBe(false)
  })
})
