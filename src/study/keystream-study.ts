/** `npm run study -- keystream`: structured streams through the battery, weak generators beside them, a verdict table. */
import { runBattery, verdictOf, worstVerdict } from '../lib/randomness'
import type { TestResult, Verdict } from '../lib/randomness'
import { hasDieharder, runDieharder } from './dieharder'
import type { DieharderResult } from './dieharder'
import { shippedPieces, structuredStreams, weakPieces } from './keystream-streams'
import type { Stream } from './keystream-streams'
import { pText, table } from './markdown'
import type { Report } from './markdown'
import { measureMaskSpeed } from './mask-speed'
import type { MaskSpeed } from './mask-speed'
import { barPlot } from './svg-plot'

export interface KeystreamStudyOptions {
  /** Of each stream. */
  readonly megabytes: number
  /** Tests of dieharder to run on a pipe, where it is installed; empty for none. */
  readonly dieharderTests: readonly (number | 'all')[]
  /** The most that the pipe is fed. */
  readonly pipeMegabytes: number
  readonly print: (line: string) => void
}

export interface StreamVerdict {
  readonly stream: Stream
  readonly results: readonly TestResult[]
  readonly verdict: Verdict
  readonly megabytesPerSecond: number
}

const MEGABYTE = 2 ** 20

async function testStream(stream: Stream, megabytes: number): Promise<StreamVerdict> {
  const start = performance.now()
  const bytes = await stream.make(megabytes * MEGABYTE)
  const seconds = (performance.now() - start) / 1000
  const results = runBattery(bytes)
  return {
    stream,
    results,
    verdict: worstVerdict(results),
    megabytesPerSecond: bytes.length / 1e6 / seconds,
  }
}

const failures = (results: readonly TestResult[]): number =>
  results.filter(({ pValue }) => verdictOf(pValue) === 'fail').length

const smallest = (results: readonly TestResult[]): TestResult =>
  results.reduce((least, result) => (result.pValue < least.pValue ? result : least))

function streamRows(verdicts: readonly StreamVerdict[]) {
  return verdicts.map(({ stream, results, verdict, megabytesPerSecond }) => {
    const least = smallest(results)
    return [
      stream.generator,
      stream.input,
      `${results.length - failures(results)} of ${results.length}`,
      `${pText(least.pValue)} (${least.test})`,
      megabytesPerSecond.toFixed(0),
      stream.isWeak ? `${verdict} (should fail)` : verdict,
    ]
  })
}

function speedRows(speeds: readonly MaskSpeed[]) {
  const rate = (bytes: number, ms: number) => `${ms.toFixed(1)} ms, ${(bytes / 1000 / ms).toFixed(0)} MB/s`
  return speeds.map(({ engine, bytes, applyMs, removeMs }) => [
    engine,
    `${bytes / 1000} kB`,
    rate(bytes, applyMs),
    rate(bytes, removeMs),
  ])
}

function dieharderRow(name: string, { lines, bytes }: DieharderResult) {
  const count = (assessment: string) => lines.filter((line) => line.assessment === assessment).length
  return [name, (bytes / 1e6).toFixed(0), lines.length, count('PASSED'), count('WEAK'), count('FAILED')]
}

interface ExternalBattery {
  readonly text: string
  readonly asExpected: boolean
}

/** The shipped mask must fail no test; the weak generator must fail at least one of those that were run. */
async function externalBattery(options: KeystreamStudyOptions): Promise<ExternalBattery> {
  const { dieharderTests, pipeMegabytes, print } = options
  if (dieharderTests.length === 0) return { text: 'Not run (`--dieharder 0,8` runs it).', asExpected: true }
  if (!hasDieharder())
    return { text: 'dieharder is not installed here (Debian: `apt install dieharder`).', asExpected: true }
  const rows = []
  const failed = { shipped: 0, weak: 0 }
  for (const test of dieharderTests)
    for (const kind of ['shipped', 'weak'] as const) {
      const pieces = (kind === 'shipped' ? shippedPieces : weakPieces)(pipeMegabytes * 1e6)
      const result = await runDieharder(pieces, test)
      const name = kind === 'shipped' ? 'mask as shipped' : 'linear congruential (weak)'
      failed[kind] += result.lines.filter((line) => line.assessment === 'FAILED').length
      rows.push(dieharderRow(`${name}, test ${test}`, result))
      print(`dieharder ${test}, ${name}: ${result.lines.map((line) => line.assessment).join(' ')}`)
    }
  const asExpected = failed.shipped === 0 && failed.weak > 0
  const sums = `Failed: ${failed.shipped} by the mask, ${failed.weak} by the weak generator, which must fail at least one.`
  const text = [sums, table(['stream', 'MB read', 'results', 'passed', 'weak', 'failed'], rows)].join('\n\n')
  return { text, asExpected }
}

const TESTS =
  'byte and pair chi-square, monobit, runs, matrix rank, autocorrelation and differences at lags 1 to 65,536'

const WORDS = `Such tests look for patterns that their authors thought of. A generator that fails one is bad; a generator that passes
all may still be broken by someone who knows how it works: deliberately insecure ciphers pass, and xorshift32, which anybody can
predict from four bytes, fails only the tests that know what it is. **That the mask passes shows that nothing went plainly wrong on the way. That it
hides is a different argument**, and it rests on AES-256-CTR: each byte of it is added to the byte, uniform and independent of everything
else, so that the sum is uniform whatever the neural keystream does. The rows "neural keystream alone" are there because the question
is natural; nothing is claimed for it.`

function passes({ stream, verdict }: StreamVerdict): boolean {
  return stream.isWeak ? verdict === 'fail' : verdict !== 'fail'
}

/** The report, and whether every stream did what was expected of it. */
export async function studyKeystream(
  options: KeystreamStudyOptions,
): Promise<{ report: Report; asExpected: boolean; verdicts: readonly StreamVerdict[] }> {
  const { megabytes, print } = options
  const verdicts: StreamVerdict[] = []
  for (const stream of structuredStreams()) {
    const verdict = await testStream(stream, megabytes)
    verdicts.push(verdict)
    print(`${stream.generator}, ${stream.input}: ${verdict.verdict}`)
  }
  const speeds = await measureMaskSpeed()
  const external = await externalBattery(options)
  const asExpected = verdicts.every(passes) && external.asExpected
  const figure = barPlot(
    'Share of tests failed',
    verdicts.map(({ stream, results }) => ({
      label: `${stream.generator}: ${stream.input}`,
      value: failures(results) / results.length,
    })),
    0,
    1,
  )
  const heads = ['generator', 'input', 'tests passed', 'smallest p', 'MB/s', 'verdict']
  const markdown = [
    '# Keystream study',
    `${megabytes} MiB of each stream; ${verdicts[0]!.results.length} tests each (${TESTS}). A test fails below p = 1e-8 and is weak below 1e-4.`,
    `**${asExpected ? 'Every stream did what was expected of it.' : 'Some stream did not do what was expected of it.'}**`,
    table(heads, streamRows(verdicts)),
    '![Share of tests failed](keystream-failures.svg)',
    '## Speed of the mask on one thread',
    table(['engine', 'bytes', 'apply', 'remove'], speedRows(speeds)),
    '## dieharder on a pipe',
    external.text,
    '## What this shows, and what not',
    WORDS,
    '## Every p-value',
    table(
      ['test', ...verdicts.map((_, index) => String(index + 1))],
      verdicts[0]!.results.map(({ test }, row) => [
        test,
        ...verdicts.map(({ results }) => pText(results[row]!.pValue)),
      ]),
    ),
    'Columns in the order of the first table. Of the p-values of a good generator, one in a hundred lies below 0.01.',
    '',
  ].join('\n\n')
  return {
    report: { name: 'keystream', markdown, figures: { 'keystream-failures.svg': figure } },
    asExpected,
    verdicts,
  }
}
