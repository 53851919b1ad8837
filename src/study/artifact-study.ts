/**
 * `npm run study -- artifact`: what artifacts give away to someone without keys. Every attack meets targets that must
 * leak and targets that must not, and the result says of each whether it did what it should.
 */
import type { RasterImage } from '../codec/types'
import { leakTargets } from './leak-targets'
import type { CodedPhoto, Expectation, LeakTarget } from './leak-targets'
import { measureLeaks } from './leak-measures'
import type { LeakMeasures } from './leak-measures'
import { percent, pText, table } from './markdown'
import type { Report } from './markdown'
import { gameResult, playPair } from './pair-game'
import type { GameResult } from './pair-game'
import { sizeLeaks } from './size-leak'
import type { SizeLeak } from './size-leak'
import { barPlot, linePlot } from './svg-plot'

export interface ArtifactStudyOptions {
  readonly photos: readonly RasterImage[]
  readonly encode: (image: RasterImage) => Promise<Uint8Array>
  /** Pairs of photos that the game is played on, and artifacts of each photo to learn from and to be asked about. */
  readonly pairs: number
  readonly train: number
  readonly test: number
  readonly print: (line: string) => void
}

export interface TargetResult {
  readonly name: string
  readonly expectation: Expectation
  readonly measures: LeakMeasures
  readonly game: GameResult
  /** The game's answer agrees with what was expected. */
  readonly asExpected: boolean
}

/** Seeds of studies: one for each photo and artifact, never two alike below 2^16 artifacts a photo. */
const seedOf = (photo: number, number: number): number => photo * 65536 + number

async function playTarget(target: LeakTarget, photos: readonly CodedPhoto[], options: ArtifactStudyOptions) {
  const { pairs, train, test } = options
  let correct = 0
  for (let pair = 0; pair < pairs; pair++) {
    const at = [(2 * pair) % photos.length, (2 * pair + 1) % photos.length] as const
    correct += await playPair(
      (photo, number) => target.makeForGame(photos[at[photo]]!, seedOf(at[photo], number)),
      train,
      test,
    )
  }
  return gameResult(correct, 2 * test * pairs)
}

/** A 95 % interval misses the truth once in twenty runs; a verdict needs more. */
const SURE = 1e-3

/** Leaking means more right answers than guessing gives once in a thousand runs; chance means a number within that. */
function isAsExpected(expectation: Expectation, { advantage, pValue }: GameResult): boolean {
  return expectation === 'leaks' ? advantage > 0 && pValue < SURE : pValue >= SURE
}

async function runTarget(target: LeakTarget, photos: readonly CodedPhoto[], options: ArtifactStudyOptions) {
  const artifacts: Uint8Array[] = []
  for (const [index, photo] of photos.entries()) artifacts.push(await target.make(photo, seedOf(index, 0)))
  const measures = measureLeaks(artifacts)
  const game = await playTarget(target, photos, options)
  const { name, expectation } = target
  return { name, expectation, measures, game, asExpected: isAsExpected(expectation, game) }
}

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(3)}`

function gameTable(results: readonly TargetResult[]): string {
  return table(
    ['what the thief holds', 'expected', 'right answers', 'advantage', '95 % interval', 'p', 'as expected'],
    results.map(({ name, expectation, game, asExpected }) => [
      name,
      expectation,
      `${game.correct} of ${game.trials}`,
      signed(game.advantage),
      `${signed(game.interval.low)} to ${signed(game.interval.high)}`,
      pText(game.pValue),
      asExpected ? 'yes' : '**no**',
    ]),
  )
}

function measureTable(results: readonly TargetResult[]): string {
  const names = Object.keys(results[0]!.measures.compressed)
  return table(
    ['what the thief holds', 'histogram p', 'uneven at 1 %', 'bits/byte', 'correlation (lag)', 'z', ...names],
    results.map(({ name, measures }) => [
      name,
      pText(measures.histogramP),
      `${percent(measures.unevenShare.share)} (${percent(measures.unevenShare.low)} to ${percent(measures.unevenShare.high)})`,
      measures.entropyBitsPerByte.toFixed(5),
      `${signed(measures.correlation.mean)} (${measures.correlation.lag})`,
      measures.correlation.z.toFixed(1),
      ...names.map((compressor) => percent(measures.compressed[compressor]!, 2)),
    ]),
  )
}

function sizeTable(sizes: readonly SizeLeak[]): string {
  return table(
    ['padding', 'advantage from size alone', 'distinct sizes', 'bytes added'],
    sizes.map(({ rule, advantage, distinctLengths, overhead }) => [
      rule,
      advantage.toFixed(3),
      distinctLengths,
      percent(overhead),
    ]),
  )
}

function figuresOf(results: readonly TargetResult[], sizes: readonly SizeLeak[]): Record<string, string> {
  const shares = results.map(({ name, measures }) => {
    const total = measures.histogram.reduce((sum, count) => sum + count, 0)
    return {
      label: name,
      values: Array.from(measures.histogram, (count) => (256 * count) / total),
    }
  })
  return {
    'artifact-advantage.svg': barPlot(
      'Which of two photos? Advantage over guessing',
      results.map(({ name, game }) => ({
        label: name,
        value: game.advantage,
        low: game.interval.low,
        high: game.interval.high,
      })),
      -0.2,
      1,
    ),
    'artifact-histogram.svg': linePlot('Byte values, relative to uniform (cut at 3)', shares, 0, 3),
    'artifact-size.svg': barPlot(
      'Which of two photos, from the size alone? Advantage',
      sizes.map(({ rule, advantage }) => ({ label: rule, value: advantage })),
      0,
      1,
    ),
  }
}

const WORDS = `The game bounds this learner at this number of trials and no other; an advantage smaller than its interval is wide would not be
seen. It is here to find mistakes, and its controls show that it finds them: a key used twice, too little noise, and bytes that were
never masked are all told apart. The argument for secrecy is not this table but the two keys (SECURITY.md).

The papers' artifacts leak although single pixels look like noise: with 32 steps a quarter of the signal stays in the mean, and with
1,000 steps the colours are gone but the alpha channel, stored beside them, still draws the outline.

What remains of a Safelight artifact is its size. Padding makes sizes coarse; a known collection of photos can still be recognised by
many sizes together, and that is not defended.`

function reportOf(
  results: readonly TargetResult[],
  sizes: readonly SizeLeak[],
  options: ArtifactStudyOptions,
) {
  const { photos, pairs, train, test } = options
  const { width, height } = photos[0]!
  const good = results.every(({ asExpected }) => asExpected)
  const markdown = [
    '# Artifact study',
    [
      `${photos.length} photos of ${width} x ${height} pixels with an alpha channel; one artifact of each for the measures.`,
      `The game: ${pairs} pairs, ${train} artifacts of each photo to learn from, ${test} of each to answer for.`,
    ].join(' '),
    `**${good ? 'Every target did what was expected of it.' : 'Some target did not do what was expected of it.'}**`,
    '## Which of two photos did it come from?',
    gameTable(results),
    '![Advantage](artifact-advantage.svg)',
    '## Measures without training',
    'Uniform bytes have p anywhere between 0 and 1, 1 % uneven, 8 bits a byte, a correlation of |z| below 4, and do not compress.',
    measureTable(results),
    '![Byte values](artifact-histogram.svg)',
    '## Sizes',
    sizeTable(sizes),
    '![Sizes](artifact-size.svg)',
    '## What this shows, and what not',
    WORDS,
    '',
  ].join('\n\n')
  return { name: 'artifact', markdown, figures: figuresOf(results, sizes) }
}

export async function studyArtifacts(
  options: ArtifactStudyOptions,
): Promise<{ report: Report; asExpected: boolean; results: readonly TargetResult[] }> {
  const { photos, encode, print } = options
  const coded: CodedPhoto[] = []
  for (const image of photos) coded.push({ image, coded: await encode(image) })
  const sizes = sizeLeaks(coded.map((photo) => photo.coded.length))
  const results: TargetResult[] = []
  for (const target of leakTargets) {
    const result = await runTarget(target, coded, options)
    results.push(result)
    const { low, high } = result.game.interval
    print(`${target.name}: advantage ${signed(result.game.advantage)} (${signed(low)} to ${signed(high)})`)
  }
  return {
    report: reportOf(results, sizes, options),
    asExpected: results.every(({ asExpected }) => asExpected),
    results,
  }
}
