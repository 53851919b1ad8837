/** The verified roster of each account, folded from its stored entries and kept while it is in use. */
import type { AccountId } from '../src/format/ids'
import { extendRoster, type Roster } from '../src/format/roster'
import { verifyEd25519 } from './signatures'
import type { RecordStore } from './stores/record-store'

const KEPT = 1000

export interface Rosters {
  /** null where there is no such account. */
  of(account: AccountId): Promise<Roster | null>
}

export function createRosters(records: RecordStore): Rosters {
  const kept = new Map<string, Roster>()
  return {
    async of(account) {
      const length = records.rosterLength(account)
      if (length === 0) return null
      let roster = kept.get(account) ?? null
      if (roster === null || roster.n + 1 !== length) {
        const from = roster === null ? 0 : roster.n + 1
        for (const entry of records.rosterFrom(account, from, length - from))
          roster = await extendRoster(roster, entry, verifyEd25519)
        if (roster === null) return null
        kept.delete(account)
        kept.set(account, roster)
        const oldest = kept.keys().next()
        if (kept.size > KEPT && oldest.done !== true) kept.delete(oldest.value)
      }
      return roster
    },
  }
}
