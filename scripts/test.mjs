/**
 * `npm test`: every check there is, on a fresh clone too. It goes on past failures and sums up at the end;
 * the last line is `N passed, N failed`, counted over the tests of vitest and Playwright. A check that is no test
 * (types, lint, build ...) counts as one failed where it fails.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ensureBuilt } from './parts/build.mjs'
import { ensureInstalled } from './parts/install.mjs'
import { requireNode } from './parts/node-version.mjs'
import { bin, node, npm, root } from './parts/run.mjs'

requireNode()
process.chdir(root)
await ensureInstalled()

const REPORTS = resolve(root, 'test-results')
const UNIT_REPORT = resolve(REPORTS, 'unit.json')
const E2E_REPORT = resolve(REPORTS, 'e2e.json')
await mkdir(REPORTS, { recursive: true })
for (const report of [UNIT_REPORT, E2E_REPORT]) await rm(report, { force: true })

const nothing = { passed: 0, failed: 0, skipped: 0 }

async function readReport(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return null
  }
}

async function unitCounts() {
  const report = await readReport(UNIT_REPORT)
  if (report === null) return nothing
  // A file that could not even be loaded has no tests of its own to fail.
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

async function e2eCounts() {
  const report = await readReport(E2E_REPORT)
  if (report === null) return nothing
  const { expected, unexpected, flaky, skipped } = report.stats
  return { passed: expected + flaky, failed: unexpected, skipped }
}

const check = (act) => async () => ({ status: await act(), counts: nothing })

const steps = [
  { name: 'types', act: check(() => bin('typescript/bin/tsc', ['--noEmit'])) },
  { name: 'lint', act: check(() => npm(['run', '--silent', 'lint'])) },
  { name: 'format', act: check(() => npm(['run', '--silent', 'format:check'])) },
  {
    name: 'unit, property and server tests',
    act: async () => ({
      status: await bin('vitest/vitest.mjs', [
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${UNIT_REPORT}`,
      ]),
      counts: await unitCounts(),
    }),
  },
  ...(existsSync(resolve(root, 'src/cli/train.ts'))
    ? [{ name: 'training smoke', act: check(() => npm(['run', '--silent', 'train', '--', '--smoke'])) }]
    : []),
  { name: 'build', act: check(ensureBuilt) },
  {
    name: 'journeys in Chromium',
    act: async () => ({
      status: await node([resolve(root, 'scripts/e2e.mjs')], {
        env: { ...process.env, SAFELIGHT_E2E_REPORT: E2E_REPORT },
      }),
      counts: await e2eCounts(),
    }),
  },
]

const total = { ...nothing }
const lines = []
for (const { name, act } of steps) {
  console.log(`\n== ${name} ==`)
  const startedMs = Date.now()
  const { status, counts } = await act()
  const failed = status !== 0 && counts.failed === 0 ? 1 : counts.failed
  total.passed += counts.passed
  total.failed += failed
  total.skipped += counts.skipped
  const seconds = Math.round((Date.now() - startedMs) / 1000)
  lines.push(`${failed === 0 ? 'ok    ' : 'FAILED'}  ${name} (${seconds} s)`)
}

console.log(`\n${lines.join('\n')}\n`)
process.exitCode = total.failed === 0 ? 0 : 1
console.log(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
)
