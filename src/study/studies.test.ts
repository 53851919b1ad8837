import { beforeAll, expect, it } from 'vitest'
import { createCodec } from '../codec/codec'
import { worstVerdict, runBattery } from '../lib/randomness'
import { readModel, readyWasm } from '../training/node-model'
import { studyArtifacts } from './artifact-study'
import { studyBypass } from './bypass-study'
import { structuredStreams } from './keystream-streams'
import { proceduralPhoto } from './study-photos'

beforeAll(async () => {
  await readyWasm()
})

it('every structured stream passes and every weak generator fails, at a megabyte each', async () => {
  for (const stream of structuredStreams()) {
    const bytes = await stream.make(2 ** 20)
    expect(bytes.length).toBe(2 ** 20)
    const verdict = worstVerdict(runBattery(bytes))
    if (stream.isWeak) expect(verdict, stream.generator).toBe('fail')
    else expect(verdict, `${stream.generator}, ${stream.input}`).not.toBe('fail')
  }
})

it('the artifact study wins where it must and guesses where it must', async () => {
  const model = await readModel()
  const codec = createCodec(model.weights)
  try {
    const { results, report, asExpected } = await studyArtifacts({
      photos: [1, 2].map(proceduralPhoto),
      encode: (image) => codec.encode(image, { quality: 30, effort: 'fast' }),
      pairs: 1,
      train: 40,
      test: 60,
      print: () => undefined,
    })
    expect(results.map(({ name, asExpected: met }) => [name, met])).toEqual(
      results.map(({ name }) => [name, true]),
    )
    expect(asExpected).toBe(true)
    expect(report.markdown).toContain('| Safelight artifact | chance |')
    expect(Object.keys(report.figures)).toHaveLength(3)
  } finally {
    codec.dispose()
  }
})

it('wrong keys show nothing of a photo even when nothing is checked', async () => {
  const model = await readModel()
  const photos = Array.from({ length: 50 }, (_, i) => proceduralPhoto(i + 1))
  const { results } = await studyBypass({ photos, base: model.weights, print: () => undefined })
  expect(results.map(({ name, asExpected }) => [name, asExpected])).toEqual(
    results.map(({ name }) => [name, true]),
  )
  const [right, wrong] = results
  expect(right!.gain.low).toBeGreaterThan(15)
  expect(wrong!.own.mean).toBeLessThan(15)
})
