/** What every route works with. */
import type { VaultConfig } from './config'
import type { Rosters } from './rosters'
import type { Shelf } from './shelf'
import type { BlobStore } from './stores/blob-store'
import type { RecordStore } from './stores/record-store'

export interface VaultParts {
  readonly config: VaultConfig
  readonly records: RecordStore
  readonly blobs: BlobStore
  readonly shelf: Shelf
  readonly rosters: Rosters
  readonly nowMs: () => number
  readonly log: (line: string) => void
}
