/** Lays out weights as the kernel reads them (matrix.ts, depthwise.ts). The memory that is packed into holds zeros. */
import type { WholeFilter, WholeLayer } from '../layers'
import { DEPTHWISE_PANEL, TAPS } from './depthwise'
import { GROUP, PANEL_SCALE, PANEL_WEIGHTS, ROW_UNIT, rounded, type Panels } from './matrix'

/** Gives out parts of a memory in turn. */
export interface Arena {
  take(bytes: number): number
  readonly end: number
}

export function arenaFrom(start: number): Arena {
  let next = start
  return {
    take(bytes) {
      const at = next
      next += Math.ceil(bytes / 64) * 64
      return at
    },
    get end() {
      return next
    },
  }
}

/** Rows of a filter to rows of the panels: `count` rows from `from`, in the order of the filter. */
export interface RowRange {
  readonly filter: WholeFilter
  readonly from: number
  readonly count: number
  readonly to: number
}

/** Room for `rows` rows of `columns` columns in `parts` of as many each, rounded up one by one. */
export function takePanels(arena: Arena, rows: number, columns: number, parts = 1): Panels {
  const groups = (rounded(columns / parts) / GROUP) * parts
  const bytes = PANEL_WEIGHTS + 2 * GROUP * Math.ceil(rows / ROW_UNIT) * ROW_UNIT
  return { at: arena.take(groups * bytes), bytes, groups }
}

export function packPanels(
  memory: ArrayBuffer,
  panels: Panels,
  { columns, bias, shift }: WholeLayer,
  ranges: readonly RowRange[],
  parts = 1,
): void {
  const packed = new Int16Array(memory)
  const partColumns = columns / parts
  const partGroups = panels.groups / parts
  for (let group = 0; group < panels.groups; group++) {
    const panel = panels.at + group * panels.bytes
    const first = Math.floor(group / partGroups) * partColumns + (group % partGroups) * GROUP
    const lanes = Math.min(GROUP, partColumns - (group % partGroups) * GROUP)
    for (let lane = 0; lane < lanes; lane++)
      packColumn(memory, panel, lane, bias[first + lane]!, shift[first + lane]!)
    // Panel by panel: what is written stays in the cache.
    for (const range of ranges) packRows(packed, (panel + PANEL_WEIGHTS) / 2, range, columns, first, lanes)
  }
}

function packRows(
  packed: Int16Array,
  at: number,
  { filter, from, count, to }: RowRange,
  columns: number,
  first: number,
  lanes: number,
): void {
  const { weights } = filter
  for (let row = 0; row < count; row++) {
    const pair = at + ((to + row) >> 1) * 2 * GROUP + ((to + row) & 1)
    const source = (from + row) * columns + first
    for (let lane = 0; lane < lanes; lane++) packed[pair + 2 * lane] = weights[source + lane]!
  }
}

function packColumn(memory: ArrayBuffer, panel: number, lane: number, bias: number, shift: number): void {
  new Int32Array(memory, panel)[lane] = bias
  new Float32Array(memory, panel + PANEL_SCALE)[lane] = 2 ** -shift
}

export const takeDepthwise = (arena: Arena, columns: number): number =>
  arena.take((rounded(columns) / GROUP) * DEPTHWISE_PANEL)

export function packDepthwise(
  memory: ArrayBuffer,
  at: number,
  { columns, weights, bias, shift }: WholeLayer,
): void {
  const packed = new Int16Array(memory)
  for (let column = 0; column < columns; column++) {
    const panel = at + Math.floor(column / GROUP) * DEPTHWISE_PANEL
    const lane = column % GROUP
    packColumn(memory, panel, lane, bias[column]!, shift[column]!)
    for (let tap = 0; tap < TAPS; tap++)
      packed[(panel + PANEL_WEIGHTS) / 2 + (tap >> 1) * 2 * GROUP + 2 * lane + (tap & 1)] =
        weights[tap * columns + column]!
  }
}
