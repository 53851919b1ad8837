import { request } from 'node:http'
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toBase64url } from '../src/lib/bytes'
import { blobKey } from './shelf'
import { scrub } from './scrub'
import {
  artifactBytes,
  newAccount,
  newArtifactId,
  postChain,
  put,
  random,
  sha256,
  signIn,
  write,
  type Account,
} from './testing/client'
import { codeOf, jsonOf, ORIGIN, startVault, type TestVault } from './testing/vault'

let vault: TestVault
let account: Account
let cookie: string
beforeAll(async () => {
  vault = await startVault({ maxArtifactBytes: 200_000, quotaBytes: 3_000_000 })
  account = await newAccount(vault)
  cookie = await signIn(vault, account)
})
afterAll(() => vault.end())

const get = (id: string, headers = {}) => vault.call({ path: `/api/artifacts/${id}`, cookie, headers })

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(join(vault.dataDir, folder), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

describe('an upload', () => {
  it('comes back byte for byte, and is written once', async () => {
    const id = newArtifactId()
    const bytes = artifactBytes(id, 100_000)
    const first = await put(vault, cookie, id, bytes)
    expect(first.status).toBe(201)
    expect(jsonOf(first)).toEqual({ bytes: 100_000, sha256: toBase64url(sha256(bytes)) })
    expect(Buffer.compare((await get(id)).body, bytes)).toBe(0)
    expect((await put(vault, cookie, id, bytes)).status).toBe(200)
    expect(codeOf(await put(vault, cookie, id, artifactBytes(id, 100_000)))).toBe('conflict')
    expect(Buffer.compare((await get(id)).body, bytes)).toBe(0)
  })

  it('of two different ones at once keeps exactly what it confirmed', async () => {
    for (let round = 0; round < 10; round++) {
      const id = newArtifactId()
      const bodies = Array.from({ length: 4 }, () => artifactBytes(id, 4000 + round))
      const answers = await Promise.all(bodies.map((body) => put(vault, cookie, id, body)))
      const stored = answers.flatMap(({ status }, i) => (status < 300 ? [i] : []))
      expect(stored).toHaveLength(1)
      expect(Buffer.compare((await get(id)).body, bodies[stored[0]!]!)).toBe(0)
    }
  })

  it('is refused without its conditions, with another id inside, or when it is no artifact', async () => {
    const id = newArtifactId()
    const bytes = artifactBytes(id)
    expect(codeOf(await put(vault, cookie, id, bytes, { 'If-None-Match': '"x"' }))).toBe(
      'precondition-required',
    )
    expect(codeOf(await put(vault, cookie, id, bytes, { 'Content-Type': 'image/jpeg' }))).toBe(
      'wrong-media-type',
    )
    expect(codeOf(await put(vault, cookie, newArtifactId(), bytes))).toBe('bad-request')
    expect(codeOf(await put(vault, cookie, id, random(5000)))).toBe('bad-request')
    expect(codeOf(await put(vault, cookie, id, bytes.subarray(0, 100)))).toBe('bad-request')
    expect(codeOf(await put(vault, cookie, id, new Uint8Array(0)))).toBe('bad-request')
    expect((await get(id)).status).toBe(404)
    expect(await filesOf('staging')).toEqual([])
  })

  it('is capped, with and without a declared length', async () => {
    const id = newArtifactId()
    expect(codeOf(await put(vault, cookie, id, artifactBytes(id, 200_001)))).toBe('too-large')
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request(
        {
          port: vault.port,
          host: '127.0.0.1',
          method: 'PUT',
          path: `/api/artifacts/${id}`,
          headers: {
            Origin: ORIGIN,
            Cookie: cookie,
            'If-None-Match': '*',
            'Content-Type': 'application/octet-stream',
            'Transfer-Encoding': 'chunked',
          },
        },
        (res) => {
          res.resume()
          resolve(res.statusCode ?? 0)
        },
      )
      sent.on('error', reject)
      sent.end(artifactBytes(id, 200_001))
    })
    expect(status).toBe(413)
    expect(await filesOf('staging')).toEqual([])
  })

  it('that breaks off leaves nothing', async () => {
    const id = newArtifactId()
    const bytes = artifactBytes(id, 150_000)
    await new Promise<void>((resolve) => {
      const sent = request({
        port: vault.port,
        host: '127.0.0.1',
        method: 'PUT',
        path: `/api/artifacts/${id}`,
        headers: {
          Origin: ORIGIN,
          Cookie: cookie,
          'If-None-Match': '*',
          'Content-Type': 'application/octet-stream',
          'Content-Length': String(bytes.length),
        },
      })
      sent.on('error', () => resolve())
      sent.write(bytes.subarray(0, 60_000), () => setTimeout(() => sent.destroy(), 50))
    })
    await expect.poll(() => filesOf('staging')).toEqual([])
    expect((await get(id)).status).toBe(404)
    expect((await put(vault, cookie, id, bytes)).status).toBe(201)
  })

  it('stops at the quota of the account, which deleting gives back', async () => {
    const small = await startVault({ quotaBytes: 12_000 })
    try {
      const owner = await newAccount(small)
      const session = await signIn(small, owner)
      const [one, two, three] = [newArtifactId(), newArtifactId(), newArtifactId()]
      const first = artifactBytes(one)
      expect((await put(small, session, one, first)).status).toBe(201)
      expect((await put(small, session, two, artifactBytes(two))).status).toBe(201)
      expect(codeOf(await put(small, session, three, artifactBytes(three)))).toBe('quota-exceeded')
      const deletion = write(owner, owner.device, null, 0, null, {
        artifactId: one,
        artifactHash: sha256(first),
      })
      expect((await postChain(small, session, deletion)).status).toBe(201)
      const gone = await small.call({ method: 'DELETE', path: `/api/artifacts/${one}`, cookie: session })
      expect(gone.status).toBe(204)
      expect((await put(small, session, three, artifactBytes(three))).status).toBe(201)
    } finally {
      await small.end()
    }
  })
})

describe('a download', () => {
  it('gives ranges exactly, and says where they are not', async () => {
    const id = newArtifactId()
    const bytes = artifactBytes(id, 10_000)
    await put(vault, cookie, id, bytes)
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 0],
      ['bytes=100-199', 100, 199],
      ['bytes=9990-', 9990, 9999],
      ['bytes=-5', 9995, 9999],
      ['bytes=-999999', 0, 9999],
      ['bytes=9999-123456789', 9999, 9999],
    ] as const) {
      const answer = await get(id, { Range: range })
      expect(answer.status).toBe(206)
      expect(answer.headers['content-range']).toBe(`bytes ${start}-${end}/10000`)
      expect(Buffer.compare(answer.body, bytes.subarray(start, end + 1))).toBe(0)
    }
    for (const range of ['bytes=10000-', 'bytes=5-4', 'bytes=-0', 'bytes=-', 'bytes=a-b', 'bytes=0-1,3-4']) {
      const answer = await get(id, { Range: range })
      expect(answer.status, range).toBe(416)
      expect(answer.headers['content-range']).toBe('bytes */10000')
    }
  })

  it('has a HEAD of the same length', async () => {
    const id = newArtifactId()
    await put(vault, cookie, id, artifactBytes(id, 7000))
    const head = await vault.call({ method: 'HEAD', path: `/api/artifacts/${id}`, cookie })
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '7000', 0])
    expect(
      (await vault.call({ method: 'HEAD', path: `/api/artifacts/${newArtifactId()}`, cookie })).status,
    ).toBe(404)
  })

  it('of a file cut short on disk is an error, and no response that never ends', async () => {
    const id = newArtifactId()
    await put(vault, cookie, id, artifactBytes(id, 9000))
    const path = join(vault.dataDir, 'blobs', ...blobKey(account.id, id).split('/'))
    await truncate(path, 5000)
    for (const headers of [{}, { Range: 'bytes=0-99' }, { Range: 'bytes=6000-' }]) {
      const answer = await get(id, headers)
      expect([answer.status, codeOf(answer)]).toEqual([500, 'damaged'])
    }
    await vault.blobs.delete(blobKey(account.id, id))
    expect((await get(id)).status).toBe(404)
  })

  it('is listed by id', async () => {
    const { items, next } = jsonOf(await vault.call({ path: '/api/artifacts', cookie })) as {
      items: { id: string }[]
      next: string | null
    }
    expect(items.length).toBeGreaterThan(3)
    expect(next).toBeNull()
    const ids = items.map(({ id }) => id)
    expect(ids).toEqual([...ids].sort())
    const rest = await vault.call({ path: `/api/artifacts?after=${ids[1]!}`, cookie })
    expect((jsonOf(rest) as { items: unknown[] }).items).toEqual(items.slice(2))
  })
})

describe('a deletion', () => {
  it('needs a signed entry first', async () => {
    const owner = await newAccount(vault)
    const session = await signIn(vault, owner)
    const id = newArtifactId()
    const bytes = artifactBytes(id)
    await put(vault, session, id, bytes)
    const remove = () => vault.call({ method: 'DELETE', path: `/api/artifacts/${id}`, cookie: session })
    expect(codeOf(await remove())).toBe('not-allowed')
    const entry = write(owner, owner.device, null, 0, null, { artifactId: id, artifactHash: sha256(bytes) })
    expect((await postChain(vault, session, entry)).status).toBe(201)
    expect((await remove()).status).toBe(204)
    expect((await remove()).status).toBe(404)
    expect(await vault.blobs.size(blobKey(owner.id, id))).toBeNull()
  })
})

describe('the scrub', () => {
  it('finds one flipped bit and one lost file, and nothing else', async () => {
    const shelf = await startVault()
    try {
      const owner = await newAccount(shelf)
      const session = await signIn(shelf, owner)
      const ids = Array.from({ length: 5 }, newArtifactId)
      for (const id of ids) await put(shelf, session, id, artifactBytes(id))
      expect(await scrub(shelf.records, shelf.blobs)).toEqual({ checked: 5, damaged: [], unknown: 0 })
      const path = join(shelf.dataDir, 'blobs', ...blobKey(owner.id, ids[1]!).split('/'))
      const bytes = await readFile(path)
      bytes[3210]! ^= 0x10
      await writeFile(path, bytes)
      await shelf.blobs.delete(blobKey(owner.id, ids[3]!))
      const { checked, damaged } = await scrub(shelf.records, shelf.blobs)
      expect(checked).toBe(5)
      expect([...damaged].sort()).toEqual([ids[1]!, ids[3]!].map((id) => blobKey(owner.id, id)).sort())
    } finally {
      await shelf.end()
    }
  })
})
