import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountIds, modelIds } from '../format/ids'
import { MAX_RECORD_BYTES, recordMessage, type RecordBody } from '../format/record'
import { equalBytes, toHex } from '../lib/bytes'
import { newRecordId, randomBytes } from './random'
import { openRecord, sealRecord } from './record'
import { codeOf, flipped } from './testing'

const modelSecret = randomBytes(32)
const vaultKey = randomBytes(32)
const names = { accountId: accountIds.fromBytes(randomBytes(32)), recordId: newRecordId(), version: 1 }
const body: RecordBody = { kind: 'photo', name: 'Föhn über Zürich.jpg', later: { b: [1, null, 'x'], a: 0.5 } }
const options = {
  names,
  epoch: 1,
  modelId: modelIds.fromBytes(randomBytes(32)),
  modelGeneration: 1,
  modelSecret,
  vaultKey,
}
// JSON.parse makes it a member, but copying an object with one invites mischief: it is left out on reading
const memberName = fc.string().filter((name) => name !== '__proto__')
const vaultKeyOf = (epoch: number) => (epoch === 1 ? vaultKey : null)

describe('a sealed record', () => {
  it('comes back with everything it held, known or not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(memberName, fc.jsonValue()), async (extra) => {
        const members = JSON.parse(JSON.stringify({ ...extra, kind: 'photo' })) as RecordBody
        const opened = await openRecord(
          await sealRecord({ ...options, body: members }),
          names,
          modelSecret,
          vaultKeyOf,
        )
        expect(opened.body).toEqual(members)
      }),
      { numRuns: 60 },
    )
  })

  it('shows only a multiple of 512 bytes and no text', async () => {
    const lengths = new Set<number>()
    for (let i = 0; i < 400; i += 20)
      lengths.add((await sealRecord({ ...options, body: { ...body, caption: 'x'.repeat(i) } })).length)
    expect(lengths.size).toBeLessThanOrEqual(2)
    const sealed = await sealRecord({ ...options, body })
    expect(Buffer.from(sealed).includes('photo')).toBe(false)
    expect(Buffer.from(sealed).includes('Zürich')).toBe(false)
  })

  it('differs in every byte string that counts when sealed twice', async () => {
    const [a, b] = await Promise.all([sealRecord({ ...options, body }), sealRecord({ ...options, body })])
    expect(Buffer.from(a).subarray(-400).equals(Buffer.from(b).subarray(-400))).toBe(false)
  })

  it('is refused for every bit, with the right error', async () => {
    const sealed = await sealRecord({ ...options, body })
    const { nonce, wrappedKey, commit, sealed: sealedText } = recordMessage.decode(sealed)
    const startOf = (part: Uint8Array) => Buffer.from(sealed).indexOf(part)
    const [nonceAt, keyAt] = [startOf(nonce), startOf(wrappedKey)]
    const [commitAt, textAt] = [startOf(commit), startOf(sealedText)]
    const within = (at: number, start: number, part: Uint8Array) => at >= start && at < start + part.length
    const seen = new Map<string, number>()
    for (let at = 0; at < sealed.length; at++)
      for (let bit = at < textAt ? 0 : 7; bit < 8; bit++) {
        const code = await codeOf(openRecord(flipped(sealed, at, 1 << bit), names, modelSecret, vaultKeyOf))
        seen.set(code, (seen.get(code) ?? 0) + 1)
        if (within(at, commitAt, commit)) expect([at, code]).toEqual([at, 'wrong-key-or-model'])
        else if (
          within(at, nonceAt, nonce) ||
          within(at, keyAt, wrappedKey) ||
          within(at, textAt, sealedText)
        )
          expect([at, code]).toEqual([at, 'damaged'])
        else expect([at, code]).not.toEqual([at, 'opened'])
      }
    expect(seen.get('wrong-object')).toBe(8 * (32 + 16 + 4)) // account, record id and version
    for (const length of [0, 1, nonceAt, commitAt, textAt, sealed.length - 16, sealed.length - 1])
      expect(await codeOf(openRecord(sealed.subarray(0, length), names, modelSecret, vaultKeyOf))).not.toBe(
        'opened',
      )
  })

  it('is refused with parts of another version', async () => {
    const [a, b] = await Promise.all([sealRecord({ ...options, body }), sealRecord({ ...options, body })])
    const [mine, other] = [recordMessage.decode(a), recordMessage.decode(b)]
    for (const part of ['nonce', 'wrappedKey', 'commit', 'sealed'] as const) {
      const spliced = recordMessage.encode({ ...mine, [part]: other[part] })
      expect(equalBytes(spliced, a)).toBe(false)
      expect([part, await codeOf(openRecord(spliced, names, modelSecret, vaultKeyOf))]).not.toContain(
        'opened',
      )
    }
  })

  it('never shares a nonce, a wrapped key or a commitment between overlapping seals', async () => {
    const sealed = await Promise.all(Array.from({ length: 24 }, () => sealRecord({ ...options, body })))
    for (const part of ['nonce', 'wrappedKey', 'commit', 'sealed'] as const)
      expect(new Set(sealed.map((bytes) => toHex(recordMessage.decode(bytes)[part]))).size).toBe(24)
  })

  it('needs both locks and its own name', async () => {
    const sealed = await sealRecord({ ...options, body })
    expect(await codeOf(openRecord(sealed, names, randomBytes(32), vaultKeyOf))).toBe('wrong-key-or-model')
    expect(await codeOf(openRecord(sealed, names, modelSecret, () => null))).toBe('wrong-key-or-model')
    expect(await codeOf(openRecord(sealed, names, modelSecret, () => randomBytes(32)))).toBe('damaged')
    expect(await codeOf(openRecord(sealed, { ...names, version: 2 }, modelSecret, vaultKeyOf))).toBe(
      'wrong-object',
    )
    const other = { ...names, recordId: newRecordId() }
    expect(await codeOf(openRecord(sealed, other, modelSecret, vaultKeyOf))).toBe('wrong-object')
  })

  it('is at most 64 KiB long', async () => {
    const longest = 126 * 512 - 4 - JSON.stringify({ kind: 'photo', text: '' }).length
    const sealed = await sealRecord({ ...options, body: { kind: 'photo', text: 'x'.repeat(longest) } })
    expect(sealed.length).toBeLessThanOrEqual(MAX_RECORD_BYTES)
    const tooLong = sealRecord({ ...options, body: { kind: 'photo', text: 'x'.repeat(longest + 1) } })
    expect(await codeOf(tooLong)).toBe('too-large')
  })
})
