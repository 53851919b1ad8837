import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chainFeed, errorResponse, storedBlob } from '../src/format/wire'
import { blobKey, parseRange } from './routes/artifacts'
import { scrub } from './scrub'
import {
  artifactBytes,
  newArtifactId,
  newRecordId,
  startVault,
  TestDevice,
  type RunningVault,
} from './testing/test-vault'

let folder: string
let vault: RunningVault

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safelight-'))
  vault = await startVault(folder, { quotaBytes: 200_000, maxArtifactBytes: 100_000 })
})
afterEach(async () => {
  await vault.stop()
  await rm(folder, { recursive: true, force: true })
})

async function expectError(answer: Response, status: number, code: string): Promise<void> {
  expect([answer.status, errorResponse.parse(await answer.json()).error.code]).toEqual([status, code])
}

describe('accounts and sessions', () => {
  it('registers an account once and finds it by its kit', async () => {
    const device = await TestDevice.register(vault.origin)
    const kit = [...device.account.roster.members.values()].find(({ isKit }) => isKit)
    const found = await device.send('POST', '/api/recovery/lookup', { kitDeviceId: kit?.deviceId })
    expect(await found.json()).toEqual({ accountId: device.account.roster.accountId })
    const unknown = await device.send('POST', '/api/recovery/lookup', {
      kitDeviceId: device.account.device.deviceId,
    })
    await expectError(unknown, 404, 'not-found')
  })

  it('takes a nonce once, within its minute, and only signed for this origin', async () => {
    const device = await TestDevice.register(vault.origin)
    const nonce = await device.challenge()
    const claim = device.claim(nonce)
    expect((await device.send('POST', '/api/sessions', claim)).status).toBe(204)
    await expectError(await device.send('POST', '/api/sessions', claim), 401, 'sign-in-failed')
    const elsewhere = device.claim(await device.challenge(), 'https://elsewhere.example')
    await expectError(await device.send('POST', '/api/sessions', elsewhere), 401, 'sign-in-failed')
    const late = device.claim(await device.challenge())
    vault.advance(61_000)
    await expectError(await device.send('POST', '/api/sessions', late), 401, 'sign-in-failed')
    const own = device.claim(randomBytes(32))
    await expectError(await device.send('POST', '/api/sessions', own), 401, 'sign-in-failed')
  })

  it('ends a session after its hour and on signing out', async () => {
    const device = await TestDevice.register(vault.origin)
    expect((await device.send('GET', '/api/grants')).status).toBe(200)
    expect((await device.send('DELETE', '/api/sessions')).status).toBe(204)
    await expectError(await device.send('GET', '/api/grants'), 401, 'not-signed-in')
    await device.signIn()
    vault.advance(3_600_001)
    await expectError(await device.send('GET', '/api/grants'), 401, 'not-signed-in')
  })

  it('refuses writes from another origin and the kit share to a device', async () => {
    const device = await TestDevice.register(vault.origin)
    const foreign = await device.send('DELETE', '/api/sessions', undefined, {
      origin: 'https://elsewhere.example',
    })
    await expectError(foreign, 403, 'wrong-origin')
    await expectError(await device.send('GET', '/api/kit-share'), 403, 'not-allowed')
  })

  it('keeps the session token out of the database', async () => {
    const device = await TestDevice.register(vault.origin)
    const token = device.cookie.split('=')[1] ?? ''
    expect(token).toMatch(/^[\w-]{43}$/)
    const stored = Buffer.concat(
      await Promise.all(['vault.db', 'vault.db-wal'].map((f) => readFile(join(folder, f)))),
    )
    expect(stored.includes(token)).toBe(false)
    expect(stored.includes(Buffer.from(token, 'base64url'))).toBe(false)
  })
})

describe('artifacts', () => {
  it('stores once, gives back whole and in ranges, and lists', async () => {
    const device = await TestDevice.register(vault.origin)
    const id = newArtifactId()
    const bytes = artifactBytes(id)
    const first = await device.put(id, bytes)
    expect(first.status).toBe(201)
    expect(Buffer.from(storedBlob.parse(await first.json()).sha256)).toEqual(
      createHash('sha256').update(bytes).digest(),
    )
    expect((await device.put(id, bytes)).status).toBe(200)
    await expectError(await device.put(id, artifactBytes(id)), 409, 'conflict')
    expect(Buffer.from(await (await device.send('GET', `/api/artifacts/${id}`)).arrayBuffer())).toEqual(
      Buffer.from(bytes),
    )
    const part = await device.send('GET', `/api/artifacts/${id}`, undefined, { range: 'bytes=10-19' })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 10-19/5000'])
    expect(Buffer.from(await part.arrayBuffer())).toEqual(Buffer.from(bytes.subarray(10, 20)))
    const beyond = await device.send('GET', `/api/artifacts/${id}`, undefined, { range: 'bytes=5000-' })
    await expectError(beyond, 416, 'range-not-satisfiable')
    const list = (await (await device.send('GET', '/api/artifacts')).json()) as { items: { id: string }[] }
    expect(list.items.map((item) => item.id)).toEqual([id])
  })

  it('refuses what is no artifact, is too large, over the quota, or named otherwise', async () => {
    const device = await TestDevice.register(vault.origin)
    const id = newArtifactId()
    await expectError(await device.put(id, new Uint8Array(randomBytes(500))), 400, 'bad-request')
    await expectError(await device.put(id, new Uint8Array(0)), 400, 'bad-request')
    await expectError(await device.put(id, artifactBytes(newArtifactId())), 400, 'bad-request')
    await expectError(await device.put(id, artifactBytes(id, 100_001)), 413, 'too-large')
    const bare = await device.send('PUT', `/api/artifacts/${id}`, artifactBytes(id))
    await expectError(bare, 428, 'precondition-required')
    for (let n = 0; n < 2; n++) {
      const next = newArtifactId()
      expect((await device.put(next, artifactBytes(next, 90_000))).status).toBe(201)
    }
    await expectError(await device.put(id, artifactBytes(id, 90_000)), 507, 'quota-exceeded')
    for (const path of ['..%2f..%2fvault.db', 'x', '%00', 'A'.repeat(300)])
      expect((await device.send('GET', `/api/artifacts/${path}`)).status).toBe(404)
  })

  it('belongs to its account alone', async () => {
    const owner = await TestDevice.register(vault.origin)
    const other = await TestDevice.register(vault.origin)
    const { artifactId, recordId } = await owner.storePhoto()
    await expectError(await other.send('GET', `/api/artifacts/${artifactId}`), 404, 'not-found')
    await expectError(await other.send('DELETE', `/api/artifacts/${artifactId}`), 404, 'not-found')
    await expectError(await other.send('GET', `/api/records/${recordId}`), 404, 'not-found')
    expect(chainFeed.parse(await (await other.send('GET', '/api/chain')).json()).entries).toEqual([])
    const stranger = new TestDevice(vault.origin, other.account)
    for (const path of [
      'artifacts',
      `artifacts/${artifactId}`,
      'chain',
      `records/${recordId}`,
      'roster',
      'grants',
    ])
      await expectError(await stranger.send('GET', `/api/${path}`), 401, 'not-signed-in')
  })

  it('finds one flipped byte', async () => {
    const device = await TestDevice.register(vault.origin)
    const { artifactId } = await device.storePhoto()
    expect(await scrub(vault.records, vault.blobs)).toEqual({ checked: 1, damaged: [] })
    const key = blobKey(device.account.roster.accountId, artifactId)
    const file = join(folder, 'blobs', ...key.split('/'))
    const bytes = await readFile(file)
    bytes[3000]! ^= 1
    await writeFile(file, bytes)
    expect(await scrub(vault.records, vault.blobs)).toEqual({ checked: 1, damaged: [key] })
  })

  it('survives a restart', async () => {
    const device = await TestDevice.register(vault.origin)
    const { artifactId, bytes, recordId } = await device.storePhoto()
    await vault.stop()
    vault = await startVault(folder)
    const again = new TestDevice(vault.origin, device.account)
    await again.signIn()
    expect(
      Buffer.from(await (await again.send('GET', `/api/artifacts/${artifactId}`)).arrayBuffer()),
    ).toEqual(Buffer.from(bytes))
    expect((await (await again.send('GET', `/api/records/${recordId}/1`)).arrayBuffer()).byteLength).toBe(512)
  })
})

describe('the signed chain', () => {
  it('keeps order, answers a repeated entry alike, and refuses gaps and foreign signatures', async () => {
    const device = await TestDevice.register(vault.origin)
    const record = new Uint8Array(randomBytes(512))
    const first = await device.chainBody(newRecordId(), 1, record, null)
    const second = await device.chainBody(newRecordId(), 1, record, null)
    await expectError(await device.send('POST', '/api/chain', second), 409, 'conflict')
    expect(await (await device.send('POST', '/api/chain', first)).json()).toEqual({ seq: 1 })
    expect(await (await device.send('POST', '/api/chain', first)).json()).toEqual({ seq: 1 })
    expect(await (await device.send('POST', '/api/chain', second)).json()).toEqual({ seq: 2 })
    const feed = chainFeed.parse(await (await device.send('GET', '/api/chain?since=1')).json())
    expect([feed.entries.map((e) => e.seq), feed.next]).toEqual([[2], 2])
    const other = await TestDevice.register(vault.origin)
    await expectError(await other.send('POST', '/api/chain', first), 403, 'not-allowed')
  })

  it('takes no record other than the one signed, and none whose artifact is not there', async () => {
    const device = await TestDevice.register(vault.origin)
    const body = (await device.chainBody(newRecordId(), 1, new Uint8Array(512), null)) as { record: string }
    const swapped = { ...body, record: Buffer.alloc(512, 7).toString('base64url') }
    await expectError(await device.send('POST', '/api/chain', swapped), 400, 'bad-request')
    const artifact = { id: newArtifactId(), sha256: randomBytes(32) }
    const fresh = await TestDevice.register(vault.origin)
    const missing = await fresh.chainBody(newRecordId(), 1, new Uint8Array(512), artifact)
    await expectError(await fresh.send('POST', '/api/chain', missing), 412, 'precondition-failed')
  })

  it('lets an artifact go only after a signed deletion, which leaves no record behind', async () => {
    const device = await TestDevice.register(vault.origin)
    const { artifactId, recordId, sha256 } = await device.storePhoto()
    await expectError(await device.send('DELETE', `/api/artifacts/${artifactId}`), 403, 'not-allowed')
    const deletion = await device.chainBody(recordId, 2, null, { id: artifactId, sha256 })
    expect((await device.send('POST', '/api/chain', deletion)).status).toBe(201)
    expect((await device.send('DELETE', `/api/artifacts/${artifactId}`)).status).toBe(204)
    await expectError(await device.send('GET', `/api/artifacts/${artifactId}`), 404, 'not-found')
    await expectError(await device.send('GET', `/api/records/${recordId}`), 404, 'not-found')
    expect(await vault.blobs.size(blobKey(device.account.roster.accountId, artifactId))).toBeNull()
  })
})

describe('every answer', () => {
  it('carries the headers that keep the page to itself', async () => {
    const answer = await fetch(`${vault.origin}/api/nothing`)
    expect(answer.status).toBe(404)
    const policy = answer.headers.get('content-security-policy') ?? ''
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"])
      expect(policy).toContain(part)
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:/)
    expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(answer.headers.get('cross-origin-embedder-policy')).toBe('require-corp')
    expect(answer.headers.get('x-powered-by')).toBeNull()
  })

  it('is a typed error for hostile bodies, never a stack', async () => {
    const device = await TestDevice.register(vault.origin)
    const hostile = [
      '{',
      '[]',
      'null',
      '{"__proto__":{}}',
      `{"accountId":"${'A'.repeat(43)}"}`,
      `"${'x'.repeat(2e6)}"`,
    ]
    for (const path of ['accounts', 'sessions', 'sessions/challenge', 'recovery/lookup', 'roster', 'chain'])
      for (const body of hostile) {
        const headers = { origin: vault.origin, cookie: device.cookie, 'content-type': 'application/json' }
        const answer = await fetch(`${vault.origin}/api/${path}`, { method: 'POST', headers, body })
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(answer.status).toBeLessThan(500)
        expect(await answer.text()).not.toMatch(/\bat .*:\d+/)
      }
  })
})

describe('ranges', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=5-', { start: 5, end: 99 }],
    ['bytes=-10', { start: 90, end: 99 }],
    ['bytes=90-500', { start: 90, end: 99 }],
    [undefined, null],
  ])('%s', (header, range) => expect(parseRange(header, 100)).toEqual(range))

  it.each(['bytes=100-', 'bytes=5-4', 'bytes=-0', 'bytes=-', 'bytes=0-1,3-4', 'chars=0-1', 'bytes=a-b'])(
    'refuses %s',
    (header) => expect(() => parseRange(header, 100)).toThrow(/not in the artifact/),
  )
})
