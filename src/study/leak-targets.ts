/**
 * What a thief may hold of one photo, from nothing at all to everything: the artifact, the same with one lock gone, the
 * artifacts of the papers, and the controls on both sides. Every attack runs on all of them with the same code.
 */
import type { RasterImage } from '../codec/types'
import { sealArtifact } from '../crypto/artifact'
import { newArtifactId, randomBytes } from '../crypto/random'
import { gaussianProcess } from '../diffusion/gaussian'
import { createMask } from '../diffusion/mask'
import { quantizeUnit, toUnit } from '../diffusion/paper-mode'
import { GAUSSIAN_CONSTANT_32, GAUSSIAN_LINEAR_1000, TORUS_32 } from '../diffusion/schedule'
import type { GaussianSchedule } from '../diffusion/schedule'
import { torusProcess } from '../diffusion/torus'
import { HEADER_BYTES, SECTION } from '../format/artifact'
import { accountIds, modelIds } from '../format/ids'
import { PADDING_RULE, paddedLength } from '../format/padding'
import { PROCESS } from '../format/suite'
import { makePrng } from '../lib/prng'
import { studyKeys } from './keystream-streams'

export interface CodedPhoto {
  readonly image: RasterImage
  /** The codec's bitstream: x0. */
  readonly coded: Uint8Array
}

/** What an attack on this target must find, if the attack has teeth and the target is what it says. */
export type Expectation = 'leaks' | 'chance'

export interface LeakTarget {
  readonly name: string
  readonly expectation: Expectation
  /** One fresh artifact of the photo; `seed` makes the studies' own randomness repeat, never that of a real seal. */
  make(photo: CodedPhoto, seed: number): Promise<Uint8Array>
  /** The part of an artifact that the pair game is played on, where the whole would cost too much. */
  makeForGame(photo: CodedPhoto, seed: number): Promise<Uint8Array>
}

function wholeTarget(
  name: string,
  expectation: Expectation,
  make: (photo: CodedPhoto, seed: number) => Promise<Uint8Array>,
): LeakTarget {
  return { name, expectation, make, makeForGame: make }
}

const padded = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(paddedLength(PADDING_RULE.eighths, bytes.length))
  out.set(bytes)
  return out
}

/** The sealed file behind its clear header, whose fields are declared and the same for all photos. */
async function sealedBody({ image, coded }: CodedPhoto): Promise<Uint8Array> {
  const { bytes } = await sealArtifact({
    names: {
      accountId: accountIds.fromBytes(new Uint8Array(32)),
      artifactId: newArtifactId(),
      modelId: modelIds.fromBytes(new Uint8Array(32)),
      modelGeneration: 1,
    },
    lock: { modelSecret: randomBytes(32), weightsHash: randomBytes(32) },
    mask: { ...createMask(), processId: PROCESS.torus32 },
    sections: [{ id: SECTION.image, bytes: coded }],
    picture: { width: image.width, height: image.height, quality: 0, paddingRule: 'eighths' },
  })
  return bytes.subarray(HEADER_BYTES)
}

/** The pair game is played on every fourth pixel of every fourth row: a thief would use all. */
const GAME_STRIDE = 4

function everyFourth({ width, height, data }: RasterImage): Uint8Array {
  const out: number[] = []
  for (let y = 0; y < height; y += GAME_STRIDE)
    for (let x = 0; x < width; x += GAME_STRIDE)
      for (let channel = 0; channel < 4; channel++) out.push(data[4 * (y * width + x) + channel]!)
  return Uint8Array.from(out)
}

/** RGB through the Gaussian process, clipped and rounded; alpha as it was. RGBA interleaved, as the papers stored it. */
function paperPixels(schedule: GaussianSchedule, rgba: Uint8Array, seed: number): Uint8Array {
  const process = gaussianProcess(schedule)
  const noise = process.sampleNoise(rgba.length, schedule.steps, makePrng(seed))
  const stored = quantizeUnit(process.forward(toUnit(rgba), schedule.steps, noise))
  for (let i = 3; i < stored.length; i += 4) stored[i] = rgba[i]!
  return stored
}

function paperTarget(schedule: GaussianSchedule): LeakTarget {
  return {
    name: `${schedule.name}, alpha passed through`,
    expectation: 'leaks',
    make: ({ image }, seed) => Promise.resolve(paperPixels(schedule, new Uint8Array(image.data), seed)),
    makeForGame: ({ image }, seed) => Promise.resolve(paperPixels(schedule, everyFourth(image), seed)),
  }
}

/** One step of a torus too narrow to hide: the same addition, too little noise. */
const NARROW_SIGMA = 32
const narrowTorus = torusProcess({ ...TORUS_32, sigma: [NARROW_SIGMA], steps: 2 })

export const leakTargets: readonly LeakTarget[] = [
  wholeTarget('random bytes (control)', 'chance', ({ coded }) =>
    Promise.resolve(randomBytes(padded(coded).length)),
  ),
  wholeTarget('Safelight artifact', 'chance', sealedBody),
  wholeTarget('Safelight, seal broken: masked bytes', 'chance', ({ coded }) =>
    createMask().apply({ aes: randomBytes(32), net: randomBytes(32) }, SECTION.image, padded(coded)),
  ),
  wholeTarget('mask keys used twice (control)', 'leaks', ({ coded }) =>
    createMask().apply(studyKeys(1), SECTION.image, padded(coded)),
  ),
  wholeTarget(`torus, one step of sigma ${NARROW_SIGMA} (control)`, 'leaks', ({ coded }, seed) => {
    const x0 = padded(coded)
    return Promise.resolve(narrowTorus.forward(x0, 1, narrowTorus.sampleNoise(x0.length, 1, makePrng(seed))))
  }),
  wholeTarget('coded bytes in clear (control)', 'leaks', ({ coded }) => Promise.resolve(padded(coded))),
  paperTarget(GAUSSIAN_LINEAR_1000),
  paperTarget(GAUSSIAN_CONSTANT_32),
]
