/** The best encoder's choice of splits: what is guessed to be worth it is tried in the coder. */
import type { ContextModel } from '../context-model'
import type { EntropyKernel } from '../kernel/entropy-kernel'
import { SplitCounts } from './split-coder'

/**
 * Splits of a tile, whose latents lie in the kernel's y, all whole and clipped there; null where all stay whole. `worth` as
 * in chooseMagnitude.
 */
export function trySplits(
  model: ContextModel,
  kernel: EntropyKernel,
  width: number,
  height: number,
  worth: number,
): Uint8Array | null {
  const positions = width * height
  kernel.use(model)
  const { candidates } = kernel.guess(positions)
  if (candidates.every((mask) => mask === 0)) return null
  const counts = new SplitCounts(model.splits!.prior)
  const splits = new Uint8Array(positions)
  const active = kernel.prepare(positions)
  kernel.trySplits({ width, height, active }, worth, {
    candidates,
    begin: (position) => {
      counts.look(splits, width, position)
    },
    bitsOf: (split) => 16 - Math.log2(counts.frequency(split)),
    keep: (position, split) => {
      splits[position] = split
      counts.learn(split)
    },
  })
  return splits.some((split) => split !== 0) ? splits : null
}
