/** Sessions (PROTOCOL §6): a signature over a nonce used once, then a random token in a cookie, stored hashed. */
import { createHash, randomBytes } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { isZero } from '../src/lib/bytes'
import { accountIds, deviceIds, type AccountId } from '../src/format/ids'
import type { Member, Roster } from '../src/format/roster'
import { sessionSignedBytes } from '../src/format/session'
import type { sessionRequest } from '../src/format/wire'
import type { z } from 'zod'
import { VaultError } from './errors'
import { verifyEd25519 } from './signatures'
import type { VaultParts } from './vault-parts'

const NONCE_BYTES = 32
const TOKEN_BYTES = 32

/** Who a request comes from. */
export interface Caller {
  readonly account: AccountId
  readonly member: Member
  readonly roster: Roster
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function cookieName(origin: string): string {
  return origin.startsWith('https:') ? '__Host-safelight' : 'safelight'
}

function tokenIn(req: Request, origin: string): string | null {
  const prefix = `${cookieName(origin)}=`
  const cookies = (req.get('Cookie') ?? '').split(';').map((part) => part.trim())
  const token = cookies.find((cookie) => cookie.startsWith(prefix))?.slice(prefix.length)
  return token !== undefined && /^[\w-]{43}$/.test(token) ? hashOf(Buffer.from(token, 'base64url')) : null
}

/** A nonce for one sign-in; the answer is the same whether or not the account exists. */
export function newChallenge(
  { records, config, nowMs }: VaultParts,
  accountId: string,
  deviceId: string,
): Uint8Array {
  records.purgeExpired(nowMs())
  const nonce = randomBytes(NONCE_BYTES)
  records.addChallenge(hashOf(nonce), accountId, deviceId, nowMs() + config.challengeMs)
  return nonce
}

export async function openSession(
  { records, rosters, config, nowMs }: VaultParts,
  request: z.output<typeof sessionRequest>,
  res: Response,
): Promise<void> {
  const refused = new VaultError('sign-in-failed', 'This device could not sign in.')
  const { accountId, deviceId, serverNonce, clientNonce, rosterHead, signature } = request
  if (!records.takeChallenge(hashOf(serverNonce), accountId, deviceId, nowMs())) throw refused
  const roster = await rosters.of(accountId)
  const member = roster?.members.get(deviceId)
  if (roster === null || member === undefined) throw refused
  const knowsHead = isZero(rosterHead) || roster.hashes.some((hash) => Buffer.compare(hash, rosterHead) === 0)
  if (!knowsHead) throw refused
  const signed = sessionSignedBytes({
    origin: config.origin,
    account: accountId,
    device: deviceId,
    serverNonce: new Uint8Array(serverNonce),
    clientNonce: new Uint8Array(clientNonce),
    rosterHead: new Uint8Array(rosterHead),
  })
  if (!verifyEd25519(member.signKey, signed, signature)) throw refused
  const token = randomBytes(TOKEN_BYTES)
  records.addSession(hashOf(token), accountId, deviceId, nowMs() + config.sessionMs)
  res.cookie(cookieName(config.origin), token.toString('base64url'), {
    httpOnly: true,
    sameSite: 'strict',
    secure: config.origin.startsWith('https:'),
    path: '/',
    maxAge: config.sessionMs,
  })
}

export function closeSession({ records, config }: VaultParts, req: Request, res: Response): void {
  const token = tokenIn(req, config.origin)
  if (token !== null) records.endSession(token)
  res.clearCookie(cookieName(config.origin), { path: '/' })
}

/** Requires a session of a device that is in the roster now. */
export function signedIn({ records, rosters, config, nowMs }: VaultParts): RequestHandler {
  return async (req, res, next) => {
    const refused = new VaultError('not-signed-in', 'This device is not signed in.')
    const token = tokenIn(req, config.origin)
    const session = token === null ? null : records.session(token, nowMs())
    if (session === null) throw refused
    const account = accountIds.parse(session.account)
    const deviceId = deviceIds.parse(session.deviceId)
    const roster = account === null ? null : await rosters.of(account)
    const member = deviceId === null ? undefined : roster?.members.get(deviceId)
    if (account === null || roster === null || member === undefined) throw refused
    res.locals['caller'] = { account, member, roster } satisfies Caller
    next()
  }
}

export const callerOf = (res: Response): Caller => res.locals['caller'] as Caller
