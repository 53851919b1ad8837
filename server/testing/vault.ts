/** A whole vault for tests: real HTTP on a port of its own, real SQLite, real files in a temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../app'
import { DEFAULTS, type VaultConfig } from '../config'
import { createShelf, type Shelf } from '../shelf'
import { openFileBlobStore } from '../stores/file-blob-store'
import { openRecordStore } from '../stores/record-store'

export const ORIGIN = 'http://localhost:8787'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Call {
  readonly method?: string
  /** Sent as it is, without the normalising that fetch does. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly body?: Uint8Array
  readonly cookie?: string
}

export function send(
  port: number,
  { method = 'GET', path, headers, json, body, cookie }: Call,
): Promise<Answer> {
  const payload = json === undefined ? body : Buffer.from(JSON.stringify(json))
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port,
        host: '127.0.0.1',
        method,
        path,
        headers: {
          Origin: ORIGIN,
          ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(payload === undefined ? {} : { 'Content-Length': String(payload.length) }),
          ...(cookie === undefined ? {} : { Cookie: cookie }),
          ...headers,
        },
      },
      (res) => {
        const parts: Buffer[] = []
        res.on('data', (part: Buffer) => parts.push(part))
        res.on('error', reject)
        res.on('end', () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(parts) }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(payload)
  })
}

export function jsonOf(answer: Answer): unknown {
  return JSON.parse(answer.body.toString('utf8'))
}

/** The code of an error answer; throws where the body is not exactly one. */
export function codeOf(answer: Answer): string {
  const { error } = jsonOf(answer) as { error: { code: string; message: string } }
  if (Object.keys(error).sort().join() !== 'code,message') throw new Error('not an error answer')
  return error.code
}

/** Any running vault, in this process or another. */
export interface Caller {
  call(call: Call): Promise<Answer>
}

export interface TestVault extends Caller {
  readonly port: number
  readonly dataDir: string
  readonly logged: readonly string[]
  readonly records: ReturnType<typeof openRecordStore>
  readonly blobs: Awaited<ReturnType<typeof openFileBlobStore>>
  readonly shelf: Shelf
  /** Moves the vault's clock. */
  pass(ms: number): void
  /** Stops, keeps the data, and starts again. */
  restart(): Promise<void>
  end(): Promise<void>
}

export async function startVault(config: Partial<VaultConfig> = {}): Promise<TestVault> {
  const dataDir = await mkdtemp(join(tmpdir(), 'safelight-vault-'))
  const logged: string[] = []
  let offsetMs = 0
  const open = async () => {
    const records = openRecordStore(join(dataDir, 'vault.db'))
    const blobs = await openFileBlobStore(dataDir)
    const settings: VaultConfig = {
      ...DEFAULTS,
      accountsPerHourPerAddress: 1000,
      challengesPerMinutePerAddress: 1000,
      origin: ORIGIN,
      appDir: null,
      ...config,
    }
    const shelf = createShelf(records, blobs, settings.quotaBytes)
    const app = createApp({
      config: settings,
      records,
      blobs,
      shelf,
      nowMs: () => Date.now() + offsetMs,
      log: (line) => logged.push(line),
    })
    const server: Server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { records, blobs, shelf, server, port: (server.address() as AddressInfo).port }
  }
  let running = await open()
  const stop = async () => {
    running.server.closeAllConnections()
    await new Promise((resolve) => running.server.close(resolve))
    await running.blobs.close()
    running.records.close()
  }
  return {
    get port() {
      return running.port
    },
    get records() {
      return running.records
    },
    get blobs() {
      return running.blobs
    },
    get shelf() {
      return running.shelf
    },
    dataDir,
    logged,
    pass(ms) {
      offsetMs += ms
    },
    call: (call) => send(running.port, call),
    async restart() {
      await stop()
      running = await open()
    },
    async end() {
      await stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
