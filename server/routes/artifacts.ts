/** Artifacts: whole sealed files, written once under an id that their own header names. */
import { pipeline } from 'node:stream/promises'
import { Router, type Request, type Response } from 'express'
import { z } from 'zod'
import { decodeHeader, HEADER_BYTES } from '../../src/format/artifact'
import { artifactIds } from '../../src/format/ids'
import {
  artifactList,
  artifactListQuery,
  BLOB_MEDIA_TYPE,
  PAGE_ITEMS,
  storedBlob,
} from '../../src/format/wire'
import { VaultError } from '../errors'
import { formatStep, pathId, read } from '../requests'
import { callerOf, signedIn } from '../sessions'
import type { ByteRange, StagedBlob } from '../stores/blob-store'
import type { VaultParts } from '../vault-parts'

export function blobKey(account: string, artifact: string): string {
  const hex = (id: string) => Buffer.from(id, 'base64url').toString('hex')
  return `${hex(account)}/${hex(artifact)}`
}

/** bytes=a-b, bytes=a- or bytes=-n; null where there is no Range header, an error where it cannot be met. */
export function parseRange(header: string | undefined, size: number): ByteRange | null {
  if (header === undefined) return null
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header)
  const [from, to] = [match?.[1] ?? '', match?.[2] ?? '']
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(size - 1, Number(to))
  if (match === null || (from === '' && (to === '' || Number(to) === 0)) || start > end)
    throw new VaultError('range-not-satisfiable', 'This range is not in the artifact.')
  return { start, end }
}

/** Runs steps on the same key one after another, so that a row and its bytes always belong together. */
function oneAtATime() {
  const running = new Map<string, Promise<unknown>>()
  return async <T>(key: string, step: () => Promise<T>): Promise<T> => {
    while (running.has(key)) await running.get(key)?.catch(() => undefined)
    const turn = step()
    running.set(key, turn)
    try {
      return await turn
    } finally {
      running.delete(key)
    }
  }
}

export function artifactRoutes(parts: VaultParts): Router {
  const { records, blobs, config } = parts
  const router = Router()
  const auth = signedIn(parts)
  const uploads = new Map<string, number>()
  const inOrder = oneAtATime()

  router.put('/artifacts/:id', auth, async (req, res) => {
    const id = pathId(req, 'id', artifactIds.schema)
    if (req.get('If-None-Match') !== '*')
      throw new VaultError('precondition-required', 'Artifacts are written once: send If-None-Match: *.')
    if (req.get('Content-Type') !== BLOB_MEDIA_TYPE)
      throw new VaultError('wrong-media-type', 'Artifacts travel as application/octet-stream.')
    if (Number(req.get('Content-Length') ?? 0) > config.maxArtifactBytes)
      throw new VaultError('too-large', 'The upload is too large for this vault.')
    const { account } = callerOf(res)
    const running = uploads.get(account) ?? 0
    if (running >= config.maxUploadsPerAccount)
      throw new VaultError('too-many-requests', 'Too many uploads run at once. Try again in a while.')
    uploads.set(account, running + 1)
    try {
      await store(req, res, account, id)
    } finally {
      const left = (uploads.get(account) ?? 1) - 1
      if (left > 0) uploads.set(account, left)
      else uploads.delete(account)
    }
  })

  async function store(req: Request, res: Response, account: string, id: string): Promise<void> {
    const staged = await stage(req)
    try {
      const header = await formatStep(() => decodeHeader(staged.head))
      if (header.artifactId !== id) throw new VaultError('bad-request', 'The artifact names another id.')
      const isNew = await inOrder(blobKey(account, id), () => keep(staged, account, id))
      const answer = z.encode(storedBlob, { bytes: staged.bytes, sha256: new Uint8Array(staged.sha256) })
      res.status(isNew ? 201 : 200).json(answer)
    } finally {
      await staged.discard()
    }
  }

  /** true where it is new, false where the very same bytes lie there already. */
  async function keep(staged: StagedBlob, account: string, id: string): Promise<boolean> {
    const key = blobKey(account, id)
    const known = records.artifact(account, id)
    if (known !== null) {
      if (Buffer.compare(known.sha256, staged.sha256) === 0) return false
      throw new VaultError('conflict', 'Another artifact has this id.')
    }
    // The blob first: a row never names bytes that are not there.
    await staged.commit(key)
    const added = records.addArtifact(account, id, staged.bytes, staged.sha256, config.quotaBytes)
    if (added === 'ok') return true
    if (added === 'exists') throw new VaultError('conflict', 'Another artifact has this id.')
    await blobs.delete(key)
    throw new VaultError('quota-exceeded', 'This vault has no more room for this account.')
  }

  async function stage(req: Request): Promise<StagedBlob> {
    try {
      return await blobs.stage(req, { maxBytes: config.maxArtifactBytes, headBytes: HEADER_BYTES })
    } catch (cause) {
      if (cause instanceof VaultError) throw cause
      throw new VaultError('upload-incomplete', 'The upload broke off.', { cause })
    }
  }

  router.get('/artifacts', auth, (req, res) => {
    const { after } = read(artifactListQuery, req.query)
    const found = records.artifactsAfter(callerOf(res).account, after ?? '', PAGE_ITEMS)
    const items = found.map(({ id, bytes, sha256 }) => ({
      id: artifactIds.schema.parse(id),
      bytes,
      sha256: new Uint8Array(sha256),
    }))
    const next = items.length === PAGE_ITEMS ? (items.at(-1)?.id ?? null) : null
    res.json(z.encode(artifactList, { items, next }))
  })

  router.get('/artifacts/:id', auth, async (req, res) => {
    const id = pathId(req, 'id', artifactIds.schema)
    const { account } = callerOf(res)
    const known = records.artifact(account, id)
    if (known === null) throw new VaultError('not-found', 'There is no such artifact.')
    res.locals['totalBytes'] = known.bytes
    const range = parseRange(req.get('Range'), known.bytes)
    const key = blobKey(account, id)
    const size = await blobs.size(key)
    // A response shorter than it says would keep the client waiting.
    if (size !== null && size !== known.bytes)
      throw new VaultError('damaged', 'The bytes of this artifact are cut off or changed.')
    const bytes = range === null ? known.bytes : range.end - range.start + 1
    res.setHeader('Content-Type', BLOB_MEDIA_TYPE)
    res.setHeader('Accept-Ranges', 'bytes')
    res.setHeader('Cache-Control', 'no-store')
    res.setHeader('Content-Length', bytes)
    if (range !== null) {
      res.status(206)
      res.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${known.bytes}`)
    }
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    const source = await blobs.open(key, range ?? undefined)
    if (source === null) throw new VaultError('not-found', 'The bytes of this artifact are lost.')
    // A client that goes away ends the pipeline; there is nobody left to tell.
    await pipeline(source, res).catch(() => res.destroy())
  })

  router.delete('/artifacts/:id', auth, async (req, res) => {
    const id = pathId(req, 'id', artifactIds.schema)
    const { account } = callerOf(res)
    await inOrder(blobKey(account, id), async () => {
      if (records.artifact(account, id) === null)
        throw new VaultError('not-found', 'There is no such artifact.')
      if (!records.removeArtifact(account, id))
        throw new VaultError('not-allowed', 'An artifact goes only after a signed deletion.')
      await blobs.delete(blobKey(account, id))
    })
    res.status(204).end()
  })
  return router
}
