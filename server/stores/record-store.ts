/**
 * What the vault knows besides blobs, in SQLite: accounts, rosters, grants, sessions, signed chains, sealed records.
 * Ids are base64url text as in the wire format; entries and records are kept byte for byte, because signatures are
 * over what the client sent. Callers check signatures and rules; the store keeps order, each method one transaction.
 */
import Database from 'better-sqlite3'
import { migrate } from './schema'

export interface RosterAppend {
  readonly n: number
  readonly entry: Uint8Array
  readonly grants: readonly { readonly grantee: string; readonly epoch: number; readonly body: Uint8Array }[]
  readonly kit: { readonly deviceId: string; readonly share: Uint8Array } | null
}

export interface StoredArtifact {
  readonly id: string
  readonly bytes: number
  readonly sha256: Uint8Array
  /** 1 once a signed deletion ended the last record that names it: its bytes may go. */
  readonly doomed: number
}

export interface ChainAppend {
  readonly deviceId: string
  readonly n: number
  readonly hash: Uint8Array
  readonly prevHash: Uint8Array
  readonly entry: Uint8Array
  readonly recordId: string
  readonly version: number
  /** null in a deletion. */
  readonly record: Uint8Array | null
  /** Artifact that the record names and its hash, or that a deletion ends. */
  readonly artifact: { readonly id: string; readonly sha256: Uint8Array } | null
}

export type ChainRefusal = 'conflict' | 'no-artifact' | 'over-quota' | 'deleted'

export type RecordStore = ReturnType<typeof openRecordStore>

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

export function openRecordStore(file: string) {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  migrate(db)

  const one = <T>(sql: string, ...values: unknown[]): T | null =>
    db.prepare<unknown[], T>(sql).get(...values) ?? null
  const all = <T>(sql: string, ...values: unknown[]): T[] => db.prepare<unknown[], T>(sql).all(...values)
  const run = (sql: string, ...values: unknown[]): number => db.prepare(sql).run(...values).changes

  function addRosterEntry(account: string, { n, entry, grants, kit }: RosterAppend): void {
    run('INSERT INTO roster VALUES (?, ?, ?)', account, n, entry)
    for (const grant of grants)
      run(
        'INSERT OR REPLACE INTO grants VALUES (?, ?, ?, ?)',
        account,
        grant.grantee,
        grant.epoch,
        grant.body,
      )
    if (kit !== null) run('INSERT INTO kits VALUES (?, ?, ?)', kit.deviceId, account, kit.share)
  }

  const usedBytes = (account: string): number =>
    one<{ usedBytes: number }>('SELECT usedBytes FROM accounts WHERE id = ?', account)?.usedBytes ?? 0
  const addUsed = (account: string, bytes: number): number =>
    run('UPDATE accounts SET usedBytes = usedBytes + ? WHERE id = ?', bytes, account)
  const artifact = (account: string, id: string): StoredArtifact | null =>
    one<StoredArtifact>(
      'SELECT id, bytes, sha256, doomed FROM artifacts WHERE account = ? AND id = ?',
      account,
      id,
    )

  const unsettle = (account: string, id: string): void => {
    run('INSERT OR IGNORE INTO unsettled VALUES (?, ?)', account, id)
  }
  const settle = (account: string, id: string): void => {
    run('DELETE FROM unsettled WHERE account = ? AND id = ?', account, id)
  }

  const createAccount = db.transaction(
    (account: string, entries: readonly RosterAppend[], nowMs: number): boolean => {
      if (one('SELECT 1 FROM accounts WHERE id = ?', account) !== null) return false
      const kit = entries.find((entry) => entry.kit !== null)?.kit
      if (kit != null && one('SELECT 1 FROM kits WHERE deviceId = ?', kit.deviceId) !== null) return false
      run('INSERT INTO accounts VALUES (?, 0, ?)', account, nowMs)
      for (const entry of entries) addRosterEntry(account, entry)
      return true
    },
  )

  const appendRoster = db.transaction((account: string, append: RosterAppend): boolean => {
    const next = one<{ n: number }>('SELECT count(*) AS n FROM roster WHERE account = ?', account)?.n ?? 0
    if (append.n !== next) return false
    addRosterEntry(account, append)
    return true
  })

  const addArtifact = db.transaction(
    (account: string, id: string, bytes: number, sha256: Uint8Array, quotaBytes: number): boolean => {
      if (usedBytes(account) + bytes > quotaBytes) return false
      run(
        'INSERT INTO artifacts (account, id, bytes, sha256) VALUES (?, ?, ?, ?)',
        account,
        id,
        bytes,
        sha256,
      )
      addUsed(account, bytes)
      settle(account, id)
      return true
    },
  )

  const removeArtifact = db.transaction((account: string, id: string): boolean => {
    const found = artifact(account, id)
    if (found?.doomed !== 1) return false
    run('DELETE FROM artifacts WHERE account = ? AND id = ?', account, id)
    addUsed(account, -found.bytes)
    unsettle(account, id)
    return true
  })

  /** The record is over: no artifact that it named is kept, unless another record names it too. */
  function endUses(account: string, recordId: string, named: string | null): void {
    const ended = all<{ artifactId: string }>(
      'DELETE FROM uses WHERE account = ? AND recordId = ? RETURNING artifactId',
      account,
      recordId,
    ).map(({ artifactId }) => artifactId)
    for (const id of named === null ? ended : [named, ...ended])
      run(
        `UPDATE artifacts SET doomed = 1 WHERE account = ? AND id = ?
         AND NOT EXISTS (SELECT 1 FROM uses WHERE uses.account = artifacts.account AND artifactId = artifacts.id)`,
        account,
        id,
      )
  }

  const appendChain = db.transaction(
    (account: string, a: ChainAppend, quotaBytes: number): number | ChainRefusal => {
      const known = one<{ seq: number; hash: Uint8Array }>(
        'SELECT seq, hash FROM chain WHERE account = ? AND deviceId = ? AND n = ?',
        account,
        a.deviceId,
        a.n,
      )
      // The same entry again: its answer was lost on the way.
      if (known !== null) return same(known.hash, a.hash) ? known.seq : 'conflict'
      const before = one<{ n: number; hash: Uint8Array }>(
        'SELECT n, hash FROM chain WHERE account = ? AND deviceId = ? ORDER BY n DESC LIMIT 1',
        account,
        a.deviceId,
      )
      const follows = before === null ? a.n === 0 : a.n === before.n + 1 && same(before.hash, a.prevHash)
      if (!follows) return 'conflict'
      const newest = one<{ version: number; gone: number }>(
        'SELECT version, body IS NULL AS gone FROM records WHERE account = ? AND id = ? ORDER BY version DESC LIMIT 1',
        account,
        a.recordId,
      )
      if (newest?.gone === 1) return 'deleted'
      if (newest !== null && a.version <= newest.version) return 'conflict'
      if (a.record !== null) {
        if (a.artifact !== null) {
          const stored = artifact(account, a.artifact.id)
          if (stored === null || stored.doomed === 1 || !same(stored.sha256, a.artifact.sha256))
            return 'no-artifact'
        }
        if (usedBytes(account) + a.record.length > quotaBytes) return 'over-quota'
        addUsed(account, a.record.length)
        if (a.artifact !== null)
          run('INSERT OR IGNORE INTO uses VALUES (?, ?, ?)', account, a.recordId, a.artifact.id)
      } else {
        endUses(account, a.recordId, a.artifact?.id ?? null)
        // A deletion leaves no sealed version behind.
        const freed = one<{ bytes: number | null }>(
          'SELECT sum(length(body)) AS bytes FROM records WHERE account = ? AND id = ?',
          account,
          a.recordId,
        )
        run('DELETE FROM records WHERE account = ? AND id = ?', account, a.recordId)
        addUsed(account, -(freed?.bytes ?? 0))
      }
      run('INSERT INTO records VALUES (?, ?, ?, ?)', account, a.recordId, a.version, a.record)
      const seq =
        (one<{ seq: number | null }>('SELECT max(seq) AS seq FROM chain WHERE account = ?', account)?.seq ??
          0) + 1
      run('INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?)', account, seq, a.deviceId, a.n, a.hash, a.entry)
      return seq
    },
  )

  const takeChallenge = db.transaction(
    (nonceHash: string, account: string, deviceId: string, nowMs: number): boolean => {
      const found = one<{ account: string; deviceId: string; expiresMs: number }>(
        'SELECT account, deviceId, expiresMs FROM challenges WHERE nonceHash = ?',
        nonceHash,
      )
      run('DELETE FROM challenges WHERE nonceHash = ?', nonceHash)
      return found?.account === account && found.deviceId === deviceId && found.expiresMs > nowMs
    },
  )

  return {
    /** false where the account or its kit is known already. */
    createAccount: (account: string, entries: readonly RosterAppend[], nowMs: number) =>
      createAccount.immediate(account, entries, nowMs),
    rosterFrom: (account: string, n: number, limit: number): Uint8Array[] =>
      all<{ entry: Uint8Array }>(
        'SELECT entry FROM roster WHERE account = ? AND n >= ? ORDER BY n LIMIT ?',
        account,
        n,
        limit,
      ).map(({ entry }) => entry),
    rosterLength: (account: string): number =>
      one<{ n: number }>('SELECT count(*) AS n FROM roster WHERE account = ?', account)?.n ?? 0,
    /** false where another entry took its number. */
    appendRoster: (account: string, append: RosterAppend) => appendRoster.immediate(account, append),
    accountOfKit: (kitDeviceId: string): string | null =>
      one<{ account: string }>('SELECT account FROM kits WHERE deviceId = ?', kitDeviceId)?.account ?? null,
    kitShare: (account: string, kitDeviceId: string): Uint8Array | null =>
      one<{ share: Uint8Array }>(
        'SELECT share FROM kits WHERE account = ? AND deviceId = ?',
        account,
        kitDeviceId,
      )?.share ?? null,
    grantsFor: (account: string, grantee: string): Uint8Array[] =>
      all<{ body: Uint8Array }>(
        'SELECT body FROM grants WHERE account = ? AND grantee = ? ORDER BY epoch',
        account,
        grantee,
      ).map(({ body }) => body),

    addChallenge: (nonceHash: string, account: string, deviceId: string, expiresMs: number): void => {
      run('INSERT INTO challenges VALUES (?, ?, ?, ?)', nonceHash, account, deviceId, expiresMs)
    },
    /** true once for each challenge, and never after it expired. */
    takeChallenge: (nonceHash: string, account: string, deviceId: string, nowMs: number) =>
      takeChallenge.immediate(nonceHash, account, deviceId, nowMs),
    addSession: (tokenHash: string, account: string, deviceId: string, expiresMs: number): void => {
      run('INSERT INTO sessions VALUES (?, ?, ?, ?)', tokenHash, account, deviceId, expiresMs)
    },
    session: (tokenHash: string, nowMs: number): { account: string; deviceId: string } | null =>
      one('SELECT account, deviceId FROM sessions WHERE tokenHash = ? AND expiresMs > ?', tokenHash, nowMs),
    endSession: (tokenHash: string): void => {
      run('DELETE FROM sessions WHERE tokenHash = ?', tokenHash)
    },
    endSessionsOf: (account: string, deviceId: string): void => {
      run('DELETE FROM sessions WHERE account = ? AND deviceId = ?', account, deviceId)
    },
    purgeExpired: (nowMs: number): void => {
      run('DELETE FROM sessions WHERE expiresMs <= ?', nowMs)
      run('DELETE FROM challenges WHERE expiresMs <= ?', nowMs)
    },

    artifact,
    /** false where the account has no room for it; else it is settled. */
    addArtifact: (account: string, id: string, bytes: number, sha256: Uint8Array, quotaBytes: number) =>
      addArtifact.immediate(account, id, bytes, sha256, quotaBytes),
    artifactsAfter: (account: string, after: string, limit: number): StoredArtifact[] =>
      all<StoredArtifact>(
        'SELECT id, bytes, sha256, doomed FROM artifacts WHERE account = ? AND id > ? AND doomed = 0 ORDER BY id LIMIT ?',
        account,
        after,
        limit,
      ),
    /** false unless it is doomed; else its blob is unsettled. */
    removeArtifact: (account: string, id: string) => removeArtifact.immediate(account, id),
    doomedArtifacts: (): { account: string; id: string }[] =>
      all('SELECT account, id FROM artifacts WHERE doomed = 1'),

    /** Notes that a blob without a row may lie in the blob store: one about to be written, or about to go. */
    unsettle,
    settle,
    isUnsettled: (account: string, id: string): boolean =>
      one('SELECT 1 FROM unsettled WHERE account = ? AND id = ?', account, id) !== null,
    unsettled: (): { account: string; id: string }[] => all('SELECT account, id FROM unsettled'),
    everyArtifact: (): (StoredArtifact & { account: string })[] =>
      all('SELECT account, id, bytes, sha256, doomed FROM artifacts ORDER BY account, id'),

    appendChain: (account: string, append: ChainAppend, quotaBytes: number) =>
      appendChain.immediate(account, append, quotaBytes),
    chainSince: (account: string, since: number, limit: number): { seq: number; entry: Uint8Array }[] =>
      all(
        'SELECT seq, entry FROM chain WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?',
        account,
        since,
        limit,
      ),
    /** The newest version, or the given one; null where there is none or it was deleted. */
    record: (account: string, id: string, version: number | null): Uint8Array | null =>
      one<{ body: Uint8Array | null }>(
        `SELECT body FROM records WHERE account = ? AND id = ? ${version === null ? 'AND ? IS NULL' : 'AND version = ?'}
         ORDER BY version DESC LIMIT 1`,
        account,
        id,
        version,
      )?.body ?? null,

    close: (): void => {
      db.close()
    },
  }
}
