/** A real vault on an ephemeral port, and devices that speak to it over HTTP; for the tests of this folder. */
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { z } from 'zod'
import { createAccount, type NewAccount } from '../../src/crypto/account'
import { writeChainEntry } from '../../src/crypto/chain'
import { signSession } from '../../src/crypto/session'
import { encodeHeaderBeforeCommit } from '../../src/format/artifact'
import { emptyChainView, type ChainView } from '../../src/format/chain'
import { artifactIds, modelIds, recordIds, type ArtifactId, type RecordId } from '../../src/format/ids'
import {
  accountRequest,
  chainRequest,
  challengeResponse,
  sessionRequest,
  storedBlob,
} from '../../src/format/wire'
import { concatBytes, unsharedBytes, type Bytes } from '../../src/lib/bytes'
import { createApp } from '../app'
import { DEFAULTS } from '../config'
import { openFileBlobStore } from '../stores/file-blob-store'
import { openRecordStore } from '../stores/record-store'

export interface RunningVault {
  readonly origin: string
  readonly blobs: Awaited<ReturnType<typeof openFileBlobStore>>
  readonly records: ReturnType<typeof openRecordStore>
  /** Adds to the vault's clock. */
  advance(ms: number): void
  stop(): Promise<void>
}

export async function startVault(
  folder: string,
  limits: { quotaBytes?: number; maxArtifactBytes?: number } = {},
): Promise<RunningVault> {
  const records = openRecordStore(join(folder, 'vault.db'))
  const blobs = await openFileBlobStore(folder)
  const server: Server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  let shiftMs = 0
  const config = { ...DEFAULTS, ...limits, origin, appDir: null }
  server.on(
    'request',
    createApp({ config, records, blobs, nowMs: () => Date.now() + shiftMs, log: () => undefined }),
  )
  return {
    origin,
    blobs,
    records,
    advance: (ms) => {
      shiftMs += ms
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await blobs.close()
      records.close()
    },
  }
}

export const newArtifactId = (): ArtifactId => artifactIds.fromBytes(new Uint8Array(randomBytes(16)))
export const newRecordId = (): RecordId => recordIds.fromBytes(new Uint8Array(randomBytes(16)))

/** Bytes that the server takes for an artifact: a true header, then noise. */
export function artifactBytes(id: ArtifactId, length = 5000): Bytes {
  const header = encodeHeaderBeforeCommit({
    process: 1,
    modelId: modelIds.fromBytes(new Uint8Array(32)),
    modelGeneration: 1,
    artifactId: id,
    nonce: new Uint8Array(24),
  })
  return concatBytes(header, new Uint8Array(randomBytes(length - header.length)))
}

/** One account's first device. */
export class TestDevice {
  readonly origin: string
  readonly account: NewAccount
  cookie = ''
  #view: ChainView = emptyChainView

  constructor(origin: string, account: NewAccount) {
    this.origin = origin
    this.account = account
  }

  static async register(origin: string): Promise<TestDevice> {
    const device = new TestDevice(origin, await createAccount())
    const answer = await device.send(
      'POST',
      '/api/accounts',
      z.encode(accountRequest, device.account.request),
    )
    if (answer.status !== 201) throw new Error(`registration gave ${answer.status}`)
    await device.signIn()
    return device
  }

  send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const raw = body instanceof Uint8Array
    return fetch(this.origin + path, {
      method,
      headers: {
        origin: this.origin,
        cookie: this.cookie,
        ...(body === undefined
          ? {}
          : { 'content-type': raw ? 'application/octet-stream' : 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? unsharedBytes(body) : JSON.stringify(body) }),
    })
  }

  async challenge(): Promise<Uint8Array> {
    const answer = await this.send('POST', '/api/sessions/challenge', {
      accountId: this.account.roster.accountId,
      deviceId: this.account.device.deviceId,
    })
    return challengeResponse.parse(await answer.json()).nonce
  }

  /** Body of a sign-in over a nonce, as signed for an origin. */
  claim(serverNonce: Uint8Array, origin = this.origin): unknown {
    const { roster, device } = this.account
    const nonce = unsharedBytes(serverNonce)
    const proof = signSession(device, {
      origin,
      account: roster.accountId,
      serverNonce: nonce,
      rosterHead: roster.head,
    })
    return z.encode(sessionRequest, {
      accountId: roster.accountId,
      deviceId: device.deviceId,
      serverNonce: nonce,
      rosterHead: roster.head,
      ...proof,
    })
  }

  async signIn(): Promise<void> {
    const answer = await this.send('POST', '/api/sessions', this.claim(await this.challenge()))
    if (answer.status !== 204) throw new Error(`sign-in gave ${answer.status}`)
    this.cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  }

  put(id: ArtifactId, bytes: Uint8Array): Promise<Response> {
    return this.send('PUT', `/api/artifacts/${id}`, bytes, { 'if-none-match': '*' })
  }

  /** Signs the next entry of this device's chain; `record` null deletes. */
  async chainBody(
    recordId: RecordId,
    version: number,
    record: Bytes | null,
    artifact: { id: ArtifactId; sha256: Uint8Array } | null,
  ): Promise<unknown> {
    const { roster, device } = this.account
    const { entry, view } = await writeChainEntry(this.#view, roster.accountId, device, {
      action: record === null ? 'delete' : 'put',
      recordId,
      version,
      epoch: 1,
      record,
      artifact: artifact === null ? null : { id: artifact.id, sha256: unsharedBytes(artifact.sha256) },
    })
    this.#view = view
    return z.encode(chainRequest, record === null ? { entry } : { entry, record })
  }

  /** Stores a photo's artifact and record; gives their ids. */
  async storePhoto(): Promise<{
    artifactId: ArtifactId
    recordId: RecordId
    sha256: Uint8Array
    bytes: Bytes
  }> {
    const artifactId = newArtifactId()
    const recordId = newRecordId()
    const bytes = artifactBytes(artifactId)
    const { sha256 } = storedBlob.parse(await (await this.put(artifactId, bytes)).json())
    const body = await this.chainBody(recordId, 1, new Uint8Array(randomBytes(512)), {
      id: artifactId,
      sha256,
    })
    const answer = await this.send('POST', '/api/chain', body)
    if (answer.status !== 201) throw new Error(`the chain gave ${answer.status}`)
    return { artifactId, recordId, sha256, bytes }
  }
}
