/**
 * One running vault per data folder. The lock is an exclusive transaction on an empty SQLite file, because the system
 * takes such a lock back whenever its process ends, however it ends. Whoever only reads (the scrub) needs none.
 */
import Database from 'better-sqlite3'

/** A vault that is being restarted may take a moment to let go. */
const PATIENCE_MS = 1000

/** Gives a function that unlocks. Throws SqliteError 'SQLITE_BUSY' where another process holds the lock. */
export function lockDataFolder(file: string): () => void {
  const db = new Database(file, { timeout: PATIENCE_MS })
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    throw error
  }
  return () => db.close()
}
