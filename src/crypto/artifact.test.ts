import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CHUNK_BYTES, HEADER_BYTES, SECTION, TAG_BYTES, THUMBNAIL_OFFSET } from '../format/artifact'
import { layOutSections } from '../format/artifact-index'
import { accountIds, modelIds } from '../format/ids'
import { paddedSectionLength, PADDING_RULE } from '../format/padding'
import { PROCESS } from '../format/suite'
import { present } from '../lib/assert'
import { copyBytes, equalBytes, toHex, unsharedBytes, utf8, type Bytes } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import { chunkBytesOf, openArtifact, sealArtifact, sealedSection, type Mask, type Section } from './artifact'
import { unwrapDataKey, wrapDataKey } from './artifact-keys'
import { CryptoError } from './errors'
import { importSecret } from './kdf'
import { newArtifactId, randomBytes } from './random'
import { codeOf, flipped } from './testing'

/** AES-256-CTR added modulo 256, with the platform's own cipher: half of the mask, enough to test the seal. */
async function addKeystream(
  key: Uint8Array,
  bytes: Uint8Array,
  offset: number,
  sign: 1 | -1,
): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey('raw', unsharedBytes(key), 'AES-CTR', false, ['encrypt'])
  const counter = new Uint8Array(16)
  new DataView(counter.buffer).setUint32(12, offset / 16)
  const algorithm = { name: 'AES-CTR', counter, length: 128 }
  const noise = new Uint8Array(await crypto.subtle.encrypt(algorithm, imported, new Uint8Array(bytes.length)))
  return bytes.map((byte, i) => byte + sign * noise[i]!)
}
const mask: Mask = {
  processId: PROCESS.torus32,
  apply: (keys, _section, bytes) => addKeystream(keys.aes, bytes, 0, 1),
  remove: (keys, _section, bytes) => addKeystream(keys.aes, bytes, 0, -1),
  removeChunk: (keys, _section, chunk, bytes) => addKeystream(keys.aes, bytes, chunk * CHUNK_BYTES, -1),
}

const prng = makePrng(20)
const noise = (length: number): Bytes => {
  const bytes = new Uint8Array(length)
  prng.fill(bytes)
  return bytes
}
const modelSecret = noise(32)
const weightsHash = noise(32)
const lock = { modelSecret, weightsHash }
const picture = { width: 3, height: 2, quality: 40, paddingRule: 'eighths' } as const
const newNames = () => ({
  accountId: accountIds.fromBytes(noise(32)),
  artifactId: newArtifactId(),
  modelId: modelIds.fromBytes(noise(32)),
  modelGeneration: 1,
})

async function sealed(
  sections: readonly Section[],
  names = newNames(),
  paddingRule: keyof typeof PADDING_RULE = picture.paddingRule,
) {
  const artifact = await sealArtifact({ names, lock, mask, sections, picture: { ...picture, paddingRule } })
  const openBytes = (bytes: Uint8Array) =>
    openArtifact({ first: bytes, names, lock, mask, dataKey: artifact.dataKey })
  return { ...artifact, names, openBytes }
}

/** Opens everything, as a restore does. */
async function restore(
  bytes: Uint8Array,
  openBytes: (bytes: Uint8Array) => ReturnType<typeof openArtifact>,
): Promise<Map<number, Bytes>> {
  const reader = await openBytes(bytes)
  try {
    if (bytes.length !== reader.bytes) throw new CryptoError('damaged', 'The artifact has the wrong length.')
    const sections = new Map<number, Bytes>()
    for (const entry of reader.index.sections)
      sections.set(entry.id, await reader.section(entry.id, sealedSection(bytes, entry)))
    return sections
  } finally {
    reader.close()
  }
}

const small: Section[] = [
  { id: SECTION.image, bytes: noise(700) },
  { id: SECTION.thumbnail, bytes: noise(100) },
  { id: 900, bytes: noise(5) },
]

describe('an artifact', () => {
  it('gives back every section, whatever their lengths and order', async () => {
    const length = fc.oneof(
      fc.integer({ min: 0, max: 5000 }),
      fc.constantFrom(0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES),
    )
    const ids = fc.uniqueArray(fc.constantFrom(1, 2, 3, 4, 77, 65535), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(ids, fc.array(length, { minLength: 6, maxLength: 6 }), async (names, lengths) => {
        const sections = names.map((id, i) => ({ id, bytes: noise(lengths[i]!) }))
        const before = sections.map(({ bytes }) => toHex(bytes))
        const { bytes, openBytes } = await sealed(sections)
        const restored = await restore(bytes, openBytes)
        expect(restored.size).toBe(sections.length)
        for (const { id, bytes: plaintext } of sections)
          expect(equalBytes(present(restored.get(id), 'lost'), plaintext)).toBe(true)
        expect(sections.map((section) => toHex(section.bytes))).toEqual(before)
      }),
      { numRuns: 25 },
    )
  })

  it('is padded by the rule that was asked for, and names it in its index', async () => {
    const original = noise(3 * CHUNK_BYTES - 5000)
    const sections = [...small, { id: SECTION.original, bytes: original }]
    const lengths: number[] = []
    for (const rule of ['eighths', 'halves'] as const) {
      const { bytes, openBytes } = await sealed(sections, newNames(), rule)
      const reader = await openBytes(bytes)
      const { index } = reader
      expect(index.paddingRule).toBe(rule)
      for (const { id, trueBytes, paddedBytes } of index.sections)
        expect([id, paddedBytes]).toEqual([id, paddedSectionLength(PADDING_RULE[rule], id, trueBytes)])
      expect(reader.find(SECTION.original)?.trueBytes).toBe(original.length)
      const restored = (await restore(bytes, openBytes)).get(SECTION.original)
      expect(equalBytes(present(restored, 'lost'), original)).toBe(true)
      lengths.push(bytes.length)
    }
    expect(lengths[1]).toBeGreaterThan(lengths[0]!)
  })

  it('has its thumbnail at a fixed place and opens from what lies before it', async () => {
    const { bytes, openBytes } = await sealed(small)
    const reader = await openBytes(bytes.subarray(0, THUMBNAIL_OFFSET))
    const entry = present(reader.find(SECTION.thumbnail), 'no thumbnail')
    expect([entry.offset, entry.paddedBytes]).toEqual([THUMBNAIL_OFFSET, 4096])
    expect(await reader.section(SECTION.thumbnail, sealedSection(bytes, entry))).toEqual(small[1]!.bytes)
    expect(reader.find(SECTION.original)).toBeNull()
  })

  it('opens any chunk alone, in its place only', async () => {
    const image = noise(2 * CHUNK_BYTES + 999)
    const { bytes, openBytes } = await sealed([{ id: SECTION.image, bytes: image }])
    const reader = await openBytes(bytes)
    const entry = present(reader.find(SECTION.image), 'no image')
    const count = Math.ceil(entry.paddedBytes / CHUNK_BYTES)
    const chunkAt = (chunk: number) => {
      const { start, end } = chunkBytesOf(entry, chunk)
      return bytes.subarray(start, end)
    }
    for (let chunk = 0; chunk < count; chunk++) {
      const expected = image.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)
      expect(equalBytes(await reader.chunk(SECTION.image, chunk, chunkAt(chunk)), expected)).toBe(true)
      await reader.checkChunk(SECTION.image, chunk, chunkAt(chunk))
      for (let other = 0; other < count; other++)
        if (other !== chunk)
          expect(await codeOf(reader.checkChunk(SECTION.image, chunk, chunkAt(other)))).toBe('damaged')
    }
    expect(await codeOf(reader.checkChunk(SECTION.image, count, chunkAt(0)))).toBe('bad-field')
  })

  it('hides its content and shows its ids', async () => {
    const canary = utf8('canary in the picture bytes')
    const { bytes, names } = await sealed([{ id: SECTION.image, bytes: canary }])
    expect(Buffer.from(bytes).includes(Buffer.from(canary))).toBe(false)
    expect(Buffer.from(bytes).includes(Buffer.from(names.artifactId, 'base64url'))).toBe(true)
  })
})

describe('a changed artifact', () => {
  it('is refused for every bit of the header, with the right error', async () => {
    const { bytes, openBytes } = await sealed(small)
    const expected = (at: number) => {
      if (at < 8) return 'wrong-type'
      if (at < 16) return 'unsupported'
      if (at < 50) return 'wrong-object'
      if (at === 50) return 'unsupported'
      if (at < 67) return 'wrong-object'
      if (at < 91) return 'wrong-key-or-model'
      return at < 128 ? 'bad-field' : 'wrong-key-or-model'
    }
    for (let bit = 0; bit < HEADER_BYTES * 8; bit++) {
      const at = bit >> 3
      expect([at, await codeOf(restore(flipped(bytes, at, 1 << (bit & 7)), openBytes))]).toEqual([
        at,
        expected(at),
      ])
    }
  })

  it('is refused for every other byte', async () => {
    const { bytes, openBytes } = await sealed([small[0]!, small[2]!])
    for (let at = HEADER_BYTES; at < bytes.length; at++) {
      const code = await codeOf(restore(flipped(bytes, at, 1 << (at & 7)), openBytes))
      if (code !== 'damaged') expect.fail(`byte ${at} gave ${code}`)
    }
  })

  it('is refused at every length but its own', async () => {
    const { bytes, openBytes } = await sealed(small)
    for (const length of [
      0,
      1,
      159,
      160,
      161,
      4095,
      4096,
      4097,
      bytes.length - 17,
      bytes.length - 16,
      bytes.length - 1,
    ])
      expect(await codeOf(restore(bytes.subarray(0, length), openBytes))).toMatch(/truncated|damaged/)
    const longer = new Uint8Array(bytes.length + 1)
    longer.set(bytes)
    expect(await codeOf(restore(longer, openBytes))).toBe('damaged')
  })

  it('is refused when chunks are swapped, spliced or cut', async () => {
    const length = 2 * CHUNK_BYTES
    const a = await sealed([
      { id: SECTION.image, bytes: noise(length) },
      { id: SECTION.original, bytes: noise(length) },
    ])
    const b = await sealed([{ id: SECTION.image, bytes: noise(length) }], a.names)
    const image = a.index.sections[0]!
    const original = a.index.sections[1]!
    const step = CHUNK_BYTES + TAG_BYTES
    const move = (from: Uint8Array, start: number, to: number, bytes: number) => {
      const copy = copyBytes(a.bytes)
      copy.set(from.subarray(start, start + bytes), to)
      return codeOf(restore(copy, a.openBytes))
    }
    expect(await move(a.bytes, image.offset, image.offset + step, step)).toBe('damaged') // chunk 0 as chunk 1
    expect(await move(a.bytes, image.offset + step, image.offset, step)).toBe('damaged') // the last as the first
    expect(await move(a.bytes, original.offset, image.offset, step)).toBe('damaged') // from another section
    expect(await move(b.bytes, image.offset, image.offset, step)).toBe('damaged') // from another artifact of one name
    expect(await move(b.bytes, HEADER_BYTES, HEADER_BYTES, THUMBNAIL_OFFSET - HEADER_BYTES)).toBe('damaged') // its index
    expect(await move(b.bytes, 0, 0, HEADER_BYTES)).toBe('wrong-key-or-model') // its header
    const reader = await a.openBytes(a.bytes)
    const cut = sealedSection(a.bytes, image).subarray(0, step)
    expect(await codeOf(reader.section(SECTION.image, cut))).toBe('damaged')
  })

  it('is refused with any run of its bytes taken from another place or another seal', async () => {
    const a = await sealed(small)
    const b = await sealed(small, a.names)
    const place = fc.nat(a.bytes.length - 1)
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        place,
        place,
        fc.integer({ min: 1, max: 5000 }),
        async (own, from, to, run) => {
          const changed = copyBytes(a.bytes)
          changed.set((own ? a : b).bytes.subarray(from, from + Math.min(run, a.bytes.length - to)), to)
          if (equalBytes(changed, a.bytes)) return
          expect(await codeOf(restore(changed, a.openBytes))).not.toBe('opened')
        },
      ),
      { numRuns: 150 },
    )
  })

  it('is refused at a random length, and with random bits flipped', async () => {
    const { bytes, openBytes } = await sealed(small)
    const flips = fc.uniqueArray(fc.nat(8 * bytes.length - 1), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), flips, async (length, bits) => {
        expect(await codeOf(restore(bytes.subarray(0, length), openBytes))).toMatch(/^(truncated|damaged)$/)
        let changed = copyBytes(bytes)
        for (const bit of bits) changed = flipped(changed, bit >> 3, 1 << (bit & 7))
        expect(await codeOf(restore(changed, openBytes))).not.toBe('opened')
      }),
      { numRuns: 60 },
    )
  })
})

describe('the two locks', () => {
  it('both need their key, and say so', async () => {
    const { bytes, names, dataKey } = await sealed(small)
    const openWith = (change: Partial<Parameters<typeof openArtifact>[0]>) =>
      codeOf(openArtifact({ first: bytes, names, lock, mask, dataKey, ...change }))
    expect(await openWith({})).toBe('opened')
    expect(await openWith({ lock: { modelSecret: await importSecret(modelSecret), weightsHash } })).toBe(
      'opened',
    )
    expect(await openWith({ dataKey: randomBytes(32) })).toBe('wrong-key-or-model')
    expect(await openWith({ lock: { modelSecret: randomBytes(32), weightsHash } })).toBe('wrong-key-or-model')
    expect(await openWith({ lock: { modelSecret, weightsHash: randomBytes(32) } })).toBe('wrong-key-or-model')
    expect(await openWith({ names: { ...names, accountId: accountIds.fromBytes(randomBytes(32)) } })).toBe(
      'wrong-key-or-model',
    )
    expect(await openWith({ names: newNames() })).toBe('wrong-object')
  })

  it('never share a key or nonce between overlapping seals', async () => {
    const names = newNames()
    const seen: string[] = []
    const watching: Mask = {
      ...mask,
      apply(keys, section, bytes) {
        seen.push(toHex(keys.aes), toHex(keys.net))
        return mask.apply(keys, section, bytes)
      },
    }
    const seals = Array.from({ length: 12 }, () =>
      sealArtifact({ names, lock, mask: watching, sections: small, picture }),
    )
    const artifacts = await Promise.all(seals)
    expect(new Set(artifacts.map(({ nonce }) => toHex(nonce))).size).toBe(12)
    expect(new Set(artifacts.map(({ dataKey }) => toHex(dataKey))).size).toBe(12)
    expect(seen.length).toBe(12 * 4 * 2)
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('wrap a data key for one artifact under one vault key', async () => {
    const { dataKey, names, bytes, openBytes } = await sealed(small)
    const { header } = await openBytes(bytes)
    const context = { accountId: names.accountId, header }
    const vaultKey = randomBytes(32)
    const wrapped = await wrapDataKey(vaultKey, context, dataKey)
    expect(wrapped.length).toBe(60)
    expect(await unwrapDataKey(await importSecret(vaultKey), context, wrapped)).toEqual(dataKey)
    expect(await codeOf(unwrapDataKey(randomBytes(32), context, wrapped))).toBe('damaged')
    const other = { ...context, header: { ...header, artifactId: newArtifactId() } }
    expect(await codeOf(unwrapDataKey(vaultKey, other, wrapped))).toBe('damaged')
  })
})

describe('what cannot be opened again', () => {
  it('is not sealed', async () => {
    const bytes = noise(10)
    const refused: Section[][] = [
      [{ id: SECTION.index, bytes }],
      [
        { id: 5, bytes },
        { id: 5, bytes },
      ],
      [{ id: 99, flags: 1, bytes }],
      Array.from({ length: 33 }, (_, i) => ({ id: i + 1, bytes })),
    ]
    for (const sections of refused)
      expect(await codeOf(sealed(sections))).toMatch(/^(bad-field|unsupported|too-large)$/)
    expect(layOutSections(PADDING_RULE.eighths, [])).toEqual([])
  })
})
