import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../format/errors'
import { accountIds, modelIds } from '../format/ids'
import { MAX_RECORD_BYTES, type RecordBody } from '../format/record'
import { copyBytes } from '../lib/bytes'
import { CryptoError } from './errors'
import { newRecordId, randomBytes } from './random'
import { openRecord, sealRecord } from './record'

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

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'opened'
  } catch (error) {
    if (error instanceof CryptoError || error instanceof FormatError) return error.code
    throw error
  }
}

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

  it('is refused for every flipped byte', async () => {
    const sealed = await sealRecord({ ...options, body })
    for (let at = 0; at < sealed.length; at++) {
      const copy = copyBytes(sealed)
      copy[at]! ^= 1 << (at & 7)
      expect(await codeOf(openRecord(copy, names, modelSecret, vaultKeyOf))).not.toBe('opened')
    }
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
