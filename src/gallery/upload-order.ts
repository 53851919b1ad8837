/** Uploads as a person wants to see them: what needs an answer, what moves, what waits, what is done. */
import type { ImportItem } from '../state/vault-store'

const RANK: Readonly<Record<ImportItem['stage'], number>> = {
  failed: 0,
  encrypting: 1,
  checking: 1,
  uploading: 1,
  waiting: 2,
  queued: 3,
  safe: 4,
}

/** Stable: within a rank the order of the drop is kept. */
export function uploadOrder(imports: readonly ImportItem[]): ImportItem[] {
  return [...imports].sort((a, b) => RANK[a.stage] - RANK[b.stage])
}

/** Until it is sealed, a file can be taken back; afterwards it is a photo, and is deleted as one. */
export function canCancel({ stage }: ImportItem): boolean {
  return stage === 'queued' || stage === 'encrypting' || stage === 'checking'
}
