/**
 * Everything in a vault's folder, opened with its 24 words by the app's own code in a page: what each artifact was sealed
 * with, for tests of what must never be used twice, and of what must come back.
 */
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Page } from '@playwright/test'
import Database from 'better-sqlite3'
import type { StoredVault } from './golden-vault'
import { filesUnder } from './search'
import { openSourcePage } from './source-page'

export interface OpenedSection {
  readonly id: number
  readonly trueBytes: number
  readonly paddedBytes: number
  /** Keys of the mask, hexadecimal. */
  readonly maskKeys: readonly [string, string]
  /** What the mask added to each byte, and what the seal added to each masked one (XOR). Base64. */
  readonly maskStream: string
  readonly sealStream: string
}

export interface OpenedArtifact {
  readonly artifactId: string
  readonly name: string
  readonly fileModifiedAt: string | null
  /** Hexadecimal. */
  readonly nonce: string
  readonly dataKey: string
  readonly paddingRule: string
  /** Those that the index names, without itself. */
  readonly sections: readonly OpenedSection[]
  /** The index: padded to a fixed length, whatever the rule. */
  readonly index: OpenedSection
}

const SOURCE = `
  import { openArtifact, sealedSection } from '/src/crypto/artifact'
  import { unwrapDataKey } from '/src/crypto/artifact-keys'
  import { openGoldenVault } from '/src/crypto/vectors/golden'
  import { createMask } from '/src/diffusion/mask'
  import { CHUNK_BYTES, INDEX_BYTES, INDEX_OFFSET, SECTION, TAG_BYTES, THUMBNAIL_OFFSET, decodeHeader } from '/src/format/artifact'
  import { parseBase64url, toHex } from '/src/lib/bytes'

  const base64 = (bytes) => {
    let text = ''
    for (const byte of bytes) text += String.fromCharCode(byte)
    return btoa(text)
  }
  // The mask itself; what it takes away is written down.
  const watched = (mask, seen) => ({
    ...mask,
    async remove(keys, section, masked) {
      const plain = await mask.remove(keys, section, masked)
      const maskStream = masked.map((byte, i) => byte - plain[i])
      seen.set(section, { maskKeys: [toHex(keys.aes), toHex(keys.net)], maskStream, masked: masked.slice() })
      return plain
    },
  })
  const sectionOf = ({ id, trueBytes, paddedBytes }, sealed, { maskKeys, maskStream, masked }) => {
    const step = CHUNK_BYTES + TAG_BYTES
    const sealStream = masked.map((byte, i) => byte ^ sealed[Math.floor(i / CHUNK_BYTES) * step + (i % CHUNK_BYTES)])
    return { id, trueBytes, paddedBytes, maskKeys, maskStream: base64(maskStream), sealStream: base64(sealStream) }
  }
  window.openStoredVault = async (vault) => {
    const { photos } = await openGoldenVault(vault)
    return Promise.all(photos.map(async ({ photo, names, modelSecret, vaultKey, artifact }) => {
      const header = decodeHeader(artifact)
      const context = { accountId: names.accountId, header }
      const dataKey = await unwrapDataKey(vaultKey, context, parseBase64url(photo.artifact.wrappedKey))
      const lock = { modelSecret, weightsHash: parseBase64url(photo.artifact.weightsHash) }
      const seen = new Map()
      const mask = watched(createMask(header.process), seen)
      const reader = await openArtifact({ first: artifact, names, lock, mask, dataKey })
      const sections = []
      for (const entry of reader.index.sections) {
        const sealed = sealedSection(artifact, entry)
        await reader.section(entry.id, sealed)
        sections.push(sectionOf(entry, sealed, seen.get(entry.id)))
      }
      const entry = { id: SECTION.index, trueBytes: INDEX_BYTES, paddedBytes: INDEX_BYTES }
      const index = sectionOf(entry, artifact.subarray(INDEX_OFFSET, THUMBNAIL_OFFSET), seen.get(SECTION.index))
      const { name, fileModifiedAt } = photo
      return {
        ...{ artifactId: names.artifactId, name, fileModifiedAt, nonce: toHex(header.nonce), dataKey: toHex(dataKey) },
        ...{ paddingRule: reader.index.paddingRule, sections, index },
      }
    }))
  }
`

declare global {
  interface Window {
    openStoredVault(vault: StoredVault): Promise<OpenedArtifact[]>
  }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

/** Of the one account in a data folder. */
async function readStoredVault(dataDir: string, words: string): Promise<StoredVault> {
  const artifacts: Record<string, string> = {}
  for (const file of await filesUnder(join(dataDir, 'blobs')))
    artifacts[Buffer.from(basename(file), 'hex').toString('base64url')] = text(await readFile(file))
  const database = new Database(join(dataDir, 'vault.db'), { readonly: true })
  try {
    const column = <Value>(sql: string) => database.prepare<[], Value>(sql).pluck().all()
    const bytes = (sql: string) => column<Uint8Array>(sql).map(text)
    return {
      accountId: column<string>('SELECT id FROM accounts')[0] ?? '',
      words,
      kitShare: bytes('SELECT share FROM kits')[0] ?? '',
      roster: bytes('SELECT entry FROM roster ORDER BY n'),
      grants: bytes('SELECT body FROM grants WHERE grantee IN (SELECT deviceId FROM kits)'),
      chain: bytes('SELECT entry FROM chain ORDER BY seq'),
      records: database
        .prepare<[], { version: number; body: Uint8Array }>('SELECT version, body FROM records')
        .all()
        .map(({ version, body }) => ({ version, sealed: text(body) })),
      artifacts,
    }
  } finally {
    database.close()
  }
}

/** Every photo of the vault; throws where one does not open. */
export async function openStoredVault(
  page: Page,
  dataDir: string,
  words: readonly string[],
): Promise<OpenedArtifact[]> {
  await openSourcePage(page, { source: SOURCE, gives: 'openStoredVault' })
  const vault = await readStoredVault(dataDir, words.join(' '))
  return page.evaluate((vault) => window.openStoredVault(vault), vault)
}
