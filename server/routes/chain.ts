/** The signed chains as one feed per account, and the sealed records that their entries name. */
import { createHash } from 'node:crypto'
import { Router } from 'express'
import { z } from 'zod'
import { chainEntryMessage } from '../../src/format/chain-entry'
import { recordIds } from '../../src/format/ids'
import {
  BLOB_MEDIA_TYPE,
  chainFeed,
  chainQuery,
  chainReceipt,
  chainRequest,
  PAGE_ITEMS,
} from '../../src/format/wire'
import { VaultError } from '../errors'
import { formatStep, jsonBody, pathId, read } from '../requests'
import { callerOf, signedIn } from '../sessions'
import { verifyEd25519 } from '../signatures'
import type { ChainRefusal } from '../stores/record-store'
import type { VaultParts } from '../vault-parts'

const MAX_JSON_BYTES = 2 ** 18

const REFUSALS: Readonly<Record<ChainRefusal, VaultError['code']>> = {
  conflict: 'conflict',
  deleted: 'deleted',
  'no-artifact': 'precondition-failed',
  'over-quota': 'quota-exceeded',
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

export function chainRoutes(parts: VaultParts): Router {
  const { records, config } = parts
  const router = Router()
  const auth = signedIn(parts)

  router.post('/chain', auth, jsonBody(MAX_JSON_BYTES, config.jsonTimeoutMs), async (req, res) => {
    const { entry: encoded, record } = read(chainRequest, req.body)
    const { account, member, roster } = callerOf(res)
    const entry = await formatStep(() => chainEntryMessage.decode(encoded))
    if (entry.account !== account || entry.device !== member.deviceId)
      throw new VaultError('not-allowed', 'A device writes its own chain only.')
    if (entry.epoch !== roster.epoch) throw new VaultError('stale-epoch', 'The roster has a newer epoch.')
    if (!verifyEd25519(member.signKey, chainEntryMessage.signedBytes(entry, 'signature'), entry.signature))
      throw new VaultError('bad-signature', 'A signature does not verify.')
    const isPut = entry.action === 'put'
    const recordMatches =
      record === undefined
        ? entry.recordHash === null
        : entry.recordHash !== null && Buffer.compare(sha256(record), entry.recordHash) === 0
    if (isPut !== (record !== undefined) || !recordMatches)
      throw new VaultError('bad-request', 'The record is not the one that the entry names.')
    if ((entry.artifactId === null) !== (entry.artifactHash === null))
      throw new VaultError('bad-request', 'An artifact is named with its hash.')
    const result = records.appendChain(
      account,
      {
        deviceId: member.deviceId,
        n: entry.n,
        hash: sha256(encoded),
        prevHash: entry.prevHash,
        entry: encoded,
        recordId: entry.recordId,
        version: entry.version,
        record: record ?? null,
        artifact:
          entry.artifactId === null || entry.artifactHash === null
            ? null
            : { id: entry.artifactId, sha256: entry.artifactHash },
      },
      config.quotaBytes,
    )
    if (typeof result !== 'number')
      throw new VaultError(REFUSALS[result], 'The vault cannot take this entry.')
    res.status(201).json(z.encode(chainReceipt, { seq: result }))
  })

  router.get('/chain', auth, (req, res) => {
    const { since } = read(chainQuery, req.query)
    const found = records.chainSince(callerOf(res).account, since, PAGE_ITEMS)
    const entries = found.map(({ seq, entry }) => ({ seq, entry: new Uint8Array(entry) }))
    res.json(z.encode(chainFeed, { entries, next: entries.at(-1)?.seq ?? since }))
  })

  router.get(['/records/:id', '/records/:id/:version'], auth, (req, res) => {
    const id = pathId(req, 'id', recordIds.schema)
    const version: unknown = req.params['version']
    if (version !== undefined && !(typeof version === 'string' && /^\d{1,10}$/.test(version)))
      throw new VaultError('not-found', 'There is nothing at this address.')
    const body = records.record(callerOf(res).account, id, version === undefined ? null : Number(version))
    if (body === null) throw new VaultError('not-found', 'There is no such record.')
    res.setHeader('Content-Type', BLOB_MEDIA_TYPE)
    res.setHeader('Cache-Control', 'no-store')
    res.send(Buffer.from(body))
  })
  return router
}
