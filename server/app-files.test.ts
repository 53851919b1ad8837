/** The headers of every answer, and the built app with its caching. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeOf, startVault, type TestVault } from './testing/vault'

let appDir: string
let vault: TestVault
beforeAll(async () => {
  appDir = join(await mkdtemp(join(tmpdir(), 'safelight-app-')), 'dist')
  await mkdir(join(appDir, 'assets'), { recursive: true })
  await writeFile(join(appDir, 'index.html'), '<!doctype html><title>Safelight</title>')
  await writeFile(join(appDir, 'assets', 'index-B1c2D3e4.js'), 'export {}')
  await writeFile(join(appDir, 'sw.js'), '')
  await writeFile(join(appDir, '.hidden'), 'hidden')
  await writeFile(join(appDir, '..', 'outside.txt'), 'outside')
  vault = await startVault({ appDir })
})
afterAll(async () => {
  await vault.end()
  await rm(join(appDir, '..'), { recursive: true, force: true })
})

const navigation = { Host: 'localhost:8787', 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' }

describe('every answer', () => {
  it('carries the security headers, errors too', async () => {
    for (const path of [
      '/',
      '/assets/index-B1c2D3e4.js',
      '/nothing.png',
      '/api/roster',
      '/api/nothing',
      '/%',
    ]) {
      const { headers } = await vault.call({ path })
      const policy = headers['content-security-policy'] as string
      for (const directive of [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ])
        expect(policy.split('; '), path).toContain(directive)
      expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/)
      expect(headers).toMatchObject({
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
      expect(headers['permissions-policy']).toContain('geolocation=()')
      expect(headers['x-powered-by']).toBeUndefined()
    }
  })

  it('of the API is never cached', async () => {
    expect((await vault.call({ path: '/api/roster' })).headers['cache-control']).toBe('no-store')
  })
})

describe('the built app', () => {
  it('caches hashed files for ever and the rest not', async () => {
    const cacheOf = async (path: string) => (await vault.call({ path })).headers['cache-control']
    expect(await cacheOf('/assets/index-B1c2D3e4.js')).toBe('public, max-age=31536000, immutable')
    expect(await cacheOf('/index.html')).toBe('no-cache')
    expect(await cacheOf('/sw.js')).toBe('no-cache')
  })

  it('answers a navigation with its page, and nothing else with it', async () => {
    const page = await vault.call({ path: '/photos/7', headers: navigation })
    expect([page.status, page.headers['content-type'], page.headers['cache-control']]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ])
    expect(page.body.toString()).toContain('Safelight')
    expect(codeOf(await vault.call({ path: '/assets/gone-00000000.js' }))).toBe('not-found')
    expect(codeOf(await vault.call({ path: '/api/photos', headers: navigation }))).toBe('not-found')
  })

  it('serves nothing beside itself', async () => {
    for (const path of [
      '/../outside.txt',
      '/..%2foutside.txt',
      '/assets/../../outside.txt',
      '/.hidden',
      '//etc/passwd',
    ]) {
      const answer = await vault.call({ path })
      expect(answer.status, path).toBeGreaterThanOrEqual(400)
      expect(answer.body.toString()).not.toMatch(/outside|hidden|root:/)
    }
  })

  it('moves a page opened at 127.0.0.1 to the origin that sign-in knows', async () => {
    const answer = await vault.call({
      path: '//evil.example/x',
      headers: { ...navigation, Host: '127.0.0.1:8787' },
    })
    expect([answer.status, answer.headers.location]).toEqual([307, 'http://localhost:8787/evil.example/x'])
    const home = await vault.call({ path: '/', headers: { ...navigation, Host: 'localhost:8787' } })
    expect(home.status).toBe(200)
  })
})
