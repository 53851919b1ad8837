/**
 * `npm run study -- bypass`: what wrong keys show once every check is skipped. A thief who holds artifacts, data keys
 * and the base model takes off the seal, guesses a model secret, unmasks, and decodes whatever comes out.
 */
import type { RasterImage } from '../codec/types'
import { createCodec } from '../codec/codec'
import { psnrDb } from '../codec/metrics'
import { DEFAULT_QUALITY } from '../codec/quality'
import type { CodecWeights } from '../codec/weights'
import { scheduleFor, withMaskKeys } from '../crypto/artifact-keys'
import { deriveKey, LABEL } from '../crypto/kdf'
import { newArtifactId, randomBytes } from '../crypto/random'
import { createMask } from '../diffusion/mask'
import { SECTION } from '../format/artifact'
import { accountIds, modelIds } from '../format/ids'
import { PROCESS } from '../format/suite'
import { meanInterval } from '../lib/statistics'
import { personalModel, type PersonalModel } from '../model/personal-model'
import { decodeAnything, grantedOf } from './lenient-decode'
import { table, type Report } from './markdown'

export interface BypassOptions {
  readonly photos: readonly RasterImage[]
  readonly base: CodecWeights
  readonly print: (line: string) => void
}

export interface BypassResult {
  readonly name: string
  /** 'photo' must show the photo; 'nothing' must be no nearer to it than to another. */
  readonly expectation: 'photo' | 'nothing' | 'measured'
  readonly own: ReturnType<typeof meanInterval>
  readonly other: ReturnType<typeof meanInterval>
  /** PSNR to the photo less PSNR to the next one, in dB. */
  readonly gain: ReturnType<typeof meanInterval>
  readonly asExpected: boolean
}

interface Owner {
  readonly secret: Uint8Array
  readonly model: PersonalModel
}

async function makeOwner(base: CodecWeights, modelId: Uint8Array): Promise<Owner> {
  const secret = randomBytes(32)
  const seed = await deriveKey(secret, null, LABEL.personalModel, modelId)
  return { secret, model: await personalModel(base, seed) }
}

/** A 95 % interval misses once in twenty runs; a verdict of leaking needs twice its width. */
const leaks = ({ mean, low }: { mean: number; low: number }): boolean => mean - 2 * (mean - low) > 0

/** A restored photo passes this; what wrong keys give is far below. */
const PHOTO_DB = 30

export async function studyBypass({
  photos,
  base,
  print,
}: BypassOptions): Promise<{ results: BypassResult[]; report: Report; asExpected: boolean }> {
  const modelId = randomBytes(32)
  const [owner, thief] = [await makeOwner(base, modelId), await makeOwner(base, modelId)]
  const codec = createCodec(owner.model.weights)
  const mask = createMask(PROCESS.torus32)
  const tries: readonly {
    name: string
    expectation: BypassResult['expectation']
    mask: Owner
    model: Owner
  }[] = [
    { name: 'right secret (control)', expectation: 'photo', mask: owner, model: owner },
    { name: 'wrong secret', expectation: 'nothing', mask: thief, model: thief },
    { name: 'wrong mask keys, right weights', expectation: 'nothing', mask: thief, model: owner },
    { name: 'mask taken off, wrong weights', expectation: 'measured', mask: owner, model: thief },
  ]
  const gathered = tries.map(() => ({ own: [] as number[], other: [] as number[] }))
  try {
    for (const [index, photo] of photos.entries()) {
      const image = { ...photo, hasAlpha: false }
      const another = photos[(index + 1) % photos.length]!
      const coded = await codec.encode(image, { quality: DEFAULT_QUALITY, effort: 'best' })
      const names = {
        modelId: modelIds.fromBytes(modelId),
        modelGeneration: 1,
        artifactId: newArtifactId(),
        nonce: randomBytes(24),
        process: PROCESS.torus32,
      }
      const accountId = accountIds.fromBytes(randomBytes(32))
      const dataKey = randomBytes(32)
      const keysOf = async <T>({ secret, model }: Owner, use: Parameters<typeof withMaskKeys<T>>[2]) => {
        const lock = { modelSecret: secret, weightsHash: model.weightsHash }
        const schedule = await scheduleFor(names, accountId, lock, dataKey)
        try {
          return await withMaskKeys(schedule, SECTION.image, use)
        } finally {
          schedule.wipe()
        }
      }
      const masked = await keysOf(owner, (keys) => mask.apply(keys, SECTION.image, coded))
      const granted = grantedOf(coded, base.config)
      for (const [at, attempt] of tries.entries()) {
        const bytes = await keysOf(attempt.mask, (keys) => mask.remove(keys, SECTION.image, masked))
        const shown = await decodeAnything(attempt.model.model.weights, granted, bytes, index)
        gathered[at]!.own.push(psnrDb(image, shown))
        gathered[at]!.other.push(psnrDb({ ...another, hasAlpha: false }, shown))
      }
      if ((index + 1) % 20 === 0) print(`${index + 1} photos`)
    }
  } finally {
    codec.dispose()
  }
  const results = tries.map(({ name, expectation }, at): BypassResult => {
    const { own, other } = gathered[at]!
    const gain = meanInterval(own.map((db, i) => db - other[i]!))
    const asExpected =
      expectation === 'photo' ? Math.min(...own) > PHOTO_DB : expectation === 'measured' || !leaks(gain)
    return { name, expectation, own: meanInterval(own), other: meanInterval(other), gain, asExpected }
  })
  const asExpected = results.every((result) => result.asExpected)
  return { results, report: reportOf(results, photos.length, asExpected), asExpected }
}

const db = (value: number): string => `${value.toFixed(2)} dB`

function reportOf(results: readonly BypassResult[], photos: number, asExpected: boolean): Report {
  const rows = results.map(({ name, expectation, own, other, gain, asExpected: met }) => [
    name,
    expectation,
    db(own.mean),
    db(other.mean),
    `${gain.mean.toFixed(2)} (${gain.low.toFixed(2)} .. ${gain.high.toFixed(2)}) dB`,
    met ? 'yes' : 'NO',
  ])
  const markdown = [
    '# Wrong keys, all checks skipped',
    '',
    `${photos} photos. The seal is taken off, the true size, quality and part lengths are granted, and the bytes are`,
    'decoded by a decoder that refuses nothing. PSNR is to the photo itself, and to another of the set.',
    '',
    table(['keys', 'expected', 'to the photo', 'to another', 'difference (95 %)', 'as expected'], rows),
    '',
    'The last row is no lock: the media transform is a relabelling without a secrecy claim; the mask and the seal are the locks.',
    '',
    asExpected ? 'All rows are as expected.' : 'At least one row is NOT as expected.',
    '',
  ].join('\n')
  return { name: 'bypass', markdown, figures: {} }
}
