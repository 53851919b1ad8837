/**
 * Stands between browsers and a vault: passes everything on, keeps every write as it came over the wire, and breaks
 * writes off when told to, as a bad connection does.
 */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** `cut`: the connection breaks half-way. `unanswered`: the vault takes it all, and its answer is lost. */
export type Fate = 'passed' | 'cut' | 'unanswered'

/** What happens to artifacts, and to signed entries with their records. */
export interface Fates {
  readonly artifacts: Fate
  readonly entries: Fate
}

export interface Write {
  readonly kind: keyof Fates
  /** From the address of an artifact; empty for an entry. */
  readonly artifactId: string
  /** What came over the wire: a part where it was cut. */
  readonly bytes: Buffer
  readonly fate: Fate
}

export interface Tap {
  readonly origin: string
  /** In the order in which they ended. */
  readonly writes: readonly Write[]
  /** Port of the vault behind it. */
  forwardTo(port: number): void
  /** For what comes from now on; `passed` at first. */
  setFates(fates: Fates): void
  close(): Promise<void>
}

function kindOf({ method, url = '' }: IncomingMessage): Pick<Write, 'kind' | 'artifactId'> | null {
  if (method === 'POST' && url === '/api/chain') return { kind: 'entries', artifactId: '' }
  const artifactId = /^\/api\/artifacts\/([\w-]+)$/.exec(url)?.[1]
  return method === 'PUT' && artifactId !== undefined ? { kind: 'artifacts', artifactId } : null
}

export async function startTap(): Promise<Tap> {
  const writes: Write[] = []
  let vaultPort = 0
  let fates: Fates = { artifacts: 'passed', entries: 'passed' }

  function pass(req: IncomingMessage, res: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = req
    const write = kindOf(req)
    const fate = write === null ? 'passed' : fates[write.kind]
    const parts: Buffer[] = []
    const halfBytes = Number(headers['content-length'] ?? 0) / 2
    let gotBytes = 0
    let isCut = false

    const address = { host: '127.0.0.1', port: vaultPort, method, path: url, headers }
    const upstream = request(address, (answer) => {
      if (fate === 'unanswered') {
        answer.resume().once('end', () => req.socket.destroy())
        return
      }
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    upstream.once('error', () => res.destroy())
    req.on('data', (part: Buffer) => {
      if (isCut) return
      parts.push(part)
      gotBytes += part.length
      isCut = fate === 'cut' && gotBytes >= halfBytes
      if (isCut) req.socket.destroy()
      else upstream.write(part)
    })
    req.once('end', () => {
      if (!isCut) upstream.end()
    })
    req.once('error', () => undefined) // the browser left, or was cut off: 'close' follows
    req.once('close', () => {
      if (write !== null) writes.push({ ...write, bytes: Buffer.concat(parts), fate })
    })
    res.once('close', () => {
      if (!res.writableFinished) upstream.destroy()
    })
  }

  const server = createServer(pass)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    writes,
    forwardTo: (port) => (vaultPort = port),
    setFates: (next) => (fates = next),
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
