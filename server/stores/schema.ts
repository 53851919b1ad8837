/** The tables of the vault's database, and how a database of an earlier version becomes one of this. */
import type { Database } from 'better-sqlite3'
import { chainEntryMessage } from '../../src/format/chain-entry'

/** user_version of the database. Steps are append-only: databases of every version are out there. */
const STEPS: readonly ((db: Database) => void)[] = [
  (db) =>
    db.exec(`
CREATE TABLE accounts (id TEXT PRIMARY KEY, usedBytes INTEGER NOT NULL, createdMs INTEGER NOT NULL) STRICT;
CREATE TABLE roster (account TEXT NOT NULL REFERENCES accounts, n INTEGER NOT NULL, entry BLOB NOT NULL,
  PRIMARY KEY (account, n)) STRICT;
CREATE TABLE kits (deviceId TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts, share BLOB NOT NULL) STRICT;
CREATE TABLE grants (account TEXT NOT NULL REFERENCES accounts, grantee TEXT NOT NULL, epoch INTEGER NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (account, grantee, epoch)) STRICT;
CREATE TABLE challenges (nonceHash TEXT PRIMARY KEY, account TEXT NOT NULL, deviceId TEXT NOT NULL,
  expiresMs INTEGER NOT NULL) STRICT;
CREATE TABLE sessions (tokenHash TEXT PRIMARY KEY, account TEXT NOT NULL, deviceId TEXT NOT NULL,
  expiresMs INTEGER NOT NULL) STRICT;
CREATE TABLE artifacts (account TEXT NOT NULL REFERENCES accounts, id TEXT NOT NULL, bytes INTEGER NOT NULL,
  sha256 BLOB NOT NULL, doomed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account, id)) STRICT;
CREATE TABLE chain (account TEXT NOT NULL REFERENCES accounts, seq INTEGER NOT NULL, deviceId TEXT NOT NULL,
  n INTEGER NOT NULL, hash BLOB NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (account, seq),
  UNIQUE (account, deviceId, n)) STRICT;
CREATE TABLE records (account TEXT NOT NULL REFERENCES accounts, id TEXT NOT NULL, version INTEGER NOT NULL,
  body BLOB, PRIMARY KEY (account, id, version)) STRICT;
`),
  (db) => {
    db.exec(`
CREATE TABLE uses (account TEXT NOT NULL REFERENCES accounts, recordId TEXT NOT NULL, artifactId TEXT NOT NULL,
  PRIMARY KEY (account, recordId, artifactId)) STRICT;
CREATE INDEX usesOfArtifact ON uses (account, artifactId);
CREATE TABLE unsettled (account TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (account, id)) STRICT;
`)
    fillUses(db)
  },
]

/** Which artifacts the versions of each living record name, read from the chains. */
function fillUses(db: Database): void {
  const add = db.prepare('INSERT OR IGNORE INTO uses VALUES (?, ?, ?)')
  const end = db.prepare('DELETE FROM uses WHERE account = ? AND recordId = ?')
  const entries = db.prepare<[], { entry: Uint8Array }>('SELECT entry FROM chain ORDER BY account, seq').all()
  for (const { entry } of entries) {
    const { account, recordId, artifactId, action } = chainEntryMessage.decode(new Uint8Array(entry))
    if (action === 'delete') end.run(account, recordId)
    else if (artifactId !== null) add.run(account, recordId, artifactId)
  }
}

/** A database from a version of the vault that is not known yet. */
export class NewerSchemaError extends Error {
  readonly code = 'newer-schema'
}

export function migrate(db: Database): void {
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > STEPS.length) throw new NewerSchemaError('The database is of a newer version of the vault.')
  for (const [i, step] of STEPS.entries()) {
    if (i < version) continue
    db.transaction(() => {
      step(db)
      db.pragma(`user_version = ${i + 1}`)
    }).exclusive()
  }
}
