/**
 * The HTTP API of the vault, as schemas that server and client share. Byte strings travel as canonical base64url in JSON:
 * `schema.parse(json)` gives them as Uint8Array, `z.encode(schema, value)` writes them. Artifacts and records travel as
 * application/octet-stream. Objects are strict: an unknown member is an error.
 *
 *   POST   /api/accounts              accountRequest → 201 accountResponse
 *   POST   /api/sessions/challenge    challengeRequest → challengeResponse
 *   POST   /api/sessions              sessionRequest → 204 and the cookie;  DELETE → 204
 *   POST   /api/recovery/lookup       recoveryRequest → recoveryResponse
 *   GET    /api/roster?from=n         → rosterResponse;  POST rosterRequest → 201, 409 where n is taken
 *   GET    /api/grants                → grantsResponse, those for this device
 *   GET    /api/kit-share             → kitShareResponse, for a kit's session only
 *   PUT    /api/artifacts/:id         raw body, If-None-Match: * → 201 or (identical) 200 storedBlob;  GET (Range), HEAD, DELETE → 204
 *   GET    /api/artifacts?after=id    → artifactList
 *   POST   /api/chain                 chainRequest → 201 chainReceipt;  GET ?since=seq → chainFeed
 *   GET    /api/records/:id[/:version] → the sealed record
 */
import { z } from 'zod'
import { parseBase64url, toBase64url, type Bytes } from '../lib/bytes'
import { grantMessage, kitShareMessage } from './grant'
import { HASH_BYTES } from './hash'
import { accountIds, artifactIds, deviceIds } from './ids'
import { chainEntryMessage } from './chain-entry'
import { MAX_RECORD_BYTES } from './record'
import { rosterEntryMessage } from './roster-entry'

export const API_ROOT = '/api'
export const BLOB_MEDIA_TYPE = 'application/octet-stream'

/** Most items in one page of a list, feed or roster. */
export const PAGE_ITEMS = 500
/** Members of a roster, the kit among them. */
export const MAX_MEMBERS = 64

/** Base64url text of `minBytes` to `maxBytes` bytes, as Uint8Array. */
export function wireBytes(minBytes: number, maxBytes: number) {
  const maxText = Math.ceil((maxBytes * 4) / 3)
  return z.codec(z.string().max(maxText), z.instanceof(Uint8Array), {
    decode(text, context): Bytes {
      const bytes = parseBase64url(text)
      if (bytes !== null && bytes.length >= minBytes && bytes.length <= maxBytes) return bytes
      context.issues.push({ code: 'custom', input: text, message: 'not base64url of the right length' })
      return z.NEVER
    },
    encode: (bytes) => toBase64url(bytes),
  })
}

const hash = wireBytes(HASH_BYTES, HASH_BYTES)
const nonce = wireBytes(32, 32)
const count = z.int().min(0)
const rosterEntry = wireBytes(1, rosterEntryMessage.maxBytes)
const grants = z.array(wireBytes(1, grantMessage.maxBytes)).max(MAX_MEMBERS)
const kitShare = wireBytes(1, kitShareMessage.maxBytes)

/** `genesis` and then `kit` are the first two entries of the roster. */
export const accountRequest = z.strictObject({ genesis: rosterEntry, kit: rosterEntry, grants, kitShare })
export const accountResponse = z.strictObject({ accountId: accountIds.schema })

export const challengeRequest = z.strictObject({ accountId: accountIds.schema, deviceId: deviceIds.schema })
export const challengeResponse = z.strictObject({ nonce, expiresInMs: count })

export const sessionRequest = z.strictObject({
  accountId: accountIds.schema,
  deviceId: deviceIds.schema,
  serverNonce: nonce,
  clientNonce: nonce,
  rosterHead: hash,
  signature: wireBytes(64, 64),
})

export const recoveryRequest = z.strictObject({ kitDeviceId: deviceIds.schema })
export const recoveryResponse = z.strictObject({ accountId: accountIds.schema })

export const rosterQuery = z.strictObject({ from: z.coerce.number().int().min(0).default(0) })
export const rosterResponse = z.strictObject({ entries: z.array(rosterEntry).max(PAGE_ITEMS) })
export const rosterRequest = z.strictObject({ entry: rosterEntry, grants, kitShare: kitShare.optional() })
export const grantsResponse = z.strictObject({ grants: z.array(wireBytes(1, grantMessage.maxBytes)) })
export const kitShareResponse = z.strictObject({ share: kitShare })

export const storedBlob = z.strictObject({ bytes: count, sha256: hash })
export const artifactListQuery = z.strictObject({ after: artifactIds.schema.optional() })
export const artifactList = z.strictObject({
  items: z.array(z.strictObject({ id: artifactIds.schema, bytes: count, sha256: hash })).max(PAGE_ITEMS),
  /** Pass as `after` for the next page; null at the end. */
  next: artifactIds.schema.nullable(),
})

export const chainRequest = z.strictObject({
  entry: wireBytes(1, chainEntryMessage.maxBytes),
  /** The sealed record that the entry names; absent in a deletion. */
  record: wireBytes(1, MAX_RECORD_BYTES).optional(),
})
/** Where the vault put the entry in its feed. */
export const chainReceipt = z.strictObject({ seq: count })
export const chainQuery = z.strictObject({ since: z.coerce.number().int().min(0).default(0) })
export const chainFeed = z.strictObject({
  /** seq rises; it counts from 1 in one account. */
  entries: z
    .array(z.strictObject({ seq: z.int().min(1), entry: wireBytes(1, chainEntryMessage.maxBytes) }))
    .max(PAGE_ITEMS),
  /** Pass as `since` for what follows: the last seq given, or the `since` of the query where there is nothing new. */
  next: count,
})

export const errorResponse = z.object({ error: z.object({ code: z.string(), message: z.string() }) })
