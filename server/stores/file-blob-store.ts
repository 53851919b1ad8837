/**
 * Blobs as plain files.
 *
 *   DIR/blobs/<key>          committed, read-only by convention
 *   DIR/staging/<hex>/       one folder per open store; what others left there goes with `forgetStaged`
 *
 * commit = fsync(file), rename, fsync(folder): after a crash a blob is there whole or not at all.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { VaultError } from '../errors'
import { assertBlobKey, type BlobStore } from './blob-store'

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // folders cannot be opened there; NTFS journals the rename
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Creates `folder` and makes every new level durable, up to and including `root`. */
async function makeFolders(folder: string, root: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (firstMade === undefined) return
  for (let level = dirname(folder); level.startsWith(root); level = dirname(level)) await syncFolder(level)
}

export async function openFileBlobStore(dir: string): Promise<BlobStore> {
  const blobRoot = join(dir, 'blobs')
  const stagingRoot = join(dir, 'staging')
  await mkdir(blobRoot, { recursive: true, mode: 0o700 })
  await mkdir(stagingRoot, { recursive: true, mode: 0o700 })
  const own = randomBytes(8).toString('hex')
  const staging = join(stagingRoot, own)
  await mkdir(staging, { mode: 0o700 })
  await syncFolder(dir)

  const pathOf = (key: string) => {
    assertBlobKey(key)
    return join(blobRoot, ...key.split('/'))
  }

  return {
    async stage(source, { maxBytes, headBytes }) {
      const temporary = join(staging, randomBytes(16).toString('hex'))
      const hash = createHash('sha256')
      const head = Buffer.alloc(headBytes)
      let bytes = 0
      const handle = await open(temporary, 'wx', 0o600)
      try {
        for await (const part of source) {
          if (bytes + part.length > maxBytes)
            throw new VaultError('too-large', 'The upload is too large for this vault.')
          if (bytes < headBytes) head.set(part.subarray(0, headBytes - bytes), bytes)
          hash.update(part)
          for (let offset = 0; offset < part.length;) {
            const { bytesWritten } = await handle.write(part, offset, part.length - offset, bytes + offset)
            offset += bytesWritten
          }
          bytes += part.length
        }
        await handle.sync()
      } catch (error) {
        await handle.close()
        await rm(temporary, { force: true })
        throw error
      }
      await handle.close()
      return {
        bytes,
        sha256: hash.digest(),
        head: head.subarray(0, Math.min(bytes, headBytes)),
        async commit(key) {
          const path = pathOf(key)
          await makeFolders(dirname(path), blobRoot)
          await rename(temporary, path)
          await syncFolder(dirname(path))
        },
        discard: () => rm(temporary, { force: true }),
      }
    },

    async open(key, range) {
      try {
        const handle = await open(pathOf(key), 'r')
        return handle.createReadStream(range ? { start: range.start, end: range.end } : {})
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    },

    async size(key) {
      try {
        return (await stat(pathOf(key))).size
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    },

    delete: (key) => rm(pathOf(key), { force: true }),

    async *list() {
      for await (const path of walk(blobRoot)) {
        const key = relative(blobRoot, path).split(sep).join('/')
        const modifiedMs = (await stat(path).catch(() => null))?.mtimeMs
        if (modifiedMs !== undefined) yield { key, modifiedMs }
      }
    },

    async forgetStaged() {
      for (const name of await readdir(stagingRoot))
        if (name !== own) await rm(join(stagingRoot, name), { recursive: true, force: true })
    },

    close: () => rm(staging, { recursive: true, force: true }),
  }
}

async function* walk(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.isFile()) yield path
  }
}
