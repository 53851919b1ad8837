import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toBase64url } from '../src/lib/bytes'
import {
  challenge,
  claim,
  draftAccount,
  newAccount,
  newDevice,
  random,
  signIn,
  type Account,
} from './testing/client'
import { codeOf, jsonOf, ORIGIN, startVault, type Answer, type TestVault } from './testing/vault'

let vault: TestVault
let account: Account
beforeAll(async () => {
  vault = await startVault()
  account = await newAccount(vault)
})
afterAll(() => vault.end())

const post = (path: string, json: unknown, headers = {}): Promise<Answer> =>
  vault.call({ method: 'POST', path, json, headers })

describe('accounts', () => {
  it('are made once', async () => {
    const draft = await draftAccount()
    const first = await post('/api/accounts', draft.request)
    expect(first.status).toBe(201)
    expect(jsonOf(first)).toEqual({ accountId: draft.id })
    expect(codeOf(await post('/api/accounts', draft.request))).toBe('conflict')
  })

  it('are found by their kit and by nothing else', async () => {
    expect(jsonOf(await post('/api/recovery/lookup', { kitDeviceId: account.kit.id }))).toEqual({
      accountId: account.id,
    })
    expect((await post('/api/recovery/lookup', { kitDeviceId: account.device.id })).status).toBe(404)
  })

  it('are refused with a changed entry, a foreign grant or hostile JSON', async () => {
    const [draft, other] = [await draftAccount(), await draftAccount()]
    const request = draft.request as Record<string, unknown>
    const foreign = other.request as Record<string, unknown>
    const genesis = Buffer.from(request['genesis'] as string, 'base64url')
    genesis[genesis.length - 40]! ^= 1
    expect(codeOf(await post('/api/accounts', { ...request, genesis: genesis.toString('base64url') }))).toBe(
      'bad-signature',
    )
    expect((await post('/api/accounts', { ...request, kit: foreign['kit'] })).status).toBe(409)
    expect(codeOf(await post('/api/accounts', { ...request, grants: foreign['grants'] }))).toBe('not-allowed')
    expect(codeOf(await post('/api/accounts', { ...request, kitShare: foreign['kitShare'] }))).toBe(
      'not-allowed',
    )
    for (const hostile of [null, [], 7, {}, { ...request, more: 1 }, { ...request, genesis: ['x'] }])
      expect((await post('/api/accounts', hostile)).status).toBe(400)
    const broken = await vault.call({
      method: 'POST',
      path: '/api/accounts',
      body: Buffer.from('{"genesis":'),
      headers: { 'Content-Type': 'application/json' },
    })
    expect(codeOf(broken)).toBe('bad-request')
    const huge = await post('/api/accounts', { genesis: 'A'.repeat(2_000_000) })
    expect(codeOf(huge)).toBe('too-large')
  })
})

describe('a session', () => {
  it('opens with a signature, in a cookie that scripts and other sites cannot use', async () => {
    const json = claim(account, account.device, await challenge(vault, account, account.device))
    const answer = await post('/api/sessions', json)
    expect(answer.status).toBe(204)
    const cookie = answer.headers['set-cookie']![0]!
    expect(cookie).toMatch(
      /^safelight=[\w-]{43}; Max-Age=3600; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
    )
    const replay = await post('/api/sessions', json)
    expect(codeOf(replay)).toBe('sign-in-failed')
    expect(replay.headers['set-cookie']).toBeUndefined()
  })

  it('is a __Host- cookie with Secure on https', async () => {
    const origin = 'https://photos.example.org'
    const secure = await startVault({ origin })
    try {
      const draft = await draftAccount()
      const call = (path: string, json: unknown) =>
        secure.call({ method: 'POST', path, json, headers: { Origin: origin } })
      expect((await call('/api/accounts', draft.request)).status).toBe(201)
      const asked = await call('/api/sessions/challenge', { accountId: draft.id, deviceId: draft.device.id })
      const nonce = new Uint8Array(Buffer.from((jsonOf(asked) as { nonce: string }).nonce, 'base64url'))
      const answer = await call('/api/sessions', claim(draft, draft.device, nonce, { origin }))
      expect(answer.status).toBe(204)
      expect(answer.headers['set-cookie']![0]).toMatch(
        /^__Host-safelight=.*; HttpOnly; Secure; SameSite=Strict$/,
      )
      expect(answer.headers['strict-transport-security']).toMatch(/^max-age=\d+/)
    } finally {
      await secure.end()
    }
  })

  it('does not open for another origin, key, nonce, device or roster', async () => {
    const { device } = account
    const refused = async (json: unknown) =>
      expect(codeOf(await post('/api/sessions', json))).toBe('sign-in-failed')
    const nonce = () => challenge(vault, account, device)
    await refused(claim(account, device, await nonce(), { origin: 'http://evil.example' }))
    await refused(claim(account, device, await nonce(), { signer: account.kit }))
    await refused(claim(account, device, await nonce(), { rosterHead: random(32) }))
    await refused(claim(account, device, random(32)))
    await refused(claim(account, account.kit, await nonce()))
    const stranger = await newDevice()
    await refused(claim(account, stranger, await challenge(vault, account, stranger)))
    const late = await nonce()
    vault.pass(60_001)
    await refused(claim(account, device, late))
  })

  it('ends after an hour, and when it is closed', async () => {
    const roster = (cookie: string) => vault.call({ path: '/api/roster', cookie })
    const [first, second] = [await signIn(vault, account), await signIn(vault, account)]
    expect((await vault.call({ method: 'DELETE', path: '/api/sessions', cookie: first })).status).toBe(204)
    expect(codeOf(await roster(first))).toBe('not-signed-in')
    expect((await roster(second)).status).toBe(200)
    vault.pass(3_600_001)
    expect(codeOf(await roster(second))).toBe('not-signed-in')
  })

  it('is never kept in clear', async () => {
    const cookie = await signIn(vault, account)
    const token = cookie.split('=')[1]!
    const { readFile } = await import('node:fs/promises')
    for (const file of ['vault.db', 'vault.db-wal']) {
      const bytes = await readFile(`${vault.dataDir}/${file}`)
      expect(bytes.includes(token)).toBe(false)
      expect(bytes.includes(Buffer.from(token, 'base64url'))).toBe(false)
    }
  })
})

describe('the door', () => {
  it('takes writes from its own origin only', async () => {
    const cookie = await signIn(vault, account)
    for (const origin of [
      'http://evil.example',
      'http://localhost:8788',
      'https://localhost:8787',
      'null',
      '',
    ])
      for (const [method, path] of [
        ['POST', '/api/accounts'],
        ['POST', '/api/roster'],
        ['POST', '/api/chain'],
        ['PUT', `/api/artifacts/${toBase64url(random(16))}`],
        ['DELETE', '/api/sessions'],
      ] as const)
        expect(codeOf(await vault.call({ method, path, cookie, headers: { Origin: origin } }))).toBe(
          'wrong-origin',
        )
  })

  it('opens no route without a session', async () => {
    const id = toBase64url(random(16))
    for (const [method, path] of [
      ['GET', '/api/roster'],
      ['POST', '/api/roster'],
      ['GET', '/api/grants'],
      ['GET', '/api/kit-share'],
      ['GET', '/api/artifacts'],
      ['GET', `/api/artifacts/${id}`],
      ['PUT', `/api/artifacts/${id}`],
      ['DELETE', `/api/artifacts/${id}`],
      ['GET', '/api/chain'],
      ['POST', '/api/chain'],
      ['GET', `/api/records/${id}`],
      ['GET', `/api/records/${id}/1`],
    ] as const)
      for (const cookie of ['', 'safelight=', `safelight=${toBase64url(random(32))}`, 'safelight=../../x'])
        expect((await vault.call({ method, path, cookie })).status, `${method} ${path}`).toBe(401)
  })

  it('answers hostile addresses with an error of its own form', async () => {
    const cookie = await signIn(vault, account)
    for (const path of [
      '/api/nothing',
      '/api/artifacts/..%2f..%2fvault.db',
      '/api/artifacts/%00',
      '/api/artifacts/%',
      '/api/artifacts/../../vault.db',
      '/api/records/%2e%2e',
      '/api/records/AAAAAAAAAAAAAAAAAAAAAA/-1',
      '/api/records/AAAAAAAAAAAAAAAAAAAAAA/1e9',
      '/api/roster?from=-1',
      '/api/roster?from[]=1',
      '/api/chain?since=1e400',
      '/api/artifacts?after=%27%20OR%201=1',
    ]) {
      const answer = await vault.call({ path, cookie })
      expect(answer.status, path).toBeGreaterThanOrEqual(400)
      expect(answer.status, path).toBeLessThan(500)
      expect(codeOf(answer)).toMatch(/^(?:not-found|bad-request)$/)
    }
    expect(vault.logged).toEqual([])
  })

  it('answers hostile bodies likewise, and says nothing of its insides', async () => {
    const cookie = await signIn(vault, account)
    const bodies = ['{', '[]', 'null', '7', '{"__proto__":{}}', `{"accountId":"${'A'.repeat(43)}"}`]
    for (const path of ['accounts', 'sessions', 'sessions/challenge', 'recovery/lookup', 'roster', 'chain'])
      for (const body of [...bodies, `"${'x'.repeat(2e6)}"`]) {
        const headers = { 'Content-Type': 'application/json' }
        const call = { method: 'POST', path: `/api/${path}`, body: Buffer.from(body), headers, cookie }
        const answer = await vault.call(call)
        expect(codeOf(answer), path).toMatch(/^(?:bad-request|too-large)$/)
        expect(answer.body.toString()).not.toMatch(/\bat .*:\d+/)
      }
    expect(vault.logged).toEqual([])
  })

  it('does not wait for ever for a body that drips in', async () => {
    const hasty = await startVault({ jsonTimeoutMs: 50 })
    try {
      const status = await new Promise<number>((resolve, reject) => {
        const sent = request(
          {
            port: hasty.port,
            host: '127.0.0.1',
            method: 'POST',
            path: '/api/accounts',
            headers: { Origin: ORIGIN, 'Content-Type': 'application/json', 'Content-Length': '100' },
          },
          (res) => {
            res.resume()
            resolve(res.statusCode ?? 0)
          },
        )
        sent.on('error', reject)
        sent.write('{')
      })
      expect(status).toBe(408)
      expect(hasty.logged).toEqual([])
    } finally {
      await hasty.end()
    }
  })

  it('lets nobody ask for ever', async () => {
    const small = await startVault({ challengesPerMinutePerAddress: 3, accountsPerHourPerAddress: 1 })
    try {
      const json = { accountId: account.id, deviceId: account.device.id }
      const ask = () => small.call({ method: 'POST', path: '/api/sessions/challenge', json })
      for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(200)
      expect(codeOf(await ask())).toBe('too-many-requests')
      await newAccount(small)
      const more = await small.call({ method: 'POST', path: '/api/accounts', json: {} })
      expect(codeOf(more)).toBe('too-many-requests')
    } finally {
      await small.end()
    }
  })
})
