/** Starts the vault. One line with the address when it is ready; Ctrl-C ends it; `--scrub` checks every blob and ends. */
import { existsSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApp } from './app'
import { ConfigError, readListenConfig, readVaultConfig } from './config'
import { scrub } from './scrub'
import { openFileBlobStore } from './stores/file-blob-store'
import { openRecordStore } from './stores/record-store'

const SCRUB_EVERY_MS = 24 * 60 * 60_000

function fail(sentence: string): never {
  console.error(sentence)
  process.exit(1)
}

/** The built app lies beside the server folder, or beside the bundle. */
function findApp(): string | null {
  const here = dirname(fileURLToPath(import.meta.url))
  const found = [join(here, '..', 'dist'), join(here, 'dist'), join(process.cwd(), 'dist')].find((dir) =>
    existsSync(join(dir, 'index.html')),
  )
  return found ?? null
}

/** What stands in the way of a data folder, by the system's code. */
const FOLDER_TROUBLE: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it cannot be written to',
  ENOTDIR: 'it is not a folder',
  EEXIST: 'it is not a folder',
  ENOENT: 'it cannot be made',
  ENOSPC: 'the disk is full',
  SQLITE_READONLY: 'its database cannot be written to',
  SQLITE_CANTOPEN: 'its database cannot be opened',
  SQLITE_NOTADB: 'its vault.db is not a database',
  SQLITE_CORRUPT: 'its database is damaged',
  SQLITE_FULL: 'the disk is full',
  SQLITE_BUSY: 'another vault is using it',
}

async function openStores(dataDir: string) {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const records = openRecordStore(join(dataDir, 'vault.db'))
    return { records, blobs: await openFileBlobStore(dataDir) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const trouble = FOLDER_TROUBLE[code]
    if (trouble === undefined) throw error
    fail(
      `The vault cannot use ${dataDir}: ${trouble}. Mend that, or choose another folder: SAFELIGHT_DATA=DIR npm start`,
    )
  }
}

async function main(): Promise<void> {
  const { host, port, dataDir } = readListenConfig(process.env)
  const { records, blobs } = await openStores(dataDir)
  if (process.argv.includes('--scrub')) {
    const { checked, damaged } = await scrub(records, blobs)
    console.log(`${checked} artifacts checked, ${damaged.length} damaged`)
    for (const key of damaged) console.log(key)
    await blobs.close()
    records.close()
    process.exitCode = damaged.length === 0 ? 0 : 2
    return
  }

  const server = createServer()
  server.requestTimeout = 0 // uploads may be long; an idle connection ends by the timeout below
  server.timeout = 120_000
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE')
      fail(`Port ${port} is taken. Stop what uses it, or choose another: PORT=${port + 1} npm start`)
    fail(`The vault cannot listen on ${host}:${port} (${error.code ?? error.name}).`)
  })
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  const listening = (server.address() as AddressInfo).port
  const config = readVaultConfig(process.env, listening, findApp())
  server.on('request', createApp({ config, records, blobs }))
  console.log(`Safelight is ready at ${config.origin}`)

  const ending = new AbortController()
  const scrubbing = setInterval(() => {
    scrub(records, blobs, ending.signal).then(
      ({ damaged }) => {
        if (damaged.length > 0)
          console.error(`${damaged.length} artifacts are damaged: run with --scrub for a list`)
      },
      () => undefined,
    )
  }, SCRUB_EVERY_MS)
  scrubbing.unref()

  const stop = () => {
    ending.abort()
    clearInterval(scrubbing)
    server.close(() => {
      void blobs.close().finally(() => {
        records.close()
        process.exit(0)
      })
    })
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 3000).unref()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) fail(error.message)
  throw error
})
