/** Accounts, sign-in, the roster and what is granted to its members. */
import { Router } from 'express'
import { rateLimit } from 'express-rate-limit'
import { z } from 'zod'
import { grantMessage, kitShareMessage } from '../../src/format/grant'
import { accountIdOf } from '../../src/format/ids'
import { extendRoster, type Roster } from '../../src/format/roster'
import {
  accountRequest,
  accountResponse,
  challengeRequest,
  challengeResponse,
  grantsResponse,
  kitShareResponse,
  PAGE_ITEMS,
  recoveryRequest,
  recoveryResponse,
  rosterQuery,
  rosterRequest,
  rosterResponse,
  sessionRequest,
} from '../../src/format/wire'
import { VaultError } from '../errors'
import { formatStep, jsonBody, read } from '../requests'
import { callerOf, closeSession, newChallenge, openSession, signedIn } from '../sessions'
import { verifyEd25519 } from '../signatures'
import type { RosterAppend } from '../stores/record-store'
import type { VaultParts } from '../vault-parts'

const MINUTE_MS = 60_000
const MAX_JSON_BYTES = 2 ** 20

function limited(perWindow: number, windowMs: number) {
  return rateLimit({
    windowMs,
    limit: perWindow,
    standardHeaders: true,
    legacyHeaders: false,
    handler: (_req, _res, next) =>
      next(new VaultError('too-many-requests', 'There were too many requests. Try again in a while.')),
  })
}

/** Grants must be for members and signed by one; the newcomer's own count too. */
async function checkedGrants(roster: Roster, grants: readonly Uint8Array[]): Promise<RosterAppend['grants']> {
  return formatStep(() =>
    grants.map((body) => {
      const grant = grantMessage.decode(body)
      const granter = roster.members.get(grant.granter)
      if (grant.account !== roster.accountId || granter === undefined || !roster.members.has(grant.grantee))
        throw new VaultError('not-allowed', 'A grant is not between members of the roster.')
      if (grant.epoch !== roster.epoch)
        throw new VaultError('stale-epoch', 'A grant is not of the epoch of the roster.')
      if (!verifyEd25519(granter.signKey, grantMessage.signedBytes(grant, 'signature'), grant.signature))
        throw new VaultError('bad-signature', 'A signature does not verify.')
      return { grantee: grant.grantee, epoch: grant.epoch, body }
    }),
  )
}

async function checkedKit(roster: Roster, share: Uint8Array | undefined): Promise<RosterAppend['kit']> {
  if (share === undefined) return null
  const { account, kitDeviceId, ...rest } = await formatStep(() => kitShareMessage.decode(share))
  const kit = roster.members.get(kitDeviceId)
  if (account !== roster.accountId || kit?.isKit !== true)
    throw new VaultError('not-allowed', 'A kit share is not of the kit in the roster.')
  const signed = kitShareMessage.signedBytes({ account, kitDeviceId, ...rest }, 'signature')
  if (!verifyEd25519(kit.signKey, signed, rest.signature))
    throw new VaultError('bad-signature', 'A signature does not verify.')
  return { deviceId: kitDeviceId, share }
}

export function accountRoutes(parts: VaultParts): Router {
  const { records, config, nowMs } = parts
  const router = Router()
  const json = jsonBody(MAX_JSON_BYTES, config.jsonTimeoutMs)
  const auth = signedIn(parts)

  router.post(
    '/accounts',
    limited(config.accountsPerHourPerAddress, 60 * MINUTE_MS),
    json,
    async (req, res) => {
      const { genesis, kit, grants, kitShare } = read(accountRequest, req.body)
      const first = await formatStep(() => extendRoster(null, genesis, verifyEd25519))
      const roster = await formatStep(() => extendRoster(first, kit, verifyEd25519))
      if (![...roster.members.values()].some(({ isKit }) => isKit))
        throw new VaultError('not-allowed', 'A new account begins with its kit.')
      const accountId = await accountIdOf(genesis)
      const created = records.createAccount(
        accountId,
        [
          { n: 0, entry: genesis, grants: [], kit: null },
          {
            n: 1,
            entry: kit,
            grants: await checkedGrants(roster, grants),
            kit: await checkedKit(roster, kitShare),
          },
        ],
        nowMs(),
      )
      if (!created) throw new VaultError('conflict', 'This account exists already.')
      res.status(201).json(z.encode(accountResponse, { accountId }))
    },
  )

  const challengeLimit = limited(config.challengesPerMinutePerAddress, MINUTE_MS)
  router.post('/sessions/challenge', challengeLimit, json, (req, res) => {
    const { accountId, deviceId } = read(challengeRequest, req.body)
    const nonce = newChallenge(parts, accountId, deviceId)
    res.json(z.encode(challengeResponse, { nonce: new Uint8Array(nonce), expiresInMs: config.challengeMs }))
  })
  router.post('/sessions', challengeLimit, json, async (req, res) => {
    await openSession(parts, read(sessionRequest, req.body), res)
    res.status(204).end()
  })
  router.delete('/sessions', (req, res) => {
    closeSession(parts, req, res)
    res.status(204).end()
  })
  router.post('/recovery/lookup', challengeLimit, json, (req, res) => {
    const found = records.accountOfKit(read(recoveryRequest, req.body).kitDeviceId)
    if (found === null) throw new VaultError('not-found', 'This vault knows no such kit.')
    res.json(read(recoveryResponse, { accountId: found }))
  })

  router.get('/roster', auth, (req, res) => {
    const { from } = read(rosterQuery, req.query)
    const entries = records.rosterFrom(callerOf(res).account, from, PAGE_ITEMS)
    res.json(z.encode(rosterResponse, { entries: entries.map((entry) => new Uint8Array(entry)) }))
  })
  router.post('/roster', auth, json, async (req, res) => {
    const { entry, grants, kitShare } = read(rosterRequest, req.body)
    const { account, roster } = callerOf(res)
    const extended = await formatStep(() => extendRoster(roster, entry, verifyEd25519))
    const appended = records.appendRoster(account, {
      n: extended.n,
      entry,
      grants: await checkedGrants(extended, grants),
      kit: await checkedKit(extended, kitShare),
    })
    if (!appended) throw new VaultError('conflict', 'Another roster entry came first.')
    for (const deviceId of extended.former.keys()) records.endSessionsOf(account, deviceId)
    res.status(201).json({})
  })
  router.get('/grants', auth, (_req, res) => {
    const { account, member } = callerOf(res)
    const grants = records.grantsFor(account, member.deviceId).map((body) => new Uint8Array(body))
    res.json(z.encode(grantsResponse, { grants }))
  })
  router.get('/kit-share', auth, (_req, res) => {
    const { account, member } = callerOf(res)
    const share = member.isKit ? records.kitShare(account, member.deviceId) : null
    if (share === null) throw new VaultError('not-allowed', 'Only the kit may ask for this.')
    res.json(z.encode(kitShareResponse, { share: new Uint8Array(share) }))
  })
  return router
}
