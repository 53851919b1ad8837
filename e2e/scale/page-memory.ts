/** Resident memory of the page processes of this test; a page's workers are in its process. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const EVERY_MS = 250

async function pageBytes(): Promise<number> {
  const { stdout } = await run('ps', ['-eo', 'pid,ppid,rss,args'])
  const lines = stdout.split('\n')
  const rows = lines.map((line) => line.trim().split(/\s+/, 3).map(Number))
  const parents = new Map(rows.map(([pid = 0, parent = 0]) => [pid, parent]))
  const isOurs = (pid: number): boolean => pid === process.pid || (pid > 1 && isOurs(parents.get(pid) ?? 0))
  return lines.reduce((most, line, i) => {
    const [pid = 0, , kilobytes = 0] = rows[i] ?? []
    return line.includes('--type=renderer') && isOurs(pid) ? Math.max(most, 1024 * kilobytes) : most
  }, 0)
}

export interface MemoryWatch {
  /** Most bytes that one page process had since the last call. */
  readonly take: () => number
  readonly stop: () => void
}

export function watchMemory(): MemoryWatch {
  let most = 0
  const timer = setInterval(() => {
    pageBytes().then(
      (bytes) => (most = Math.max(most, bytes)),
      () => undefined,
    )
  }, EVERY_MS)
  const take = (): number => {
    const taken = most
    most = 0
    return taken
  }
  return { take, stop: () => clearInterval(timer) }
}
