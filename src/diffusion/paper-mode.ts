/**
 * What the papers stored: the Gaussian endpoint clipped to [0, 1] and rounded to 8 bits. Lossy, and not a cipher: these
 * counts say how much is lost, not how much is hidden.
 */
import { requireArgument } from './errors'
import type { ForwardProcess } from './schedule'

const MAX_LEVEL = 255

/** Bytes as pixels in [0, 1]. */
export function toUnit(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (byte) => byte / MAX_LEVEL)
}

/** Clip to [0, 1], then the nearest of 256 levels. */
export function quantizeUnit(values: Float32Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(values.length)
  for (let i = 0; i < out.length; i++)
    out[i] = Math.floor(Math.min(1, Math.max(0, values[i]!)) * MAX_LEVEL + 0.5)
  return out
}

/** Pearson correlation; 0 where one side is constant. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  requireArgument(
    a.length === b.length && a.length > 0,
    'A correlation is between two samples of one length.',
  )
  let sumA = 0
  let sumB = 0
  for (let i = 0; i < a.length; i++) {
    sumA += a[i]!
    sumB += b[i]!
  }
  const [meanA, meanB] = [sumA / a.length, sumB / b.length]
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB]
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
}

export interface PaperCounts {
  /** Share of stored bytes at 0 or 255. */
  readonly saturated: number
  /** Pearson correlation of photo and stored bytes. */
  readonly correlation: number
  /** Mean number of the 256 grey levels that the same noise sends to the byte that was stored: 1 would be injective. */
  readonly meanPreimages: number
  /** Share of pixels where another grey level gives the same stored byte. */
  readonly notInjective: number
}

export interface PaperArtifact {
  readonly stored: Uint8Array<ArrayBuffer>
  readonly counts: PaperCounts
}

/** The papers' artifact of `photo` under `noise` at the process's last step. */
export function paperArtifact(
  process: ForwardProcess<Float32Array, Float32Array>,
  photo: Uint8Array,
  noise: Float32Array,
): PaperArtifact {
  const t = process.schedule.steps
  const stored = quantizeUnit(process.forward(toUnit(photo), t, noise))
  const step = process.signalCoef(t) // change of the stored level for one grey level, both in units of 1 / 255
  const shift = process.noiseCoef(t)
  let saturated = 0
  let preimages = 0
  let notInjective = 0
  for (let i = 0; i < stored.length; i++) {
    const level = stored[i]!
    if (level === 0 || level === MAX_LEVEL) saturated += 1
    const from = (level - 0.5 - MAX_LEVEL * shift * noise[i]!) / step
    const to = (level + 0.5 - MAX_LEVEL * shift * noise[i]!) / step
    const lowest = level === 0 ? 0 : Math.max(0, Math.ceil(from))
    const highest = level === MAX_LEVEL ? MAX_LEVEL : Math.min(MAX_LEVEL, Math.ceil(to) - 1)
    const count = Math.max(1, highest - lowest + 1)
    preimages += count
    if (count > 1) notInjective += 1
  }
  const share = (count: number) => count / stored.length
  return {
    stored,
    counts: {
      saturated: share(saturated),
      correlation: correlation(photo, stored),
      meanPreimages: share(preimages),
      notInjective: share(notInjective),
    },
  }
}
