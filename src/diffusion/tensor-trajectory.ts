/**
 * A whole path from photo to noise on the backend that TensorFlow.js has, one state after another: the noise stays on
 * the device and grows along one path. On the torus the states are those of makeTrajectory to the bit, since every value
 * is an integer below 2^24; on the line they are clipped and rounded to bytes, as the papers store them.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Prng } from '../lib/prng'
import { requireArgument } from './errors'
import { gaussianProcess } from './gaussian'
import { checkStep } from './schedule'
import type { GaussianSchedule, Schedule, TorusSchedule } from './schedule'
import { torusProcess } from './torus'

/** Places on a path of any schedule, evenly from the photo to the last step. */
const PATH_STOPS = 32

/** Steps 0 .. T at PATH_STOPS + 1 places. */
export function pathSteps({ steps }: Schedule): number[] {
  return Array.from({ length: PATH_STOPS + 1 }, (_, i) => Math.round((i * steps) / PATH_STOPS))
}

export interface PathState {
  readonly t: number
  readonly bytes: Uint8Array<ArrayBuffer>
  /** How much of the signal is left: 1 at t = 0, towards 0. */
  readonly signalCoef: number
  /** Largest difference from the photo, in grey levels, once the same noise is taken away from `bytes` again. */
  readonly worstReturn: number
}

/** What a schedule does with tensors of one length. */
interface TensorProcess {
  /** Noise of step `to` from that of the earlier step `from`. */
  grow(noise: tf.Tensor1D, from: number, to: number): tf.Tensor1D
  /** State as grey levels, whole numbers. */
  forward(photo: tf.Tensor1D, t: number, noise: tf.Tensor1D): tf.Tensor1D
  reverse(state: tf.Tensor1D, t: number, noise: tf.Tensor1D): tf.Tensor1D
  signalCoef(t: number): number
}

function wrap(x: tf.Tensor1D): tf.Tensor1D {
  return tf.sub(x, tf.mul(tf.floor(tf.mul(x, 2 ** -8)), 256))
}

function normals(length: number, prng: Prng): Float32Array {
  const values = new Float32Array(length)
  for (let i = 0; i < length; i++) values[i] = prng.nextNormal()
  return values
}

/** Noise of one step on the circle, whole grey levels. */
function roundedNormals(length: number, deviation: number, prng: Prng): Float32Array {
  const values = new Float32Array(length)
  for (let i = 0; i < length; i++) values[i] = Math.floor(deviation * prng.nextNormal() + 0.5)
  return values
}

function torusOn(schedule: TorusSchedule, prng: Prng): TensorProcess {
  const { sigma } = schedule
  const process = torusProcess(schedule)
  return {
    grow: (noise, from, to) =>
      sigma
        .slice(from, to)
        .reduce(
          (sum, deviation) => wrap(tf.add(sum, tf.tensor1d(roundedNormals(sum.size, deviation, prng)))),
          noise,
        ),
    forward: (photo, _t, noise) => wrap(tf.add(photo, noise)),
    reverse: (state, _t, noise) => wrap(tf.sub(state, noise)),
    signalCoef: (t) => process.signalCoef(t),
  }
}

function gaussianOn(schedule: GaussianSchedule, prng: Prng): TensorProcess {
  const process = gaussianProcess(schedule)
  const signalCoef = (t: number): number => process.signalCoef(t)
  const noiseCoef = (t: number): number => process.noiseCoef(t)
  return {
    // The steps between are drawn at once: the sum of independent normals is normal.
    grow(noise, from, to) {
      const shrink = signalCoef(to) / signalCoef(from)
      const kept = tf.mul(noise, (shrink * noiseCoef(from)) / noiseCoef(to))
      return tf.add(
        kept,
        tf.mul(tf.tensor1d(normals(noise.size, prng)), Math.sqrt(1 - shrink ** 2) / noiseCoef(to)),
      )
    },
    forward(photo, t, noise) {
      const value = tf.add(tf.mul(photo, signalCoef(t)), tf.mul(noise, 255 * noiseCoef(t)))
      return tf.floor(tf.add(tf.clipByValue(value, 0, 255), 0.5))
    },
    reverse: (state, t, noise) => tf.mul(tf.sub(state, tf.mul(noise, 255 * noiseCoef(t))), 1 / signalCoef(t)),
    signalCoef,
  }
}

/** The states of `photo`, any bytes, at `steps`, which ascend. Errors: DiffusionError 'bad-argument'. */
export async function tensorTrajectory(
  schedule: Schedule,
  photo: Uint8Array,
  prng: Prng,
  steps: readonly number[],
): Promise<PathState[]> {
  for (const [i, t] of steps.entries()) {
    checkStep(schedule, t)
    requireArgument(i === 0 || t > steps[i - 1]!, 'The steps of a trajectory ascend.')
  }
  const process = schedule.kind === 'torus' ? torusOn(schedule, prng) : gaussianOn(schedule, prng)
  const start = tf.tensor1d(Float32Array.from(photo))
  let noise: tf.Tensor1D = tf.zerosLike(start)
  let before = 0
  const states: PathState[] = []
  try {
    for (const t of steps) {
      const grown: tf.Tensor1D = t === before ? noise.clone() : tf.tidy(() => process.grow(noise, before, t))
      noise.dispose()
      noise = grown
      before = t
      const { state, worst } = tf.tidy(() => {
        const shown = t === 0 ? start.clone() : process.forward(start, t, noise)
        const returned = t === 0 ? shown : process.reverse(shown, t, noise)
        return { state: shown, worst: tf.max(tf.abs(tf.sub(returned, start))) }
      })
      try {
        const bytes = Uint8Array.from(await state.data())
        const worstReturn = (await worst.data())[0]!
        states.push({ t, bytes, signalCoef: process.signalCoef(t), worstReturn })
      } finally {
        tf.dispose([state, worst])
      }
    }
  } finally {
    tf.dispose([start, noise])
  }
  return states
}
