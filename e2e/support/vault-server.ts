/** The real server on a free port with a data folder of its own; it can be stopped and started again. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 10_000

export interface VaultServer {
  /** Stays the same over a restart, as the browser's storage belongs to it. */
  readonly origin: string
  /** Where it listens itself. */
  readonly port: number
  readonly dataDir: string
  start(): Promise<void>
  /** Asks the server to end, as Ctrl-C does, and resolves with its exit status. */
  stop(): Promise<number | null>
  /** Stops and removes the data folder. */
  dispose(): Promise<void>
}

function freePort(): Promise<number> {
  return new Promise((done, refuse) => {
    const probe = createServer()
    probe.once('error', refuse)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => {
        if (address !== null && typeof address === 'object') done(address.port)
        else refuse(new Error('no free port'))
      })
    })
  })
}

async function answers(origin: string): Promise<boolean> {
  try {
    return (await fetch(origin, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

/** `label` names the data folder, for whoever looks into a failed run; `front` is the origin of what stands before it. */
export async function makeVaultServer(label: string, front?: string): Promise<VaultServer> {
  const dataDir = await mkdtemp(join(tmpdir(), `safelight-${label}-`))
  const port = await freePort()
  const address = `http://localhost:${port}`
  const origin = front ?? address
  let child: ChildProcess | null = null
  let said = ''

  async function start(): Promise<void> {
    said = ''
    const settings = { PORT: String(port), SAFELIGHT_DATA: dataDir, SAFELIGHT_ORIGIN: origin }
    const env = { ...process.env, ...settings, NODE_ENV: 'production' }
    const started = spawn(process.execPath, ['--import', 'tsx', 'server/main.ts'], { cwd: ROOT, env })
    child = started
    started.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
    started.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
    const deadlineMs = Date.now() + START_TIMEOUT_MS
    while (!(await answers(address))) {
      if (started.exitCode !== null || Date.now() > deadlineMs)
        throw new Error(`The server did not start: ${said}`)
      await pause(100)
    }
  }

  async function stop(): Promise<number | null> {
    const running = child
    child = null
    if (running === null || running.exitCode !== null) return running?.exitCode ?? null
    const ended = new Promise<number | null>((done) => running.once('exit', (status) => done(status)))
    running.kill('SIGTERM')
    const force = setTimeout(() => running.kill('SIGKILL'), STOP_TIMEOUT_MS)
    try {
      return await ended
    } finally {
      clearTimeout(force)
    }
  }

  async function dispose(): Promise<void> {
    await stop()
    await rm(dataDir, { recursive: true, force: true })
  }

  return { origin, port, dataDir, start, stop, dispose }
}
