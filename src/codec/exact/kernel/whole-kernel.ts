/**
 * The synthesis in whole numbers on WebAssembly SIMD: eight products an instruction, where float32 has four. Weights of one
 * quality are packed once; a run goes row by row through each layer, and of the wide layers in the blocks only one row is
 * ever kept. What lies in memory has channels in multiples of eight, and a border of zeros where windows reach out.
 */
import { assembleModule } from '../../../lib/wasm-assembler'
import type { BlockRegion } from '../../blocks'
import { LATENTS } from '../../weights'
import { FINE_CHANNELS, type WholeLayer, type WholeMachine, type WholeSynthesis } from '../layers'
import { depthwiseFunction } from './depthwise'
import { LIMITS_BYTES, SYNTHESIS_ENDINGS } from './endings'
import { matrixArguments, matrixFunction, PAGE, rounded, type MatrixJob } from './matrix'
import {
  arenaFrom,
  packDepthwise,
  packPanels,
  takeDepthwise,
  takePanels,
  type Arena,
  type Panels,
} from './packing'
import { SHARED_BYTES, writeShared } from './shared'

/** Pixels of a quarter, in three colours. */
const QUARTER = 48
/** Quarters along a side of a block. */
const SIDE = 4
const CHANNEL_UNIT = 64
/** 256 MiB: a run of 100 x 100 blocks takes 60. */
const MOST_PAGES = 4096

type Call = (...given: number[]) => number
type Calls = Record<keyof typeof SYNTHESIS_ENDINGS | 'depthwise', Call>

interface PackedBlock {
  readonly depthwise: number
  readonly expand: Panels
  readonly project: Panels
  readonly wideBytes: number
}

/** Where the weights of a quality lie, and the bytes of a position in each activation. */
interface Packed {
  readonly synthesis: WholeSynthesis
  readonly linear: Panels
  readonly first: Panels
  readonly blocks: readonly PackedBlock[]
  readonly features: Panels
  readonly render: Panels
  readonly finish: Panels
  /** Limits of activations, and of those after a ReLU. */
  readonly limits: number
  readonly positive: number
  readonly trunkBytes: number
  /** Pixels as the renderer sees them, and features. */
  readonly quarterBytes: number
  readonly drawnBytes: number
  readonly end: number
}

/** Rows and columns [x0, x1) x [y0, y1) of a region. */
interface Span {
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
}

/** null where the platform has no WebAssembly SIMD. */
export async function createWholeKernel(): Promise<WholeMachine | null> {
  const functions = Object.entries(SYNTHESIS_ENDINGS).map(([name, ending]) => matrixFunction(name, ending))
  const code = assembleModule([...functions, depthwiseFunction()], 1, MOST_PAGES)
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) return null
  const { instance } = await WebAssembly.instantiate(code)
  const calls = instance.exports as unknown as Calls
  const memory = instance.exports['memory'] as WebAssembly.Memory
  writeShared(memory.buffer)
  let packed: Packed | null = null

  return {
    use(synthesis) {
      if (packed?.synthesis === synthesis) return
      packed = null
      packed = pack(memory, synthesis)
    },

    restore(symbols, region, window, detail) {
      if (packed === null) throw new Error('The kernel has no layers yet.')
      const run = { symbols, region, window, channels: checkRun(symbols, region, window, detail) }
      return Promise.resolve(
        detail === 'quick'
          ? restoreLinear(memory, calls, packed, run)
          : restoreAll(memory, calls, packed, run),
      )
    },

    dispose() {
      packed = null
    },
  }
}

interface RunOf {
  readonly symbols: Int16Array
  readonly region: { readonly width: number; readonly height: number }
  readonly window: BlockRegion
  readonly channels: number
}

/** The channels of the symbols. */
function checkRun(
  symbols: Int16Array,
  region: RunOf['region'],
  window: BlockRegion,
  detail: 'full' | 'quick',
): number {
  const sizes = [region.width, region.height, window.width, window.height]
  if (!sizes.every((size) => Number.isInteger(size) && size > 0))
    throw new RangeError('Sizes of a run are whole numbers above 0.')
  const { x, y, width, height } = window
  const isInside = x >= 0 && y >= 0 && x + width <= region.width && y + height <= region.height
  if (!Number.isInteger(x) || !Number.isInteger(y) || !isInside)
    throw new RangeError('The window is not within its region.')
  if (detail === 'quick' && (width !== region.width || height !== region.height))
    throw new RangeError('The linear part has no halo.')
  const channels = symbols.length / (region.width * region.height)
  if (!Number.isInteger(channels / CHANNEL_UNIT) || channels < 1 || channels > LATENTS)
    throw new RangeError(`Symbols have a multiple of ${CHANNEL_UNIT} channels, at most ${LATENTS}.`)
  return channels
}

/** Makes the memory at least so large. */
function reserve(memory: WebAssembly.Memory, bytes: number): ArrayBuffer {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE)
  if (bytes > MOST_PAGES * PAGE) throw new RangeError('The run is too large.')
  if (missing > 0) memory.grow(missing)
  return memory.buffer
}

function checkShape(layer: { columns: number; rows: number }, rows: number, columns: number): void {
  if (layer.rows !== rows || layer.columns !== columns)
    throw new RangeError('The layers do not fit together.')
}

function pack(memory: WebAssembly.Memory, synthesis: WholeSynthesis): Packed {
  const { most, linear, linearFiner, first, features, renderPixels, renderFeatures, finish } = synthesis
  const trunk = first.columns
  const seen = renderFeatures.rows
  const drawn = renderPixels.columns
  checkShape(linear, LATENTS, LATENTS)
  checkShape(linearFiner, FINE_CHANNELS, LATENTS)
  checkShape(features, trunk, SIDE * SIDE * seen)
  checkShape(renderPixels, QUARTER, drawn)
  checkShape(renderFeatures, seen, drawn)
  checkShape(finish, drawn, QUARTER)
  const quarter = QUARTER + rounded(seen)

  const arena = arenaFrom(SHARED_BYTES)
  const [limits, positive] = [arena.take(LIMITS_BYTES), arena.take(LIMITS_BYTES)]
  const jobs: ((memory: ArrayBuffer) => void)[] = []
  const layer = (of: WholeLayer): Panels => {
    const at = takePanels(arena, of.rows, of.columns)
    jobs.push((to) => packPanels(to, at, of, [{ filter: of, from: 0, count: of.rows, to: 0 }]))
    return at
  }
  const linearAt = takePanels(arena, FINE_CHANNELS + LATENTS, LATENTS)
  jobs.push((to) =>
    packPanels(to, linearAt, linear, [
      { filter: linearFiner, from: 0, count: FINE_CHANNELS, to: 0 },
      { filter: linear, from: 0, count: LATENTS, to: FINE_CHANNELS },
    ]),
  )
  const blocks = synthesis.blocks.map(({ depthwise, expand, project }): PackedBlock => {
    checkShape(depthwise, 1, trunk)
    checkShape(expand, trunk, expand.columns)
    checkShape(project, expand.columns, trunk)
    const at = takeDepthwise(arena, trunk)
    jobs.push((to) => packDepthwise(to, at, depthwise))
    const wideBytes = 2 * rounded(expand.columns)
    return { depthwise: at, expand: layer(expand), project: layer(project), wideBytes }
  })
  const firstAt = layer(first)
  const featuresAt = takePanels(arena, trunk, features.columns, SIDE * SIDE)
  jobs.push((to) => {
    const rows = { filter: features, from: 0, count: trunk, to: 0 }
    packPanels(to, featuresAt, features, [rows], SIDE * SIDE)
  })
  const renderAt = takePanels(arena, 9 * quarter, drawn)
  jobs.push((to) => {
    const taps = Array.from({ length: 9 }, (_, tap) => [
      { filter: renderPixels, from: tap * QUARTER, count: QUARTER, to: tap * quarter },
      { filter: renderFeatures, from: tap * seen, count: seen, to: tap * quarter + QUARTER },
    ])
    packPanels(to, renderAt, renderPixels, taps.flat())
  })
  const finishAt = layer(finish)

  const buffer = reserve(memory, arena.end)
  new Uint8Array(buffer, SHARED_BYTES, arena.end - SHARED_BYTES).fill(0)
  for (const [at, least] of [
    [limits, -most],
    [positive, 0],
  ] as const) {
    new Int16Array(buffer, at, 8).fill(least)
    new Int16Array(buffer, at + 16, 8).fill(most)
  }
  for (const job of jobs) job(buffer)
  return {
    ...{ synthesis, linear: linearAt, first: firstAt, blocks, features: featuresAt },
    ...{ render: renderAt, finish: finishAt, limits, positive },
    ...{ trunkBytes: 2 * rounded(trunk) },
    ...{ quarterBytes: 2 * quarter, drawnBytes: 2 * rounded(drawn), end: arena.end },
  }
}

/** Calls one product for each of the quarters of a row of blocks: `of` gives its outputs by quarter. */
function eachQuarter(panels: Panels, visit: (part: Panels, row: number, column: number) => void): void {
  const groups = panels.groups / (SIDE * SIDE)
  for (let part = 0; part < SIDE * SIDE; part++)
    visit(
      { ...panels, panels: panels.panels + part * groups * panels.panelBytes, groups },
      Math.floor(part / SIDE),
      part % SIDE,
    )
}

function restoreLinear(
  memory: WebAssembly.Memory,
  calls: Calls,
  { linear, end }: Packed,
  { symbols, channels, window: { width, height } }: RunOf,
): Int16Array {
  const arena = arenaFrom(end)
  const input = arena.take(symbols.byteLength)
  const pixelBytes = 2 * QUARTER
  const pixels = arena.take(SIDE * SIDE * width * height * pixelBytes)
  const buffer = reserve(memory, arena.end)
  new Int16Array(buffer, input, symbols.length).set(symbols)
  for (let y = 0; y < height; y++)
    eachQuarter(linear, (panels, row, column) => {
      const out = pixels + ((SIDE * y + row) * SIDE * width + column) * pixelBytes
      calls.greys(
        ...matrixArguments({
          ...panels,
          ...{ input: input + 2 * channels * y * width, inputStride: 2 * channels, inputBytes: 2 * channels },
          ...{ positions: width, outputs: [[out, SIDE * pixelBytes]] },
        }),
      )
    })
  return new Int16Array(buffer, pixels, SIDE * SIDE * width * height * QUARTER)
}

function restoreAll(memory: WebAssembly.Memory, calls: Calls, packed: Packed, run: RunOf): Int16Array {
  const { symbols, region, window, channels } = run
  const { trunkBytes, quarterBytes, drawnBytes, limits, positive } = packed
  const { width, height } = window
  const arena = arenaFrom(packed.end)
  const input = arena.take(symbols.byteLength)
  const pixels = takePlane(arena, SIDE * width, SIDE * height, 2 * QUARTER, 0)
  const quarters = takePlane(arena, SIDE * width, SIDE * height, quarterBytes, 1)
  const trunks = [0, 1].map(() => takePlane(arena, region.width, region.height, trunkBytes, 1))
  const spread = arena.take(region.width * trunkBytes)
  const wide = arena.take(region.width * Math.max(0, ...packed.blocks.map(({ wideBytes }) => wideBytes)))
  const drawn = arena.take(SIDE * width * drawnBytes)
  const buffer = reserve(memory, arena.end)
  new Int16Array(buffer, input, symbols.length).set(symbols)
  // Borders are zero; whatever else is read is written before.
  new Uint8Array(buffer, quarters.start, spread - quarters.start).fill(0)

  const symbolBytes = 2 * channels
  const symbolsAt = (x: number, y: number): number => input + (y * region.width + x) * symbolBytes
  for (let y = 0; y < height; y++)
    eachQuarter(packed.linear, (panels, row, column) => {
      const at = [column, SIDE * y + row] as const
      calls.pixels(
        ...matrixArguments({
          ...panels,
          ...{ input: symbolsAt(window.x, window.y + y), inputStride: symbolBytes, inputBytes: symbolBytes },
          positions: width,
          outputs: [
            [pixels.at(...at), SIDE * pixels.cellBytes],
            [quarters.at(...at), SIDE * quarterBytes],
          ],
        }),
      )
    })

  const seen = 2 * Math.min(channels, packed.synthesis.first.rows)
  const needed = spansOf(region, window, packed.blocks.length)
  let [trunk, next] = [trunks[0]!, trunks[1]!]
  rowsOf(needed[0]!, (y, x, positions) => {
    calls.clipped(
      ...matrixArguments({
        ...packed.first,
        ...{ input: symbolsAt(x, y), inputStride: symbolBytes, inputBytes: seen },
        ...{ positions, outputs: [[trunk.at(x, y), trunkBytes]] },
      }),
      positive,
    )
  })
  for (const [n, { depthwise, expand, project, wideBytes }] of packed.blocks.entries()) {
    rowsOf(needed[n + 1]!, (y, x, positions) => {
      const corner = trunk.at(x - 1, y - 1)
      calls.depthwise(corner, trunk.rowBytes, trunkBytes, depthwise, spread, positions, limits)
      const toWide = { input: spread, inputStride: trunkBytes, inputBytes: trunkBytes }
      const wideJob: MatrixJob = { ...expand, ...toWide, positions, outputs: [[wide, wideBytes]] }
      calls.clipped(...matrixArguments(wideJob), positive)
      const out = next.at(x, y)
      const toTrunk = { input: wide, inputStride: wideBytes, inputBytes: wideBytes }
      const trunkJob: MatrixJob = { ...project, ...toTrunk, positions, outputs: [[out, trunkBytes]] }
      calls.added(...matrixArguments(trunkJob), limits, trunk.at(x, y) - out)
    })
    const before = trunk
    ;[trunk, next] = [next, before]
  }

  for (let y = 0; y < height; y++)
    eachQuarter(packed.features, (panels, row, column) => {
      const out = quarters.at(column, SIDE * y + row) + 2 * QUARTER
      calls.clipped(
        ...matrixArguments({
          ...panels,
          ...{ input: trunk.at(window.x, window.y + y), inputStride: trunkBytes, inputBytes: trunkBytes },
          ...{ positions: width, outputs: [[out, SIDE * quarterBytes]] },
        }),
        limits,
      )
    })
  for (let y = 0; y < SIDE * height; y++) {
    const positions = SIDE * width
    calls.window(
      ...matrixArguments({
        ...packed.render,
        ...{ input: quarters.at(-1, y - 1), inputStride: quarterBytes, inputBytes: 3 * quarterBytes },
        segmentStride: quarters.rowBytes,
        ...{ positions, outputs: [[drawn, drawnBytes]] },
      }),
      positive,
    )
    calls.finished(
      ...matrixArguments({
        ...packed.finish,
        ...{ input: drawn, inputStride: drawnBytes, inputBytes: drawnBytes },
        ...{ positions, outputs: [[pixels.at(0, y), pixels.cellBytes]] },
      }),
    )
  }
  return new Int16Array(buffer, pixels.start, SIDE * SIDE * width * height * QUARTER)
}

/** Cells of a grid, with a border of so many around. */
interface Plane {
  readonly start: number
  readonly cellBytes: number
  readonly rowBytes: number
  at(x: number, y: number): number
}

function takePlane(arena: Arena, width: number, height: number, cellBytes: number, border: number): Plane {
  const rowBytes = (width + 2 * border) * cellBytes
  const start = arena.take((height + 2 * border) * rowBytes)
  return {
    ...{ start, cellBytes, rowBytes },
    at: (x, y) => start + (y + border) * rowBytes + (x + border) * cellBytes,
  }
}

/** What of a region is needed after the first layer and after every block: the window and one more for each that follows. */
function spansOf(region: RunOf['region'], window: BlockRegion, blocks: number): Span[] {
  return Array.from({ length: blocks + 1 }, (_, n) => ({
    x0: Math.max(0, window.x - blocks + n),
    y0: Math.max(0, window.y - blocks + n),
    x1: Math.min(region.width, window.x + window.width + blocks - n),
    y1: Math.min(region.height, window.y + window.height + blocks - n),
  }))
}

function rowsOf({ x0, y0, x1, y1 }: Span, visit: (y: number, x: number, positions: number) => void): void {
  for (let y = y0; y < y1; y++) visit(y, x0, x1 - x0)
}
