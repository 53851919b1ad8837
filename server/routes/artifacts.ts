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
import { blobKey } from '../shelf'
import type { ByteRange, StagedBlob } from '../stores/blob-store'
import type { VaultParts } from '../vault-parts'

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

/** Bytes as they come, and an error in place of an end that comes too early: never a short answer that looks whole. */
const inFull = (bytes: number) =>
  async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let left = bytes
    for await (const part of source) {
      left -= part.length
      yield part
    }
    if (left !== 0) throw new VaultError('damaged', CUT_SHORT)
  }

const CUT_SHORT = 'The bytes of this artifact are cut off or changed.'

/** Codes of a connection that its client left, or that a proxy cut. */
const GONE = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'])
const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && GONE.has(error.code)

export function artifactRoutes(parts: VaultParts): Router {
  const { records, blobs, shelf, config } = parts
  const router = Router()
  const auth = signedIn(parts)
  const uploads = new Map<string, number>()

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
      const isNew = await shelf.keep(staged, account, id)
      const answer = z.encode(storedBlob, { bytes: staged.bytes, sha256: new Uint8Array(staged.sha256) })
      res.status(isNew ? 201 : 200).json(answer)
    } finally {
      await staged.discard()
    }
  }

  async function stage(req: Request): Promise<StagedBlob> {
    try {
      const limits = { maxBytes: config.maxArtifactBytes, headBytes: HEADER_BYTES }
      return await blobs.stage(req.iterator({ destroyOnReturn: false }), limits)
    } catch (cause) {
      if (isGone(cause)) throw new VaultError('upload-incomplete', 'The upload broke off.', { cause })
      // The rest is taken in and dropped, so that the client comes to read why; without a length it could be endless.
      if (req.get('Content-Length') === undefined) req.destroy()
      else req.resume()
      throw cause
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
    if (size !== null && size !== known.bytes) throw new VaultError('damaged', CUT_SHORT)
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
    await pipeline(source, inFull(bytes), res).catch((error: unknown) => {
      if (!isGone(error)) throw error // the connection is cut, which the client sees
    })
  })

  router.delete('/artifacts/:id', auth, async (req, res) => {
    const id = pathId(req, 'id', artifactIds.schema)
    const { account } = callerOf(res)
    await shelf.remove(account, id)
    res.status(204).end()
  })
  return router
}
