import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeBlobStore } from './blob-store.suite'
import { openFileBlobStore } from './file-blob-store'

describeBlobStore('blobs as files', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'safelight-blobs-'))
  const store = await openFileBlobStore(dir)
  return {
    store,
    end: async () => {
      await store.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
})
