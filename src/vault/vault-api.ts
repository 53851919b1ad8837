/**
 * The vault over HTTP (format/wire), with transparent sign-in: a 401 signs in once and repeats the request.
 * Errors: VaultError. Nothing about photos is ever part of a message.
 */
import { z } from 'zod'
import { signSession } from '../crypto/session'
import type { DeviceKeys } from '../crypto/device'
import type { AccountId, ArtifactId, DeviceId, RecordId } from '../format/ids'
import {
  accountRequest,
  accountResponse,
  API_ROOT,
  BLOB_MEDIA_TYPE,
  chainFeed,
  chainReceipt,
  chainRequest,
  challengeRequest,
  challengeResponse,
  errorResponse,
  grantsResponse,
  kitShareResponse,
  recoveryRequest,
  recoveryResponse,
  rosterRequest,
  rosterResponse,
  sessionRequest,
  storedBlob,
} from '../format/wire'
import { abortable } from '../lib/abort'
import { VaultError } from './errors'

const TIMEOUT_MS = 30_000
/** Uploads and downloads may be large: so long without an answer. */
const BLOB_TIMEOUT_MS = 10 * 60_000
/** Without a byte of a body. */
const STALL_MS = 20_000

/** Who signs in, and the newest roster entry it knows. */
export interface Signer {
  readonly accountId: AccountId
  readonly keys: DeviceKeys
  readonly rosterHead: () => Uint8Array
}

export type VaultApi = ReturnType<typeof createVaultApi>

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: BodyInit
  readonly headers?: Record<string, string>
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

async function send(path: string, call: Call): Promise<Response> {
  const timeout = AbortSignal.timeout(call.timeoutMs ?? TIMEOUT_MS)
  try {
    return await fetch(API_ROOT + path, {
      method: call.method ?? 'GET',
      headers: call.headers ?? {},
      body: call.body ?? null,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]),
    })
  } catch (cause) {
    call.signal?.throwIfAborted()
    throw new VaultError('offline', { cause })
  }
}

/** The vault's code, or null where something else answered (a proxy, a captive portal). */
async function codeIn(response: Response): Promise<string | null> {
  try {
    return errorResponse.parse(await response.json()).error.code
  } catch {
    return null
  }
}

async function errorFor(response: Response): Promise<VaultError> {
  const code = await codeIn(response)
  if (code === null) return new VaultError('offline')
  if (code === 'damaged') return new VaultError('damaged')
  switch (response.status) {
    case 401:
      return new VaultError('session')
    case 404:
    case 410:
      return new VaultError('not-found')
    case 408:
    case 429:
    case 503:
      return new VaultError('busy')
    case 409:
      return new VaultError('conflict')
    case 507:
      return new VaultError('vault-full')
    default:
      return response.status >= 500 ? new VaultError('busy') : new VaultError('refused')
  }
}

async function parsed<Output>(response: Response, schema: z.ZodType<Output>): Promise<Output> {
  let json: unknown
  try {
    json = await response.json()
  } catch (cause) {
    throw new VaultError('offline', { cause })
  }
  const result = schema.safeParse(json)
  if (!result.success) throw new VaultError('refused', { cause: result.error })
  return result.data
}

const json = (value: unknown): Pick<Call, 'body' | 'headers' | 'method'> => ({
  method: 'POST',
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
})

async function expectOk(response: Response): Promise<Response> {
  if (!response.ok) throw await errorFor(response)
  return response
}

/** Registers a new account; the same request again is no error. */
export async function registerAccount(body: string): Promise<void> {
  const call = { method: 'POST' as const, body, headers: { 'content-type': 'application/json' } }
  const response = await send('/accounts', call)
  if (response.status === 409) return
  await parsed(await expectOk(response), accountResponse)
}

export const accountBody = (request: z.output<typeof accountRequest>): string =>
  JSON.stringify(z.encode(accountRequest, request))

/** The account of a kit, or null where the vault knows none. */
export async function findAccountOfKit(kitDeviceId: DeviceId): Promise<AccountId | null> {
  const response = await send('/recovery/lookup', json(z.encode(recoveryRequest, { kitDeviceId })))
  if (response.status === 404) return null
  return (await parsed(await expectOk(response), recoveryResponse)).accountId
}

async function signIn(signer: Signer): Promise<void> {
  const { accountId, keys } = signer
  const { deviceId } = keys
  const asked = await send('/sessions/challenge', json(z.encode(challengeRequest, { accountId, deviceId })))
  const { nonce: serverNonce } = await parsed(await expectOk(asked), challengeResponse)
  const rosterHead = new Uint8Array(signer.rosterHead())
  const claim = { origin: location.origin, account: accountId, serverNonce, rosterHead }
  const proof = signSession(keys, claim)
  const request = z.encode(sessionRequest, { accountId, deviceId, serverNonce, rosterHead, ...proof })
  await expectOk(await send('/sessions', json(request)))
}

export function createVaultApi(signer: Signer) {
  let signingIn: Promise<void> | null = null

  /** One sign-in at a time; whoever comes meanwhile waits for it. */
  function signInOnce(): Promise<void> {
    signingIn ??= signIn(signer).finally(() => {
      signingIn = null
    })
    return signingIn
  }

  async function request(path: string, call: Call = {}): Promise<Response> {
    const response = await send(path, call)
    if (response.status !== 401) return response
    await signInOnce()
    return send(path, call)
  }

  const get = async <Output>(path: string, schema: z.ZodType<Output>) =>
    parsed(await expectOk(await request(path)), schema)

  return {
    signIn: signInOnce,

    async rosterFrom(from: number) {
      return (await get(`/roster?from=${from}`, rosterResponse)).entries
    },
    async grants() {
      return (await get('/grants', grantsResponse)).grants
    },
    async kitShare() {
      return (await get('/kit-share', kitShareResponse)).share
    },
    /** Throws 'conflict' where n is taken. */
    async appendRoster(entry: z.output<typeof rosterRequest>): Promise<void> {
      await expectOk(await request('/roster', json(z.encode(rosterRequest, entry))))
    },

    /** SHA-256 that the vault computed. Sending the same bytes again is no error. */
    async putArtifact(id: ArtifactId, artifact: Blob, signal: AbortSignal): Promise<Uint8Array> {
      const response = await request(`/artifacts/${id}`, {
        method: 'PUT',
        body: artifact,
        headers: { 'content-type': BLOB_MEDIA_TYPE, 'if-none-match': '*' },
        timeoutMs: BLOB_TIMEOUT_MS,
        signal,
      })
      return (await parsed(await expectOk(response), storedBlob)).sha256
    },

    /** The artifact, or its first `bytes` where given. */
    async artifact(
      id: ArtifactId,
      options: { readonly bytes?: number; readonly signal: AbortSignal; onProgress?: (got: number) => void },
    ): Promise<Blob> {
      const headers: Record<string, string> =
        options.bytes === undefined ? {} : { range: `bytes=0-${options.bytes - 1}` }
      const call = { headers, timeoutMs: BLOB_TIMEOUT_MS, signal: options.signal }
      const response = await expectOk(await request(`/artifacts/${id}`, call))
      return readBody(response, options.signal, options.onProgress)
    },

    async record(id: RecordId, version: number): Promise<Uint8Array<ArrayBuffer>> {
      const response = await expectOk(await request(`/records/${id}/${version}`))
      return new Uint8Array(await response.arrayBuffer())
    },

    async chainSince(since: number) {
      return get(`/chain?since=${since}`, chainFeed)
    },

    async appendChain(entry: z.output<typeof chainRequest>): Promise<number> {
      const response = await request('/chain', json(z.encode(chainRequest, entry)))
      return (await parsed(await expectOk(response), chainReceipt)).seq
    },

    async deleteArtifact(id: ArtifactId): Promise<void> {
      const response = await request(`/artifacts/${id}`, { method: 'DELETE' })
      if (response.status !== 404 && response.status !== 410) await expectOk(response)
    },
  }
}

/** A body that stops coming is given up: a vault that lost part of a file may wait for ever. */
async function readBody(
  response: Response,
  signal: AbortSignal,
  onProgress: ((got: number) => void) | undefined,
): Promise<Blob> {
  if (response.body === null) return new Blob()
  const parts: Uint8Array<ArrayBuffer>[] = []
  const reader = response.body.getReader()
  let got = 0
  try {
    for (;;) {
      const stalled = new AbortController()
      const timer = setTimeout(() => stalled.abort(), STALL_MS)
      const { done, value } = await abortable(reader.read(), stalled.signal).finally(() =>
        clearTimeout(timer),
      )
      if (done) return new Blob(parts)
      parts.push(value)
      got += value.length
      onProgress?.(got)
    }
  } catch (cause) {
    reader.cancel().catch(() => undefined)
    signal.throwIfAborted()
    throw new VaultError('offline', { cause })
  }
}
