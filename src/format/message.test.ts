import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex, u16, type Bytes } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import { chainEntryMessage } from './chain-entry'
import { FormatError, type FormatErrorCode } from './errors'
import { grantMessage, kitShareMessage } from './grant'
import { accountIds, artifactIds, deviceIds, modelIds, recordIds } from './ids'
import {
  bytesBetween,
  choiceField,
  defineMessage,
  listField,
  optionalBytes,
  textField,
  u32Field,
  u64Field,
} from './message'
import { recordMessage } from './record'
import { rosterEntryMessage } from './roster-entry'
import { deviceSecretsMessage, secretBlobMessage } from './secret-blob'
import { sessionMessage } from './session'
import { messageVectors } from './vectors/messages'

const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value)
function codeOf(work: () => unknown): FormatErrorCode | 'accepted' {
  try {
    work()
    return 'accepted'
  } catch (error) {
    if (error instanceof FormatError) return error.code
    throw error
  }
}

const toy = defineMessage({
  type: 0x7fff,
  name: 'toy',
  body: {
    text: textField(100),
    number: u64Field,
    colour: choiceField({ red: 1, amber: 2 }),
    maybe: optionalBytes(4),
    rows: listField({ a: u32Field, b: bytesBetween(0, 9) }, 5),
  },
  proofs: { signature: bytesBetween(0, 64) },
})
const toyValue = fc.record({
  text: fc.string({ maxLength: 25, unit: 'grapheme-ascii' }),
  number: fc.maxSafeNat(),
  colour: fc.constantFrom('red' as const, 'amber' as const),
  maybe: fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => new Uint8Array(bytes))),
  rows: fc.array(
    fc.record({ a: fc.nat(), b: fc.uint8Array({ maxLength: 9 }).map((bytes) => new Uint8Array(bytes)) }),
    { maxLength: 5 },
  ),
  signature: fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array(bytes)),
})

/** One of each message that travels or is stored, from counted bytes. */
const samples = {
  'roster-entry': () =>
    rosterEntryMessage.encode({
      n: 1,
      prevHash: fill(32, 1),
      action: 'add-kit',
      deviceId: deviceIds.fromBytes(fill(32, 2)),
      signKey: fill(32, 3),
      kemKey: fill(1216, 4),
      epoch: 1,
      signer: deviceIds.fromBytes(fill(32, 5)),
      madeAt: 1_700_000_000_000,
      previousVaultKey: null,
      signature: fill(64, 6),
      countersignature: fill(64, 7),
      mac: fill(32, 8),
    }),
  grant: () =>
    grantMessage.encode({
      account: accountIds.fromBytes(fill(32, 1)),
      epoch: 1,
      granter: deviceIds.fromBytes(fill(32, 2)),
      grantee: deviceIds.fromBytes(fill(32, 3)),
      granteeKeyHash: fill(32, 4),
      rosterHead: fill(32, 5),
      encapsulation: fill(1120, 6),
      sealedVaultKey: fill(60, 7),
      signature: fill(64, 8),
    }),
  'kit-share': () =>
    kitShareMessage.encode({
      account: accountIds.fromBytes(fill(32, 1)),
      kitDeviceId: deviceIds.fromBytes(fill(32, 2)),
      share: fill(32, 3),
      signature: fill(64, 4),
    }),
  session: () =>
    sessionMessage.encode({
      origin: 'https://photos.example.org',
      account: accountIds.fromBytes(fill(32, 1)),
      device: deviceIds.fromBytes(fill(32, 2)),
      serverNonce: fill(32, 3),
      clientNonce: fill(32, 4),
      rosterHead: fill(32, 5),
      signature: fill(64, 6),
    }),
  'chain-entry': () =>
    chainEntryMessage.encode({
      account: accountIds.fromBytes(fill(32, 1)),
      device: deviceIds.fromBytes(fill(32, 2)),
      n: 3,
      prevHash: fill(32, 3),
      heads: [{ device: deviceIds.fromBytes(fill(32, 4)), n: 9, hash: fill(32, 5) }],
      action: 'put',
      recordId: recordIds.fromBytes(fill(16, 6)),
      version: 2,
      epoch: 1,
      recordHash: fill(32, 7),
      artifactId: artifactIds.fromBytes(fill(16, 8)),
      artifactHash: fill(32, 9),
      signature: fill(64, 10),
    }),
  record: () =>
    recordMessage.encode({
      account: accountIds.fromBytes(fill(32, 1)),
      recordId: recordIds.fromBytes(fill(16, 2)),
      version: 1,
      epoch: 1,
      modelId: modelIds.fromBytes(fill(32, 3)),
      modelGeneration: 1,
      nonce: fill(24, 4),
      wrappedKey: fill(60, 5),
      commit: fill(32, 6),
      sealed: fill(528, 7),
    }),
} as const

const decoders = [
  rosterEntryMessage,
  grantMessage,
  kitShareMessage,
  sessionMessage,
  chainEntryMessage,
  recordMessage,
  deviceSecretsMessage,
  secretBlobMessage,
  toy,
]

describe('a message', () => {
  it('comes back, and has one encoding', () => {
    fc.assert(
      fc.property(toyValue, (value) => {
        const bytes = toy.encode(value)
        expect(toy.decode(bytes)).toEqual(value)
        expect(toy.encode(toy.decode(bytes))).toEqual(bytes)
        const padded = new Uint8Array(bytes.length + 50)
        padded.set(bytes)
        expect(toy.decodePadded(padded)).toEqual(value)
        expect(codeOf(() => toy.decode(padded))).not.toBe('accepted')
      }),
    )
  })

  it('whatever decodes encodes to the same bytes', () => {
    const start = toy.encode({
      text: 'ab',
      number: 5,
      colour: 'amber',
      maybe: fill(4, 1),
      rows: [{ a: 1, b: fill(3, 2) }],
      signature: fill(2, 3),
    })
    const prng = makePrng(3)
    for (let i = 0; i < 20_000; i++) {
      const bytes = new Uint8Array(start)
      for (let k = 0; k <= prng.nextBelow(3); k++) bytes[prng.nextBelow(bytes.length)] = prng.nextBelow(256)
      if (codeOf(() => toy.decode(bytes)) === 'accepted') expect(toy.encode(toy.decode(bytes))).toEqual(bytes)
    }
  })

  it('names what it signs by label and type', () => {
    const body = { text: '', number: 0, colour: 'red', maybe: null, rows: [] } as const
    expect(Buffer.from(toy.signedBytes(body, 'signature')).toString('latin1').slice(0, 22)).toBe(
      'safelight/v1/toy\0\xff\x7f\x01\0\x01',
    )
  })

  it('is refused with the right code', () => {
    const good = samples['kit-share']()
    const change = (at: number, value: Uint8Array) => {
      const bytes = new Uint8Array(good)
      bytes.set(value, at)
      return codeOf(() => kitShareMessage.decode(bytes))
    }
    expect(change(0, u16(1))).toBe('wrong-type')
    expect(change(2, u16(2))).toBe('unsupported')
    for (const suite of [0, 2, 0xffff]) expect(change(4, u16(suite))).toBe('unsupported')
    expect(change(6, fill(4, 255))).toBe('bad-field')
    expect(change(6, Uint8Array.of(31))).toBe('bad-field')
    for (let length = 0; length < good.length; length++)
      expect(codeOf(() => kitShareMessage.decode(good.subarray(0, length)))).toBe('truncated')
    expect(codeOf(() => kitShareMessage.decode(fill(good.length + 1, 0)))).toBe('too-large')
    expect(
      codeOf(() =>
        toy.encode({
          text: 'x'.repeat(101),
          number: 0,
          colour: 'red',
          maybe: null,
          rows: [],
          signature: fill(0, 0),
        }),
      ),
    ).toBe('bad-field')
  })

  it('never breaks a decoder, whatever the bytes', () => {
    const prng = makePrng(4)
    const seeds = Object.values(samples).map((make) => make())
    for (let i = 0; i < 4000; i++) {
      const base = seeds[prng.nextBelow(seeds.length)]!
      const bytes = base.slice(0, prng.nextBelow(base.length + 1))
      for (let k = 0; k < 4 && bytes.length > 0; k++)
        bytes[prng.nextBelow(Math.min(bytes.length, 200))] = prng.nextBelow(256)
      for (const decoder of decoders) codeOf(() => decoder.decode(bytes))
    }
  })
})

describe('the committed vectors', () => {
  it.each(Object.entries(samples))('still hold for a %s', (name, make) => {
    expect(toHex(make())).toBe(messageVectors[name as keyof typeof messageVectors])
  })
})

describe('ids', () => {
  it('are one text of one length', () => {
    const id = accountIds.fromBytes(fill(32, 0))
    expect(accountIds.parse(id)).toBe(id)
    for (const text of ['', 'A', id.slice(1), `${id}A`, `${id.slice(0, -1)}B`, `${id}=`])
      expect(accountIds.parse(text)).toBeNull()
    expect(codeOf(() => artifactIds.fromBytes(fill(32, 0)))).toBe('bad-field')
    expect(accountIds.schema.safeParse('nonsense').success).toBe(false)
  })
})
