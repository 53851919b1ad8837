/**
 * The shelf of artifacts: each is a row in the database and a blob, and the two always belong together.
 *
 * [Note: row and blob] A crash may come between any two steps, so a blob without a row is noted as unsettled first:
 *   keep     note · blob · row, in place of the note
 *   remove   note, in place of the row · no blob · no note
 * What is noted has no row, so its blob may go: `sweep` ends what a crash cut off. A blob that has neither a row nor a
 * note (the database was restored from an older copy, say) is nobody's to delete; the scrub counts such blobs.
 * An upload that was confirmed goes by a signed deletion alone, however long its record is on its way.
 */
import { VaultError } from './errors'
import type { BlobStore, StagedBlob } from './stores/blob-store'
import type { RecordStore } from './stores/record-store'

export function blobKey(account: string, artifact: string): string {
  const hex = (id: string) => Buffer.from(id, 'base64url').toString('hex')
  return `${hex(account)}/${hex(artifact)}`
}

export interface Shelf {
  /**
   * true where the artifact is new, false where the very same bytes lie there already. Throws VaultError 'conflict'
   * where others do, and 'quota-exceeded'.
   */
  keep(staged: StagedBlob, account: string, id: string): Promise<boolean>
  /** Throws VaultError 'not-found', and 'not-allowed' unless a signed deletion ended it. */
  remove(account: string, id: string): Promise<void>
  /** Ends what was deleted or broke off, and tells how many blobs that were. May run beside everything else. */
  sweep(signal?: AbortSignal): Promise<number>
}

/** Runs steps on the same key one after another. */
function oneAtATime() {
  const running = new Map<string, Promise<unknown>>()
  return async <T>(key: string, step: () => Promise<T>): Promise<T> => {
    while (running.has(key)) await running.get(key)?.catch(() => undefined)
    const turn = step()
    running.set(key, turn)
    try {
      return await turn
    } finally {
      running.delete(key)
    }
  }
}

export function createShelf(records: RecordStore, blobs: BlobStore, quotaBytes: number): Shelf {
  const inOrder = oneAtATime()

  async function dropBlob(account: string, id: string): Promise<void> {
    await blobs.delete(blobKey(account, id))
    records.settle(account, id)
  }

  return {
    keep: (staged, account, id) =>
      inOrder(blobKey(account, id), async () => {
        const known = records.artifact(account, id)
        if (known !== null) {
          if (Buffer.compare(known.sha256, staged.sha256) === 0) return false
          throw new VaultError('conflict', 'Another artifact has this id.')
        }
        records.unsettle(account, id)
        await staged.commit(blobKey(account, id))
        if (records.addArtifact(account, id, staged.bytes, staged.sha256, quotaBytes)) return true
        await dropBlob(account, id)
        throw new VaultError('quota-exceeded', 'This vault has no more room for this account.')
      }),

    remove: (account, id) =>
      inOrder(blobKey(account, id), async () => {
        if (records.artifact(account, id) === null)
          throw new VaultError('not-found', 'There is no such artifact.')
        if (!records.removeArtifact(account, id))
          throw new VaultError('not-allowed', 'An artifact goes only after a signed deletion.')
        await dropBlob(account, id)
      }),

    async sweep(signal) {
      let swept = 0
      for (const { account, id } of records.doomedArtifacts()) {
        signal?.throwIfAborted()
        await inOrder(blobKey(account, id), async () => {
          if (!records.removeArtifact(account, id)) return
          await dropBlob(account, id)
          swept++
        })
      }
      for (const { account, id } of records.unsettled()) {
        signal?.throwIfAborted()
        await inOrder(blobKey(account, id), async () => {
          if (!records.isUnsettled(account, id) || records.artifact(account, id) !== null) return
          await dropBlob(account, id)
          swept++
        })
      }
      return swept
    },
  }
}
