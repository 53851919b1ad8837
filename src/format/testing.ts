/**
 * Every parser of this room with sound bytes to start from, for the fuzzer in tests and in `npm run fuzz -- format`.
 * A parser must answer any bytes with a value, which it writes as the same bytes again, or with a FormatError.
 */
import { z } from 'zod'
import { assert, present } from '../lib/assert'
import {
  concatBytes,
  copyBytes,
  equalBytes,
  parseBase64url,
  parseUtf8,
  toBase64url,
  utf8,
  type Bytes,
} from '../lib/bytes'
import { decodeHeader, encodeHeaderBeforeCommit, HEADER_BYTES, INDEX_BYTES, SECTION } from './artifact'
import { artifactLength, decodeIndex, encodeIndex, layOutSections } from './artifact-index'
import { emptyChainView, headsToVouch, missingAtEnd, walkChains, type ChainView } from './chain'
import { chainEntryMessage } from './chain-entry'
import { FormatError, type FormatErrorCode } from './errors'
import { grantMessage, kitShareMessage } from './grant'
import { sha256 } from './hash'
import { accountIds, deviceIds, type DeviceId } from './ids'
import type { MessageType, FieldTable } from './message'
import { PADDING_RULE } from './padding'
import { decodeRecordBody, encodeRecordBody, photoRecord, recordMessage } from './record'
import { extendRoster, type Roster } from './roster'
import { rosterEntryMessage } from './roster-entry'
import { deviceSecretsMessage, secretBlobMessage } from './secret-blob'
import { sessionMessage } from './session'
import { mutateBytes, mutateJson, mutateMessage, type Mutate } from './testing-mutations'
import * as wire from './wire'

/** The parts of a golden vault that lie in the clear; bytes are base64url (src/crypto/vectors). */
export interface GoldenBytes {
  readonly accountId: string
  readonly kitShare: string
  readonly roster: readonly string[]
  readonly grants: readonly string[]
  readonly chain: readonly string[]
  readonly records: readonly { readonly sealed: string }[]
  readonly artifacts: Readonly<Record<string, string>>
}

export type Outcome = 'read' | 'refused' | FormatErrorCode

export interface Target {
  readonly name: string
  readonly sound: readonly Bytes[]
  readonly mutate: Mutate
  /** Throws whatever is neither a value that is written as it was read nor a typed refusal. */
  readonly read: (bytes: Bytes) => Promise<Outcome>
}

const bytesOf = (text: string): Bytes => present(parseBase64url(text), 'A golden file is not base64url.')
const filled = (length: number): Bytes => Uint8Array.from({ length }, (_, i) => i)

export async function formatTargets(golden: GoldenBytes): Promise<readonly Target[]> {
  const roster = golden.roster.map(bytesOf)
  const chain = golden.chain.map(bytesOf)
  const records = golden.records.map(({ sealed }) => bytesOf(sealed))
  return [
    headerTarget(golden),
    indexTarget(),
    messageTarget(rosterEntryMessage, roster),
    messageTarget(grantMessage, golden.grants.map(bytesOf)),
    messageTarget(kitShareMessage, [bytesOf(golden.kitShare)]),
    messageTarget(chainEntryMessage, chain),
    messageTarget(recordMessage, records),
    ...localMessages(golden),
    await rosterTarget(roster),
    await chainTarget(chain),
    recordBodyTarget(golden),
    ...wireTargets(golden),
  ]
}

/** `write` gives what was read as bytes again, or null where the parser alone refuses. */
function target(
  name: string,
  sound: readonly Bytes[],
  mutate: Mutate,
  write: (bytes: Bytes) => Bytes | null | Promise<Bytes | null>,
): Target {
  return {
    name,
    sound,
    mutate,
    async read(bytes) {
      const before = copyBytes(bytes)
      try {
        const written = await write(bytes)
        if (written === null) return 'refused'
        assert(equalBytes(written, before), `The ${name} is written in another way than it was read.`)
        return 'read'
      } catch (error) {
        if (error instanceof FormatError) return error.code
        throw error
      } finally {
        assert(equalBytes(bytes, before), `Reading the ${name} changed its bytes.`)
      }
    },
  }
}

function messageTarget<B extends FieldTable, P extends FieldTable>(
  message: MessageType<B, P>,
  sound: readonly Bytes[],
): Target {
  return target(message.name, sound, mutateMessage, (bytes) => message.encode(message.decode(bytes)))
}

/** Messages that never leave a device, or are built anew on both sides: a golden vault has none in the clear. */
function localMessages(golden: GoldenBytes): Target[] {
  const account = accountIds.fromBytes(bytesOf(golden.accountId))
  const device = deviceIds.fromBytes(filled(32))
  const seed = filled(32)
  const secrets = deviceSecretsMessage.encode({
    ...{ account, signSeed: seed, kemSeed: seed, modelSecret: seed },
    vaultKeys: [1, 2, 3].map((epoch) => ({ epoch, key: seed })),
  })
  const blob = secretBlobMessage.encode({
    unlockers: [
      { kind: 'stored-key', parameters: new Uint8Array(), sealedBlobKey: filled(60) },
      { kind: 'passphrase', parameters: filled(40), sealedBlobKey: filled(60) },
    ],
    sealed: concatBytes(filled(28), secrets),
  })
  const session = sessionMessage.encode({
    ...{ origin: 'https://vault.example', account, device, rosterHead: seed },
    ...{ serverNonce: seed, clientNonce: seed, signature: filled(64) },
  })
  return [
    messageTarget(deviceSecretsMessage, [secrets]),
    messageTarget(secretBlobMessage, [blob]),
    messageTarget(sessionMessage, [session]),
  ]
}

function headerTarget({ artifacts }: GoldenBytes): Target {
  const sound = Object.values(artifacts).map((text) => bytesOf(text).slice(0, HEADER_BYTES))
  return target('artifact-header', sound, mutateBytes, (bytes) => {
    const header = decodeHeader(bytes)
    // A header is read from the start of an artifact: what lies behind it is not its own.
    return concatBytes(encodeHeaderBeforeCommit(header), header.commit, bytes.subarray(HEADER_BYTES))
  })
}

function indexTarget(): Target {
  const plan = (id: number, trueBytes: number) => ({ id, flags: 0, trueBytes })
  const lists = [
    [plan(SECTION.image, 70_001), plan(SECTION.thumbnail, 5000)],
    [plan(SECTION.image, 1), plan(SECTION.thumbnail, 1), plan(SECTION.original, 2 ** 33), plan(9, 0)],
  ]
  const sound = lists.map((plans, i) =>
    encodeIndex({
      ...{ width: 4000, height: 3000, quality: 34, extension: filled(i) },
      paddingRule: i === 0 ? 'eighths' : 'halves',
      sections: layOutSections(i === 0 ? PADDING_RULE.eighths : PADDING_RULE.halves, plans),
    }),
  )
  const mutate: Mutate = (prng, pick) => {
    const padded = new Uint8Array(INDEX_BYTES) // as it is opened: always this long
    padded.set(mutateMessage(prng, pick).subarray(0, INDEX_BYTES))
    return padded
  }
  return target('artifact-index', sound, mutate, (bytes) => {
    const index = decodeIndex(bytes)
    assert(Number.isSafeInteger(artifactLength(index)), 'An artifact has a length that is no number.')
    return encodeIndex(index)
  })
}

/** Every signature counts as good: the rules must hold for what a member itself sends. */
async function rosterTarget(entries: readonly Bytes[]): Promise<Target> {
  const states: (Roster | null)[] = [null]
  for (const entry of entries) states.push(await extendRoster(states.at(-1)!, entry, () => true))
  return target('roster', entries, mutateMessage, async (bytes) => {
    const { n } = rosterEntryMessage.decode(bytes)
    const before = states[Math.min(n, states.length - 1)] ?? null
    const roster = await extendRoster(before, bytes, () => true)
    const known = before === null ? 0 : before.members.size + before.former.size
    const isRemoval = before !== null && roster.epoch > before.epoch
    const isSound =
      roster.n === n &&
      roster.hashes.length === n + 1 &&
      roster.members.size + roster.former.size === known + (isRemoval ? 0 : 1) &&
      [...roster.members.values()].filter(({ isKit }) => isKit).length <= 1
    assert(isSound, 'A roster does not add up.')
    return bytes
  })
}

/** Against the chains as they were before each golden entry, and after the last. */
async function chainTarget(entries: readonly Bytes[]): Promise<Target> {
  const nobody = deviceIds.fromBytes(filled(32))
  const walk = walkChains(emptyChainView)
  const views: ChainView[] = [walk.view()]
  for (const entry of entries) {
    assert(
      walk.take(chainEntryMessage.decode(entry), await sha256(entry), nobody).kind === 'ok',
      'A golden chain breaks.',
    )
    views.push(walk.view())
  }
  return target('chain', entries, mutateMessage, async (bytes) => {
    const entry = chainEntryMessage.decode(bytes)
    const hash = await sha256(bytes)
    for (const view of views)
      for (const self of [nobody, entry.device]) {
        const next = walkChains(view)
        const step = next.take(entry, hash, self)
        const after = next.view()
        missingAtEnd(after)
        headsToVouch(after, self)
        const length = (of: ChainView, device: DeviceId): number => of.chains[device]?.length ?? 0
        const grown = length(after, entry.device) - length(view, entry.device)
        assert(grown === (step.kind === 'ok' ? 1 : 0), 'A chain grew by another number than one.')
        if (step.kind !== 'ok')
          assert(JSON.stringify(after) === JSON.stringify(view), 'A refused entry changed the view.')
      }
    return bytes
  })
}

function photoOf(golden: GoldenBytes, i: number) {
  const [id, artifact] = Object.entries(golden.artifacts)[i]!
  const text = (length: number): string => toBase64url(filled(length))
  return {
    ...{ kind: 'photo', name: `Föhn ${i}.png`, width: 4000, height: 3000, keptOriginal: i > 0 },
    ...{
      takenAt: i > 0 ? '2026-06-21T21:04:05' : null,
      addedAt: '2026-06-22T07:08:09.123Z',
      fileModifiedAt: null,
    },
    ...{ originalBytes: 123_456, psnrDb: 41.25, originalMediaType: 'image/png', duplicateHash: text(32) },
    unknown: { kept: [1, null, 'Föhn'] },
    artifact: {
      ...{ id, bytes: bytesOf(artifact).length, sha256: text(32), epoch: 1 },
      ...{ wrappedKey: text(60), weightsHash: text(32) },
    },
  }
}

/** The one text here that may be written in another way than it was read: spaces and order of members are not kept. */
function recordBodyTarget(golden: GoldenBytes): Target {
  const sound = Object.keys(golden.artifacts).map((_, i) => encodeRecordBody(photoOf(golden, i)))
  const mutate: Mutate = (prng, pick) => {
    if (prng.nextBelow(4) === 0) return mutateBytes(prng, pick)
    const textOf = (padded: Uint8Array) => utf8(JSON.stringify(decodeRecordBody(padded)))
    return padText(mutateJson(prng, () => textOf(pick())))
  }
  return target('record-body', sound, mutate, (bytes) => {
    const body = decodeRecordBody(bytes)
    photoRecord.safeParse(body)
    const written = encodeRecordBody(body)
    const again = encodeRecordBody(decodeRecordBody(written))
    assert(equalBytes(written, again), 'A record has two texts.')
    return bytes
  })
}

/** As encodeRecordBody pads it, whatever the text is. */
function padText(text: Uint8Array): Bytes {
  const padded = new Uint8Array(Math.ceil((4 + text.length) / 512) * 512)
  new DataView(padded.buffer).setUint32(0, text.length, true)
  padded.set(text, 4)
  return padded
}

/** Everything that travels as JSON, and a photo's record, which keeps every unknown member but one named __proto__. */
function wireTargets(golden: GoldenBytes): Target[] {
  const { roster, grants, kitShare, chain, records, accountId } = golden
  const [id, other] = Object.keys(golden.artifacts)
  const hash = toBase64url(filled(32))
  const deviceId = deviceIds.fromBytes(filled(32))
  const [genesis, kit, entry] = roster
  const blob = { bytes: 4242, sha256: hash }
  const sound: readonly (readonly [string, z.ZodType, unknown])[] = [
    ['account-request', wire.accountRequest, { genesis, kit, grants, kitShare }],
    ['account-response', wire.accountResponse, { accountId }],
    ['challenge-request', wire.challengeRequest, { accountId, deviceId }],
    ['challenge-response', wire.challengeResponse, { nonce: hash, expiresInMs: 60_000 }],
    [
      'session-request',
      wire.sessionRequest,
      {
        accountId,
        deviceId,
        serverNonce: hash,
        clientNonce: hash,
        rosterHead: hash,
        signature: toBase64url(filled(64)),
      },
    ],
    ['recovery-request', wire.recoveryRequest, { kitDeviceId: deviceId }],
    ['roster-request', wire.rosterRequest, { entry, grants, kitShare }],
    ['roster-response', wire.rosterResponse, { entries: roster }],
    ['grants-response', wire.grantsResponse, { grants }],
    ['kit-share-response', wire.kitShareResponse, { share: kitShare }],
    ['stored-blob', wire.storedBlob, blob],
    ['artifact-list', wire.artifactList, { items: [id, other].map((id) => ({ id, ...blob })), next: other }],
    ['artifact-list-query', wire.artifactListQuery, { after: id }],
    ['chain-request', wire.chainRequest, { entry: chain[0], record: records[0]?.sealed }],
    ['chain-receipt', wire.chainReceipt, { seq: 7 }],
    [
      'chain-feed',
      wire.chainFeed,
      { entries: chain.map((text, i) => ({ seq: i + 1, entry: text })), next: 9 },
    ],
  ]
  return [
    ...sound.map(([name, schema, value]) => jsonTarget(name, schema, value, (json) => textOf(json))),
    queryTarget(),
    errorTarget(),
    jsonTarget('photo-record', photoRecord, photoOf(golden, 1), (value) => textOf(value, '__proto__')),
  ]
}

/** The page of a list, out of an address: text becomes a number. */
function queryTarget(): Target {
  const sound = [{ from: '12' }, { since: '0' }, {}].map((query) => utf8(JSON.stringify(query)))
  return target('query', sound, mutateJson, (bytes) => {
    const { value } = parseJson(bytes)
    const roster = wire.rosterQuery.safeParse(value)
    const chain = wire.chainQuery.safeParse(value)
    for (const n of [roster.data?.from ?? 0, chain.data?.since ?? 0])
      assert(Number.isSafeInteger(n) && n >= 0, 'A query asks for a page that is none.')
    return roster.success || chain.success ? bytes : null
  })
}

/** What a vault says of an error: members of a newer one are ignored. */
function errorTarget(): Target {
  const sound = utf8(JSON.stringify({ error: { code: 'not-found', message: 'There is no such artifact.' } }))
  return target('error', [sound], mutateJson, (bytes) =>
    wire.errorResponse.safeParse(parseJson(bytes).value).success ? bytes : null,
  )
}

/** `compare` gives the text of what must come back. */
function jsonTarget(
  name: string,
  schema: z.ZodType,
  sound: unknown,
  compare: (value: unknown) => string,
): Target {
  return target(name, [utf8(JSON.stringify(sound))], mutateJson, (bytes) => {
    const { value } = parseJson(bytes)
    const parsed = schema.safeParse(value)
    if (!parsed.success) return null
    const isKept = compare(z.encode(schema, parsed.data)) === compare(value)
    assert(isKept, `The ${name} is written in another way than it was read.`)
    return bytes
  })
}

/** `value` is undefined, which no schema takes, where the bytes are not JSON. */
function parseJson(bytes: Uint8Array): { readonly value: unknown } {
  try {
    return { value: JSON.parse(parseUtf8(bytes) ?? '') }
  } catch {
    return { value: undefined }
  }
}

/** JSON text whose members are in order, but for those of one name. */
function textOf(value: unknown, dropped?: string): string {
  const order = (member: object): object => {
    const members = Object.entries(member).filter(([name]) => name !== dropped)
    return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  return JSON.stringify(value, (_, member: unknown) =>
    member === null || typeof member !== 'object' || Array.isArray(member) ? member : order(member),
  )
}
