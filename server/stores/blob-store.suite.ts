/** What every blob store must do, whatever it lies on. */
import { createHash, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { VaultError } from '../errors'
import type { BlobStore } from './blob-store'

const LIMITS = { maxBytes: 100_000, headBytes: 160 }

async function* inParts(bytes: Uint8Array, partBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += partBytes)
    yield await Promise.resolve(bytes.subarray(at, at + partBytes))
}

async function* broken(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
  throw new Error('the line went dead')
}

async function readAll(source: AsyncIterable<Uint8Array> | null): Promise<Buffer | null> {
  if (source === null) return null
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

async function keysOf(store: BlobStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list()) keys.push(key)
  return keys.sort()
}

export function describeBlobStore(
  name: string,
  open: () => Promise<{ store: BlobStore; end: () => Promise<void> }>,
): void {
  describe(name, () => {
    let store: BlobStore
    let end: () => Promise<void>
    beforeEach(async () => {
      ;({ store, end } = await open())
    })
    afterEach(() => end())

    it('gives back what was committed, with length, hash and head', async () => {
      for (const length of [0, 1, 159, 160, 161, 70_000]) {
        const bytes = randomBytes(length)
        const staged = await store.stage(inParts(bytes, 97), LIMITS)
        expect(staged.bytes).toBe(length)
        expect(Buffer.compare(staged.sha256, createHash('sha256').update(bytes).digest())).toBe(0)
        expect(Buffer.compare(staged.head, bytes.subarray(0, 160))).toBe(0)
        const key = `ab/${length.toString(16)}`
        await staged.commit(key)
        await staged.discard()
        expect(await store.size(key)).toBe(length)
        expect(Buffer.compare((await readAll(await store.open(key)))!, bytes)).toBe(0)
      }
    })

    it('shows nothing before the commit, and nothing of what was discarded', async () => {
      const staged = await store.stage(inParts(randomBytes(1000), 100), LIMITS)
      expect(await keysOf(store)).toEqual([])
      await staged.discard()
      expect(await store.open('ab/cd')).toBeNull()
      expect(await store.size('ab/cd')).toBeNull()
    })

    it('refuses what is too long and what breaks off', async () => {
      await (await store.stage(inParts(randomBytes(100_000), 999), LIMITS)).discard()
      const tooLong = store.stage(inParts(randomBytes(100_001), 999), LIMITS)
      await expect(tooLong).rejects.toSatisfy((e) => e instanceof VaultError && e.code === 'too-large')
      await expect(store.stage(broken(randomBytes(10)), LIMITS)).rejects.toThrow('the line went dead')
      expect(await keysOf(store)).toEqual([])
    })

    it('reads ranges with both ends included', async () => {
      const bytes = randomBytes(5000)
      await (await store.stage(inParts(bytes, 1000), LIMITS)).commit('01/02')
      for (const [start, end] of [
        [0, 0],
        [0, 4999],
        [1234, 2345],
        [4999, 4999],
      ] as const)
        expect(
          Buffer.compare(
            (await readAll(await store.open('01/02', { start, end })))!,
            bytes.subarray(start, end + 1),
          ),
        ).toBe(0)
    })

    it('lists and deletes', async () => {
      for (const key of ['0a/01', '0a/02', '0b/01'])
        await (await store.stage(inParts(randomBytes(10), 10), LIMITS)).commit(key)
      expect(await keysOf(store)).toEqual(['0a/01', '0a/02', '0b/01'])
      await store.delete('0a/02')
      await store.delete('0a/02')
      expect(await keysOf(store)).toEqual(['0a/01', '0b/01'])
    })

    it('takes no key that could name another place', async () => {
      for (const key of [
        '',
        '..',
        '../x',
        '/ab',
        'ab/',
        'ab//cd',
        'AB',
        'a b',
        'ab\0',
        'ab\\cd',
        'ab\n',
        'a'.repeat(301),
      ])
        await expect((async () => store.open(key))(), JSON.stringify(key)).rejects.toThrow(RangeError)
    })
  })
}
