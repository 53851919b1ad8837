/**
 * The golden vaults as a server has them: what devices of an earlier release wrote, put into the data folder of a server
 * that is stopped. Entries are read in a page by the app's own code.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Page } from '@playwright/test'
import Database from 'better-sqlite3'
import { openSourcePage } from './source-page'

/** Bytes are base64url; as openGoldenVault of src/crypto takes it. */
export interface StoredVault {
  readonly accountId: string
  readonly words: string
  readonly kitShare: string
  readonly roster: readonly string[]
  readonly grants: readonly string[]
  readonly chain: readonly string[]
  readonly records: readonly { readonly version: number; readonly sealed: string }[]
  readonly artifacts: Readonly<Record<string, string>>
}

export interface GoldenVault {
  /** Of the model that its photos were made with. */
  readonly modelName: string
  readonly vault: StoredVault
  readonly expected: readonly {
    readonly name: string
    readonly width: number
    readonly height: number
  }[]
}

/** One of every released model, oldest first. */
export function readGoldenVaults(): GoldenVault[] {
  const folder = new URL('../../src/crypto/vectors/', import.meta.url)
  const numberOf = (name: string) => Number(/^vault-v(\d+)\.json$/.exec(name)?.[1])
  const files = readdirSync(folder).filter((name) => numberOf(name) > 0)
  if (files.length === 0) throw new Error('There are no golden vaults.')
  return files
    .sort((a, b) => numberOf(a) - numberOf(b))
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as GoldenVault)
}

interface ReadEntries {
  readonly kit: string
  readonly grants: readonly { readonly grantee: string; readonly epoch: number }[]
  readonly chain: readonly {
    readonly device: string
    readonly n: number
    readonly recordId: string
    readonly version: number
    readonly isDeletion: boolean
    /** SHA-256 of the sealed record, base64url; null in a deletion. */
    readonly recordHash: string | null
    readonly artifactId: string | null
  }[]
}

const SOURCE = `
  import { chainEntryMessage } from '/src/format/chain-entry'
  import { grantMessage, kitShareMessage } from '/src/format/grant'
  import { parseBase64url, toBase64url } from '/src/lib/bytes'

  window.readEntries = ({ kitShare, grants, chain }) => ({
    kit: kitShareMessage.decode(parseBase64url(kitShare)).kitDeviceId,
    grants: grants.map((grant) => grantMessage.decode(parseBase64url(grant))).map(({ grantee, epoch }) => ({ grantee, epoch })),
    chain: chain.map((entry) => chainEntryMessage.decode(parseBase64url(entry))).map(
      ({ device, n, recordId, version, action, recordHash, artifactId }) => ({
        ...{ device, n, recordId, version, artifactId, isDeletion: action === 'delete' },
        recordHash: recordHash === null ? null : toBase64url(recordHash),
      })),
  })
`

declare global {
  interface Window {
    readEntries(vault: StoredVault): ReadEntries
  }
}

const bytesOf = (text: string) => Buffer.from(text, 'base64url')
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

/** `dataDir` of a server that has run once and stands still; `page` is left on another origin. */
export async function storeGoldenVault(page: Page, dataDir: string, { vault }: GoldenVault): Promise<void> {
  await openSourcePage(page, { source: SOURCE, gives: 'readEntries' })
  const { kit, grants, chain } = await page.evaluate((stored) => window.readEntries(stored), vault)
  const { accountId } = vault
  const sealed = new Map(
    vault.records.map((record) => [sha256(bytesOf(record.sealed)).toString('base64url'), record.sealed]),
  )
  const database = new Database(join(dataDir, 'vault.db'))
  try {
    const run = (sql: string, ...values: unknown[]) => database.prepare(sql).run(accountId, ...values)
    run('INSERT INTO accounts VALUES (?, 0, 0)')
    vault.roster.forEach((entry, n) => run('INSERT INTO roster VALUES (?, ?, ?)', n, bytesOf(entry)))
    run('INSERT INTO kits (account, deviceId, share) VALUES (?, ?, ?)', kit, bytesOf(vault.kitShare))
    grants.forEach(({ grantee, epoch }, i) =>
      run('INSERT INTO grants VALUES (?, ?, ?, ?)', grantee, epoch, bytesOf(vault.grants[i]!)),
    )
    for (const [id, text] of Object.entries(vault.artifacts)) {
      const bytes = bytesOf(text)
      const blob = join(dataDir, 'blobs', bytesOf(accountId).toString('hex'), bytesOf(id).toString('hex'))
      await mkdir(dirname(blob), { recursive: true })
      await writeFile(blob, bytes)
      run('INSERT INTO artifacts VALUES (?, ?, ?, ?, 0)', id, bytes.length, sha256(bytes))
    }
    chain.forEach((entry, i) => {
      const { device, n, recordId, version, isDeletion, recordHash, artifactId } = entry
      const bytes = bytesOf(vault.chain[i]!)
      run('INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?)', i + 1, device, n, sha256(bytes), bytes)
      if (isDeletion) run('DELETE FROM records WHERE account = ? AND id = ?', recordId)
      const body = recordHash === null ? null : bytesOf(sealed.get(recordHash) ?? '')
      run('INSERT INTO records VALUES (?, ?, ?, ?)', recordId, version, body)
      if (isDeletion) run('DELETE FROM uses WHERE account = ? AND recordId = ?', recordId)
      else run('INSERT OR IGNORE INTO uses VALUES (?, ?, ?)', recordId, artifactId)
    })
  } finally {
    database.close()
  }
}
