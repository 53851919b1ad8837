/** A device as the vault sees it: real Ed25519 keys and signatures; what only devices can check is random bytes. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { encodeHeaderBeforeCommit } from '../../src/format/artifact'
import { chainEntryMessage, type ChainEntry } from '../../src/format/chain-entry'
import { grantMessage, kitShareMessage } from '../../src/format/grant'
import {
  accountIdOf,
  artifactIds,
  modelIds,
  recordIds,
  type AccountId,
  type ArtifactId,
  type DeviceId,
} from '../../src/format/ids'
import {
  deviceIdOf,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  SEALED_SECRET_BYTES,
} from '../../src/format/keys'
import { rosterEntryMessage, type RosterAction } from '../../src/format/roster-entry'
import { sessionSignedBytes } from '../../src/format/session'
import { PROCESS } from '../../src/format/suite'
import { concatBytes, toBase64url, type Bytes } from '../../src/lib/bytes'
import { ORIGIN, jsonOf, type Answer, type Caller } from './vault'

export const random = (length: number): Bytes => new Uint8Array(randomBytes(length))
export const sha256 = (bytes: Uint8Array): Bytes =>
  new Uint8Array(createHash('sha256').update(bytes).digest())

export interface Device {
  readonly id: DeviceId
  readonly signKey: Bytes
  readonly kemKey: Bytes
  readonly privateKey: KeyObject
}

export async function newDevice(): Promise<Device> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const signKey = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
  const kemKey = random(KEM_PUBLIC_BYTES)
  return { id: await deviceIdOf({ signKey, kemKey }), signKey, kemKey, privateKey }
}

const signWith = (device: Device, message: Uint8Array): Bytes =>
  new Uint8Array(sign(null, message, device.privateKey))

export function rosterEntry(
  last: { n: number; hash: Bytes; epoch: number } | null,
  action: RosterAction,
  subject: Device,
  signer: Device,
): Bytes {
  const isRemoval = action === 'remove'
  const body = {
    n: last === null ? 0 : last.n + 1,
    prevHash: last?.hash ?? new Uint8Array(32),
    action,
    deviceId: subject.id,
    signKey: subject.signKey,
    kemKey: subject.kemKey,
    epoch: (last?.epoch ?? 1) + (isRemoval ? 1 : 0),
    signer: signer.id,
    madeAt: 1_700_000_000_000,
    previousVaultKey: isRemoval ? random(SEALED_SECRET_BYTES) : null,
  }
  return rosterEntryMessage.encode({
    ...body,
    signature: signWith(signer, rosterEntryMessage.signedBytes(body, 'signature')),
    countersignature: isRemoval
      ? null
      : signWith(subject, rosterEntryMessage.signedBytes(body, 'countersignature')),
    mac: random(32),
  })
}

export interface Account {
  readonly id: AccountId
  readonly device: Device
  readonly kit: Device
  readonly request: unknown
  head: { n: number; hash: Bytes; epoch: number }
}

export function grantFor(account: AccountId, epoch: number, granter: Device, grantee: Device): Bytes {
  const body = {
    account,
    epoch,
    granter: granter.id,
    grantee: grantee.id,
    granteeKeyHash: sha256(grantee.kemKey),
    rosterHead: random(32),
    encapsulation: random(KEM_CIPHERTEXT_BYTES),
    sealedVaultKey: random(SEALED_SECRET_BYTES),
  }
  return grantMessage.encode({
    ...body,
    signature: signWith(granter, grantMessage.signedBytes(body, 'signature')),
  })
}

export async function draftAccount(): Promise<Account> {
  const [device, kit] = [await newDevice(), await newDevice()]
  const genesis = rosterEntry(null, 'genesis', device, device)
  const kitEntry = rosterEntry({ n: 0, hash: sha256(genesis), epoch: 1 }, 'add-kit', kit, device)
  const id = await accountIdOf(genesis)
  const share = { account: id, kitDeviceId: kit.id, share: random(32) }
  const kitShare = kitShareMessage.encode({
    ...share,
    signature: signWith(kit, kitShareMessage.signedBytes(share, 'signature')),
  })
  return {
    id,
    device,
    kit,
    head: { n: 1, hash: sha256(kitEntry), epoch: 1 },
    request: {
      genesis: toBase64url(genesis),
      kit: toBase64url(kitEntry),
      grants: [device, kit].map((grantee) => toBase64url(grantFor(id, 1, device, grantee))),
      kitShare: toBase64url(kitShare),
    },
  }
}

export async function newAccount(vault: Caller): Promise<Account> {
  const account = await draftAccount()
  const made = await vault.call({ method: 'POST', path: '/api/accounts', json: account.request })
  if (made.status !== 201) throw new Error(`account not made: ${made.body.toString()}`)
  return account
}

export async function challenge(vault: Caller, account: Account, device: Device): Promise<Bytes> {
  const json = { accountId: account.id, deviceId: device.id }
  const answer = await vault.call({ method: 'POST', path: '/api/sessions/challenge', json })
  return new Uint8Array(Buffer.from((jsonOf(answer) as { nonce: string }).nonce, 'base64url'))
}

export interface ClaimChanges {
  readonly origin?: string
  readonly rosterHead?: Bytes
  readonly signer?: Device
}

export function claim(
  account: Account,
  device: Device,
  serverNonce: Bytes,
  changes: ClaimChanges = {},
): unknown {
  const clientNonce = random(32)
  const { origin = ORIGIN, rosterHead = account.head.hash, signer = device } = changes
  const fields = { origin, account: account.id, device: device.id, serverNonce, clientNonce, rosterHead }
  return {
    accountId: account.id,
    deviceId: device.id,
    serverNonce: toBase64url(serverNonce),
    clientNonce: toBase64url(clientNonce),
    rosterHead: toBase64url(rosterHead),
    signature: toBase64url(signWith(signer, sessionSignedBytes(fields))),
  }
}

/** The cookie of a new session, as `name=value`. */
export async function signIn(vault: Caller, account: Account, device = account.device): Promise<string> {
  const json = claim(account, device, await challenge(vault, account, device))
  const answer = await vault.call({ method: 'POST', path: '/api/sessions', json })
  const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0]
  if (answer.status !== 204 || cookie === undefined) throw new Error('not signed in')
  return cookie
}

export const newArtifactId = (): ArtifactId => artifactIds.fromBytes(random(16))

/** An artifact of `length` bytes: a true header, and noise where sealed chunks would be. */
export function artifactBytes(id: ArtifactId, length = 5000): Bytes {
  const header = encodeHeaderBeforeCommit({
    process: PROCESS.torus32,
    modelId: modelIds.fromBytes(random(32)),
    modelGeneration: 1,
    artifactId: id,
    nonce: random(24),
  })
  return concatBytes(header, random(length - header.length))
}

export function put(
  vault: Caller,
  cookie: string,
  id: string,
  body: Uint8Array,
  headers = {},
): Promise<Answer> {
  return vault.call({
    method: 'PUT',
    path: `/api/artifacts/${id}`,
    body,
    cookie,
    headers: { 'If-None-Match': '*', 'Content-Type': 'application/octet-stream', ...headers },
  })
}

export interface Write {
  readonly entry: Bytes
  readonly request: unknown
}

/** A signed chain entry and its request; `changes` go in before it is signed. */
export function write(
  account: Account,
  device: Device,
  previous: Bytes | null,
  n: number,
  record: Bytes | null,
  changes: Partial<Omit<ChainEntry, 'signature'>> = {},
): Write {
  const body = {
    account: account.id,
    device: device.id,
    n,
    prevHash: previous === null ? new Uint8Array(32) : sha256(previous),
    heads: [],
    action: record === null ? ('delete' as const) : ('put' as const),
    recordId: recordIds.fromBytes(random(16)),
    version: 1,
    epoch: account.head.epoch,
    recordHash: record === null ? null : sha256(record),
    artifactId: null,
    artifactHash: null,
    ...changes,
  }
  const signature = signWith(device, chainEntryMessage.signedBytes(body, 'signature'))
  const entry = chainEntryMessage.encode({ ...body, signature })
  return {
    entry,
    request: { entry: toBase64url(entry), ...(record === null ? {} : { record: toBase64url(record) }) },
  }
}

export const postChain = (vault: Caller, cookie: string, { request }: Write): Promise<Answer> =>
  vault.call({ method: 'POST', path: '/api/chain', json: request, cookie })
