/** Where the entropy kernel keeps what splits have of their own (splits/), and what turns their symbols back. */
import { INTRA_CHANNELS } from '../intra-prediction'
import { SCALE_STAGES } from '../scale-stages'
import { splitsColumns, splitsRows, SPLITS } from '../splits/split-model'
import { BLOCK, LATENTS } from '../weights'
import type { WeightsLayout } from './layers'
import type { KernelLayout } from './layout'

/** Takes so many bytes of the memory; their address. */
export type Take = (bytes: number) => number

type Sizes = Pick<KernelLayout, 'hidden' | 'means' | 'pairs' | 'intra' | 'stages'>
type SplitPart = Pick<
  KernelLayout,
  'bias' | 'pairWeights' | 'meanOut' | 'meanGain' | 'intra' | 'stages' | 'turn'
>

/** What the layouts of splits 1, 2 and 3 have of their own. */
export function splitLayouts(
  { hidden, means, pairs, intra, stages }: Sizes,
  take: Take,
): readonly SplitPart[] {
  const turn = {
    ...{ natural: take(2 * LATENTS), step: take(4 * LATENTS), unstep: take(4 * LATENTS) },
    ...{
      negative: take(2 * LATENTS),
      rowHalves: take(2 * BLOCK * BLOCK),
      columnHalves: take(2 * BLOCK * BLOCK),
    },
    ...{ block: take(2 * LATENTS), pairs: take(2 * LATENTS) },
  }
  const again = (layer: WeightsLayout): WeightsLayout => ({
    ...layer,
    at: take(2 * layer.inputs * layer.outputs),
  })
  return Array.from({ length: SPLITS - 1 }, (_, i) => ({
    bias: take(4 * LATENTS),
    pairWeights: take(4 * pairs * (hidden + means)),
    meanOut: take(4 * hidden * means),
    meanGain: take(4 * means),
    intra: intra && {
      ...intra,
      gain: take(4 * INTRA_CHANNELS),
      midFirst: intra.midFirst.map((layer, stage) => (stage === 0 ? layer : again(layer))),
      midOwn: intra.midOwn.map((layer, stage) => (stage === 0 ? layer : again(layer))),
      out: intra.out.map(again),
    },
    stages: stages && { ...stages, bias: take(4 * stages.units * SCALE_STAGES.length) },
    turn: { ...turn, rows: splitsRows(i + 1), columns: splitsColumns(i + 1) },
  }))
}
