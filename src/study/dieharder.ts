/** Robert G. Brown's dieharder (Debian package `dieharder`), fed through a pipe, where it is installed. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

export interface DieharderLine {
  readonly test: string
  readonly pValue: number
  readonly assessment: string
}

export interface DieharderResult {
  readonly lines: readonly DieharderLine[]
  /** What it was fed before it had enough or the stream ended. */
  readonly bytes: number
}

const RAW_FROM_STDIN = '200'

export function hasDieharder(): boolean {
  return spawnSync('dieharder', ['-l'], { stdio: 'ignore' }).error === undefined
}

/** Lines such as `diehard_birthdays| 0| 100| 100|0.42|PASSED`. Exported for its test. */
export function parseDieharder(output: string): DieharderLine[] {
  const lines: DieharderLine[] = []
  for (const line of output.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    const pValue = Number(cells[4])
    const assessment = cells[5] ?? ''
    if (cells.length === 6 && Number.isFinite(pValue) && /^(PASSED|WEAK|FAILED)$/.test(assessment))
      lines.push({ test: `${cells[0]!} ${cells[1]!}`, pValue, assessment })
  }
  return lines
}

/** Runs one test of the suite by number, or all with 'all'; it ends when the test does or the stream does. */
export async function runDieharder(
  pieces: AsyncGenerator<Uint8Array>,
  test: number | 'all',
): Promise<DieharderResult> {
  const which = test === 'all' ? ['-a'] : ['-d', String(test)]
  const child = spawn('dieharder', ['-g', RAW_FROM_STDIN, ...which], { stdio: ['pipe', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stdin.on('error', () => child.stdin.destroy()) // it closes its side when it has read enough
  const ended = once(child, 'close')
  let bytes = 0
  for await (const piece of pieces) {
    if (!child.stdin.writable || child.exitCode !== null) break
    bytes += piece.length
    if (!child.stdin.write(piece)) await Promise.race([once(child.stdin, 'drain').catch(() => null), ended])
  }
  child.stdin.end()
  await ended
  return { lines: parseDieharder(output), bytes }
}
