/** The vault as a process: what it prints, how it ends, and what is left after it was killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { artifactBytes, newAccount, newArtifactId, put, signIn } from './testing/client'
import { ORIGIN, send, startVault, type Caller } from './testing/vault'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

let dataDir: string
let children: ChildProcess[]
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'safelight-process-'))
  children = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(dataDir, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function launch(port: number, env: Record<string, string> = {}, ...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'server/main.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(port), SAFELIGHT_DATA: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const printed = { out: '', err: '' }
  child.stdout.on('data', (part: Buffer) => (printed.out += part.toString()))
  child.stderr.on('data', (part: Buffer) => (printed.err += part.toString()))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => {
      if (printed.out.includes('\n')) resolve()
    })
    void ended.then(() => reject(new Error(`ended early: ${printed.err}`)))
  })
  ready.catch(() => undefined)
  return { child, printed, ready, ended }
}

async function files(folder: string): Promise<string[]> {
  const entries = await readdir(join(dataDir, folder), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

describe('the process', () => {
  it('prints one line with its address and ends cleanly on a signal', async () => {
    const port = await freePort()
    const vault = launch(port)
    await vault.ready
    expect((await send(port, { path: '/api/roster' })).status).toBe(401)
    vault.child.kill('SIGTERM')
    expect(await vault.ended).toBe(0)
    expect(vault.printed.out.trim().split('\n')).toHaveLength(1)
    expect(vault.printed.out).toContain(`http://localhost:${port}`)
    expect(vault.printed.err).toBe('')
    expect(await readdir(join(dataDir, 'staging'))).toEqual([])
  })

  it('says in one sentence that a port is taken or a setting is wrong', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    const busy = launch(port)
    expect(await busy.ended).toBe(1)
    // One after the other: both open the same database.
    const wrong = launch(0, { SAFELIGHT_ORIGIN: 'ftp://x' })
    expect(await wrong.ended).toBe(1)
    expect(busy.printed.err).toMatch(/^Port \d+ is taken\.[^\n]*\n$/)
    expect(wrong.printed.err).toMatch(/^SAFELIGHT_ORIGIN must [^\n]*\n$/)
    await new Promise((resolve) => taken.close(resolve))
  })

  it('says in one sentence that its folder is a file, or its database is none', async () => {
    const file = join(dataDir, 'notes.txt')
    await writeFile(file, 'not a folder')
    const other = join(dataDir, 'other')
    await mkdir(other)
    await writeFile(
      join(other, 'vault.db'),
      'words that are long enough to be read as the head of a database '.repeat(20),
    )
    const [notFolder, notDatabase] = [file, other].map((SAFELIGHT_DATA) => launch(0, { SAFELIGHT_DATA }))
    expect([await notFolder!.ended, await notDatabase!.ended]).toEqual([1, 1])
    expect(notFolder!.printed.err).toMatch(/^The vault cannot use [^\n]* it is not a folder\.[^\n]*\n$/)
    expect(notDatabase!.printed.err).toMatch(/^The vault cannot use [^\n]* is not a database\.[^\n]*\n$/)
  })

  it('killed in the middle of an upload shows no half artifact and cleans up at the next start', async () => {
    const port = await freePort()
    const first = launch(port, { SAFELIGHT_ORIGIN: ORIGIN })
    await first.ready
    const vault: Caller = { call: (call) => send(port, call) }
    const account = await newAccount(vault)
    const cookie = await signIn(vault, account)
    const [whole, half] = [newArtifactId(), newArtifactId()]
    const bytes = artifactBytes(whole, 50_000)
    expect((await put(vault, cookie, whole, bytes)).status).toBe(201)

    const sent = request({
      port,
      host: '127.0.0.1',
      method: 'PUT',
      path: `/api/artifacts/${half}`,
      headers: {
        Origin: ORIGIN,
        Cookie: cookie,
        'If-None-Match': '*',
        'Content-Type': 'application/octet-stream',
        'Content-Length': '400000',
      },
    })
    sent.on('error', () => undefined)
    sent.write(artifactBytes(half, 300_000))
    await expect.poll(() => files('staging')).toHaveLength(1)
    first.child.kill('SIGKILL')
    await first.ended
    sent.destroy()
    expect(await files('staging')).toHaveLength(1)

    const second = launch(port, { SAFELIGHT_ORIGIN: ORIGIN })
    await second.ready
    expect(await files('staging')).toEqual([])
    expect(await files('blobs')).toHaveLength(1)
    // The session, the account and what was confirmed are still there.
    const there = await vault.call({ path: `/api/artifacts/${whole}`, cookie })
    expect(Buffer.compare(there.body, bytes)).toBe(0)
    expect((await vault.call({ path: `/api/artifacts/${half}`, cookie })).status).toBe(404)
    expect((await put(vault, cookie, half, artifactBytes(half, 400_000))).status).toBe(201)

    const scrub = launch(port, {}, '--scrub')
    expect(await scrub.ended).toBe(0)
    expect(scrub.printed.out).toBe('2 artifacts checked, 0 damaged\n')
  })
})

describe('a restart', () => {
  it('keeps accounts, artifacts and sessions', async () => {
    const vault = await startVault()
    try {
      const account = await newAccount(vault)
      const cookie = await signIn(vault, account)
      const id = newArtifactId()
      const bytes = artifactBytes(id)
      await put(vault, cookie, id, bytes)
      await vault.restart()
      const again = await vault.call({ path: `/api/artifacts/${id}`, cookie })
      expect(Buffer.compare(again.body, bytes)).toBe(0)
      await signIn(vault, account, account.kit)
    } finally {
      await vault.end()
    }
  })
})
