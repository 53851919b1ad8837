/** Opens everything that lies in the data folder, or says in one sentence why that cannot be. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from './config'
import { lockDataFolder } from './stores/data-lock'
import { openFileBlobStore } from './stores/file-blob-store'
import type { BlobStore } from './stores/blob-store'
import { openRecordStore, type RecordStore } from './stores/record-store'

/** What stands in the way of a data folder, by the code of the error. */
const TROUBLE: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it cannot be written to',
  ENOTDIR: 'it is not a folder',
  EEXIST: 'it is not a folder',
  ENOENT: 'it cannot be made',
  ENAMETOOLONG: 'its name is too long',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full',
  EIO: 'the disk does not answer',
  SQLITE_READONLY: 'its database cannot be written to',
  SQLITE_CANTOPEN: 'its database cannot be opened',
  SQLITE_NOTADB: 'its vault.db is not a database',
  SQLITE_CORRUPT: 'its database is damaged',
  SQLITE_FULL: 'the disk is full',
  SQLITE_IOERR: 'the disk does not answer',
  SQLITE_BUSY: 'another vault is using it',
  'newer-schema': 'a newer version of Safelight wrote its database',
}

/** Extended codes of SQLite begin with the plain one: SQLITE_READONLY_DIRECTORY. */
function troubleOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return TROUBLE[code] ?? TROUBLE[code.split('_', 2).join('_')]
}

export interface DataFolder {
  readonly records: RecordStore
  readonly blobs: BlobStore
  readonly close: () => Promise<void>
}

/** `alone` is for the running vault; without it the folder may be in use by one. Throws ConfigError. */
export async function openDataFolder(dir: string, { alone }: { alone: boolean }): Promise<DataFolder> {
  const closing: (() => void | Promise<void>)[] = []
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end()
  }
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    if (alone) closing.push(lockDataFolder(join(dir, 'vault.lock')))
    const records = openRecordStore(join(dir, 'vault.db'))
    closing.push(() => records.close())
    const blobs = await openFileBlobStore(dir)
    closing.push(() => blobs.close())
    if (alone) await blobs.forgetStaged()
    return { records, blobs, close }
  } catch (error) {
    await close()
    const trouble = troubleOf(error)
    if (trouble === undefined) throw error
    throw new ConfigError(
      `The vault cannot use ${dir}: ${trouble}. Mend that, or choose another folder: SAFELIGHT_DATA=DIR npm start`,
      { cause: error },
    )
  }
}
