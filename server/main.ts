/** Starts the vault. One line with the address when it is ready; Ctrl-C ends it; `--scrub` checks every blob and ends. */
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApp } from './app'
import { ConfigError, readListenConfig, readVaultConfig } from './config'
import { openDataFolder } from './data-folder'
import { scrub } from './scrub'
import { createShelf } from './shelf'

const UPKEEP_EVERY_MS = 24 * 60 * 60_000
/** Uploads and downloads that run when the vault is told to end may finish within this time. */
const GRACE_MS = 3000

/** The built app lies beside the server folder, or beside the bundle. */
function findApp(): string | null {
  const here = dirname(fileURLToPath(import.meta.url))
  const found = [join(here, '..', 'dist'), join(here, 'dist'), join(process.cwd(), 'dist')].find((dir) =>
    existsSync(join(dir, 'index.html')),
  )
  return found ?? null
}

/** Throws ConfigError. Gives the port, which is another one where `port` is 0. */
async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const sentence =
        cause.code === 'EADDRINUSE'
          ? `Port ${port} is taken. Stop what uses it, or choose another: PORT=${port + 1} npm start`
          : `The vault cannot listen on ${host}:${port} (${cause.code ?? cause.name}). Check HOST and PORT.`
      reject(new ConfigError(sentence, { cause }))
    })
    server.listen(port, host, resolve)
  })
  return (server.address() as AddressInfo).port
}

async function check(dataDir: string): Promise<void> {
  const { records, blobs, close } = await openDataFolder(dataDir, { alone: false })
  const { checked, damaged, unknown } = await scrub(records, blobs)
  console.log(`${checked} artifacts checked, ${damaged.length} damaged`)
  for (const key of damaged) console.log(key)
  if (unknown > 0) console.log(`${unknown} files that no account knows are left alone`)
  await close()
  process.exitCode = damaged.length === 0 ? 0 : 2
}

async function serve(host: string, port: number, dataDir: string): Promise<void> {
  const app = findApp()
  readVaultConfig(process.env, port, app) // a wrong setting is said before anything is opened
  const { records, blobs, close } = await openDataFolder(dataDir, { alone: true })
  const server = createServer()
  server.requestTimeout = 0 // uploads may be long; an idle connection ends by the timeout below
  server.timeout = 120_000
  const listening = await listen(server, host, port)
  const config = readVaultConfig(process.env, listening, app)
  const shelf = createShelf(records, blobs, config.quotaBytes)
  server.on('request', createApp({ config, records, blobs, shelf }))

  const ending = new AbortController()
  async function upkeep(checkAll: boolean): Promise<void> {
    await shelf.sweep(ending.signal)
    if (!checkAll) return
    const { damaged } = await scrub(records, blobs, ending.signal)
    if (damaged.length > 0)
      console.error(`${damaged.length} artifacts are damaged on disk. For a list: npm start -- --scrub`)
  }
  const quietly = (work: Promise<void>): void => {
    work.catch((error: unknown) => {
      if (!ending.signal.aborted) console.error(`Upkeep failed: ${error instanceof Error ? error.name : ''}`)
    })
  }
  quietly(upkeep(false))
  setInterval(() => quietly(upkeep(true)), UPKEEP_EVERY_MS).unref()

  const stop = () => {
    ending.abort()
    server.close(() => {
      close().then(
        () => process.exit(0),
        () => process.exit(1),
      )
    })
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  console.log(`Safelight is ready at ${config.origin}`)
}

async function main(): Promise<void> {
  const { host, port, dataDir } = readListenConfig(process.env)
  if (process.argv.includes('--scrub')) await check(dataDir)
  else await serve(host, port, dataDir)
}

main().catch((error: unknown) => {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(1)
})
