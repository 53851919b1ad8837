/** A synthesis as it lies in the kernel's memory: panels of weights, layer after layer. */
import { QUARTER } from '../../folded'
import { LATENTS } from '../../weights'
import { FINE_BITS, type WholeFilter, type WholeLayer, type WholeSynthesis } from '../layers'
import { LIMITS_BYTES } from './endings'
import { PAGE, rounded, type Panels } from './matrix'
import { arenaFrom, packDepthwise, packPanels, takeDepthwise, takePanels, type RowRange } from './packing'
import { SHARED_BYTES } from './shared'

/** Quarters along a side of a block, and in all. */
export const SIDE = 4
const PARTS = SIDE * SIDE

export interface PackedBlock {
  readonly depthwise: number
  readonly expand: Panels
  readonly project: Panels
  readonly wideBytes: number
}

/** Addresses, and the bytes of a position in each activation. */
export interface PackedSynthesis {
  readonly synthesis: WholeSynthesis
  /** By quarter of a block. */
  readonly linear: readonly Panels[]
  readonly first: Panels
  readonly blocks: readonly PackedBlock[]
  /** By quarter of a block. */
  readonly features: readonly Panels[]
  readonly render: Panels
  readonly finish: Panels
  /** Limits of activations, and of those after a ReLU. */
  readonly limits: number
  readonly positive: number
  readonly trunkBytes: number
  /** Pixels as the renderer reads them, and features. */
  readonly quarterBytes: number
  readonly drawnBytes: number
  readonly end: number
}

/** Makes the memory at least so large, of `mostPages` at most. */
export function reserve(memory: WebAssembly.Memory, bytes: number, mostPages: number): ArrayBuffer {
  if (bytes > mostPages * PAGE) throw new RangeError('The run is too large.')
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE)
  if (missing > 0) memory.grow(missing)
  return memory.buffer
}

function checkShape(layer: WholeFilter, taps: 1 | 9, rows: number, columns: number): void {
  const count = taps * rows * columns
  const { weights } = layer
  if (layer.taps !== taps || layer.rows !== rows || layer.columns !== columns || weights.length !== count)
    throw new RangeError('The layers do not fit together.')
}

function checkShapes(synthesis: WholeSynthesis): void {
  const { most } = synthesis
  // Sums of two activations saturate beyond.
  if (!Number.isInteger(most) || most < 1 || most > 16383)
    throw new RangeError('Activations have at most 14 bits.')
  const { linear, linearFiner, first, features, renderPixels, renderFeatures, finish } = synthesis
  const [trunk, seen, drawn] = [first.columns, renderFeatures.rows, renderPixels.columns]
  checkShape(linear, 1, LATENTS, LATENTS)
  checkShape(linearFiner, 1, LATENTS, LATENTS)
  checkShape(first, 1, first.rows, trunk)
  for (const { depthwise, expand, project } of synthesis.blocks) {
    checkShape(depthwise, 9, 1, trunk)
    checkShape(expand, 1, trunk, expand.columns)
    checkShape(project, 1, expand.columns, trunk)
  }
  checkShape(features, 1, trunk, PARTS * seen)
  checkShape(renderPixels, 9, QUARTER, drawn)
  checkShape(renderFeatures, 9, seen, drawn)
  checkShape(finish, 1, drawn, QUARTER)
}

export function packSynthesis(
  memory: WebAssembly.Memory,
  synthesis: WholeSynthesis,
  mostPages: number,
): PackedSynthesis {
  checkShapes(synthesis)
  const { most, linear, linearFiner, first, features, renderPixels, renderFeatures, finish } = synthesis
  const [trunk, seen, drawn] = [first.columns, renderFeatures.rows, renderPixels.columns]
  const quarter = QUARTER + rounded(seen)

  const arena = arenaFrom(SHARED_BYTES)
  const jobs: ((memory: ArrayBuffer) => void)[] = []
  const limitsOf = (least: number): number => {
    const at = arena.take(LIMITS_BYTES)
    jobs.push((to) => {
      new Int16Array(to, at, 8).fill(least)
      new Int16Array(to, at + LIMITS_BYTES / 2, 8).fill(most)
    })
    return at
  }
  const matrix = (rows: number, layer: WholeLayer, ranges: readonly RowRange[], parts = 1): Panels => {
    const panels = takePanels(arena, rows, layer.columns, parts)
    jobs.push((to) => packPanels(to, panels, layer, ranges, parts))
    return panels
  }
  const all = (filter: WholeFilter): RowRange => ({ filter, from: 0, count: filter.rows, to: 0 })
  const pointwise = (layer: WholeLayer): Panels => matrix(layer.rows, layer, [all(layer)])
  const depthwise = (layer: WholeLayer): number => {
    const at = takeDepthwise(arena, layer.columns)
    jobs.push((to) => packDepthwise(to, at, layer))
    return at
  }
  const windows = Array.from({ length: 9 }, (_, tap) => [
    { filter: renderPixels, from: tap * QUARTER, count: QUARTER, to: tap * quarter },
    { filter: renderFeatures, from: tap * seen, count: seen, to: tap * quarter + QUARTER },
  ])
  const fine = fineLinear(linear, linearFiner)
  const packed = {
    synthesis,
    limits: limitsOf(-most),
    positive: limitsOf(0),
    linear: partsOf(matrix(LATENTS, fine, [all(fine)], PARTS)),
    first: pointwise(first),
    blocks: synthesis.blocks.map((block) => ({
      depthwise: depthwise(block.depthwise),
      expand: pointwise(block.expand),
      project: pointwise(block.project),
      wideBytes: 2 * rounded(block.expand.columns),
    })),
    features: partsOf(matrix(trunk, features, [all(features)], PARTS)),
    render: matrix(9 * quarter, renderPixels, windows.flat()),
    finish: pointwise(finish),
    trunkBytes: 2 * rounded(trunk),
    quarterBytes: 2 * quarter,
    drawnBytes: 2 * rounded(drawn),
  }
  const buffer = reserve(memory, arena.end, mostPages)
  new Uint8Array(buffer, SHARED_BYTES, arena.end - SHARED_BYTES).fill(0)
  for (const job of jobs) job(buffer)
  return { ...packed, end: arena.end }
}

/** Both filters of the linear part in one, finer by FINE_BITS. */
function fineLinear(linear: WholeLayer, { weights: finer }: WholeFilter): WholeLayer {
  const weights = new Int16Array(finer.length)
  const unit = 2 ** FINE_BITS
  let most = 0
  for (let i = 0; i < weights.length; i++) {
    const both = linear.weights[i]! * unit + finer[i]!
    most = Math.max(most, Math.abs(both))
    weights[i] = both
  }
  if (most > 32767) throw new RangeError('Finer weights need more than 16 bits.')
  return { ...linear, weights }
}

function partsOf({ at, bytes, groups }: Panels): Panels[] {
  const each = groups / PARTS
  return Array.from({ length: PARTS }, (_, part) => ({ at: at + part * each * bytes, bytes, groups: each }))
}
