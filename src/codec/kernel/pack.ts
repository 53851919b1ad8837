/** Packs what all qualities share of a model into the kernel's memory (layout.ts): tables, rows of scales, means. */
import { DRIFT_LEVELS, NEIGHBOURS, type ContextModel } from '../context-model'
import type { TableBank } from '../entropy-tables'
import { LATENTS } from '../weights'
import { inverseFrequencies } from './encode'
import { packListed } from './layers'
import { GROUP, LOW_ENTRIES, PAIR_BYTES, RANK, RANK_BYTES, type KernelLayout } from './layout'

/** A step of drift that is added to an offset without wrapping, and takes it from one limit beyond the other. */
export const FARTHEST = 2 ** 30

/** Each table is its size and its cumulative frequencies; bits lie at the same place in an area of their own. */
export function packTables(
  memory: ArrayBuffer,
  at: KernelLayout,
  model: ContextModel,
  bank: TableBank,
): void {
  const entries = new Int32Array(memory, at.tables)
  const bits = new Float32Array(memory, at.tables + at.bitsAfter)
  const starts = Array.from(bank.from, (from, table) => {
    const start = from + table + 1
    const size = bank.size[table]!
    entries[start - 1] = size
    entries.set(bank.cdf.subarray(from, from + size + 1), start)
    bits.set(bank.bits.subarray(from, from + size), start)
    return start
  })
  const fine = new Int16Array(memory, at.fine)
  fine.set(model.low)
  fine.set(model.high, LOW_ENTRIES)
  const view = new DataView(memory, at.ranks)
  model.tableOf.forEach((table, rank) => {
    const record = rank * RANK_BYTES
    view.setInt32(record + RANK.table, at.tables + 4 * starts[table]!, true)
    view.setInt32(record + RANK.shift, model.driftShift[rank]!, true)
    for (let level = 0; level < DRIFT_LEVELS; level++) {
      // An offset is limited: what goes further than all the way goes all the way.
      const drift = model.drift[rank * DRIFT_LEVELS + level]!
      const step = Math.max(-FARTHEST, Math.min(FARTHEST, drift))
      view.setInt32(record + RANK.drift + 4 * level, step, true)
    }
  })
  new Uint32Array(memory, at.inverses).set(inverseFrequencies())
}

/** Rows by passes and by groups of channels; same-channel weights as pairs (west, north) and (north-west, north-east). */
export function packRows(memory: ArrayBuffer, at: KernelLayout, model: ContextModel): void {
  const same = new Int16Array(memory, at.same)
  for (let tap = 0; tap < NEIGHBOURS; tap++)
    for (let c = 0; c < LATENTS; c++)
      same[(tap >> 1) * 2 * LATENTS + 2 * c + (tap & 1)] = model.sameWeights[tap * LATENTS + c]!
  const rows = Array<Int32Array | undefined>(at.rows)
  const put = (row: number, weights: Int32Array, count: number, first: number): void => {
    for (let i = 0; i < count; i++)
      rows[row + i] = weights.subarray((first + i) * LATENTS, (first + i + 1) * LATENTS)
  }
  for (let tap = 0; tap < NEIGHBOURS; tap++)
    put(tap * at.features, model.featureWeights, model.features, tap * model.features)
  const firstHidden = NEIGHBOURS * at.features
  put(firstHidden, model.hiddenWeights, model.hidden, 0)
  const { intra } = model
  if (intra !== null) put(firstHidden + at.hidden, intra.scaleWeights, intra.hidden, 0)
  packListed(memory, at.rowWeights, (c, row) => rows[row]?.[c] ?? 0)
  const dense = new Int16Array(memory, at.denseWeights)
  // Only later channels: the others are not read, and here their weights must not count.
  for (let c = 0; c < model.dense; c++)
    for (let later = c + 1; later < LATENTS; later++)
      dense[(Math.floor(later / GROUP) * model.dense + c) * GROUP + (later % GROUP)] =
        model.denseWeights[c * LATENTS + later]!
  packListed(memory, at.featureWeights, (f, c) =>
    f < model.features ? model.featureSums[c * model.features + f]! : 0,
  )
}

/** The hidden layer's weights, then those of the means, by groups of outputs and pairs of neighbouring symbols. */
export function packMeans(memory: ArrayBuffer, at: KernelLayout, model: ContextModel): void {
  const { means, hidden } = model
  const pairs = new Int16Array(memory, at.pairWeights)
  const put = (output: number, weights: Int32Array, row: number): void => {
    const group = Math.floor(output / GROUP) * at.pairs
    for (let tap = 0; tap < NEIGHBOURS; tap++)
      for (let k = 0; k < means; k++) {
        const pair = group + (tap * at.means + k) / 2
        pairs[Math.floor(pair) * (PAIR_BYTES / 2) + 2 * (output % GROUP) + (k & 1)] =
          weights[(row * NEIGHBOURS + tap) * means + k]!
      }
  }
  for (let h = 0; h < hidden; h++) put(h, model.meanIn, h)
  for (let c = 0; c < means; c++) put(at.hidden + c, model.meanWeights, c)
  const out = new Int32Array(memory, at.meanOut)
  for (let h = 0; h < hidden; h++)
    for (let c = 0; c < means; c++) out[h * at.means + c] = model.meanOut[c * hidden + h]!
}
