/**
 * One image on its way from photo to noise along a single noise path, as bytes to look at: the states of the torus as
 * they are, those of the Gaussian process clipped and rounded. Running the same path backwards gives the photo again.
 */
import type { Prng } from '../lib/prng'
import { gaussianProcess } from './gaussian'
import { quantizeUnit, toUnit } from './paper-mode'
import type { ForwardProcess, Schedule } from './schedule'
import { checkStep } from './schedule'
import { torusProcess } from './torus'

export const TRAJECTORY_STEPS = [0, 1, 2, 5, 16, 32] as const

export interface TrajectoryState {
  readonly t: number
  readonly signalCoef: number
  readonly bytes: Uint8Array
}

/** The accumulated noise at each of `steps` (ascending), along one path. */
function noisePath<X, N>(
  process: ForwardProcess<X, N>,
  length: number,
  steps: readonly number[],
  prng: Prng,
): N[] {
  const path: N[] = []
  let t = 0
  let noise = process.noNoise(length)
  for (const wanted of steps) {
    checkStep(process.schedule, wanted)
    for (; t < wanted; t++) noise = process.extendNoise(noise, t + 1, prng)
    path.push(noise)
  }
  return path
}

function statesOf<X, N>(
  process: ForwardProcess<X, N>,
  x0: X,
  length: number,
  steps: readonly number[],
  prng: Prng,
  toBytes: (x: X) => Uint8Array,
): TrajectoryState[] {
  return noisePath(process, length, steps, prng).map((noise, index) => {
    const t = steps[index]!
    return { t, signalCoef: process.signalCoef(t), bytes: toBytes(process.forward(x0, t, noise)) }
  })
}

/** `image`: any bytes, alpha included if it is to be noised too. `steps` ascends. */
export function makeTrajectory(
  schedule: Schedule,
  image: Uint8Array,
  prng: Prng,
  steps: readonly number[] = TRAJECTORY_STEPS,
): TrajectoryState[] {
  const { length } = image
  return schedule.kind === 'torus'
    ? statesOf(torusProcess(schedule), image, length, steps, prng, (x) => x)
    : statesOf(gaussianProcess(schedule), toUnit(image), length, steps, prng, quantizeUnit)
}
