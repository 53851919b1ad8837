/**
 * The synthesis in whole numbers on WebAssembly SIMD: eight products an instruction, where float32 has four. Weights of one
 * quality are packed once; a run goes row by row through each layer, and of the wide layers in the blocks only one row is
 * ever kept. What lies in memory has channels in multiples of eight, and a border of zeros where windows reach out.
 */
import { assembleModule } from '../../../lib/wasm-assembler'
import type { BlockRegion } from '../../blocks'
import { QUARTER } from '../../folded'
import { LATENTS } from '../../weights'
import type { WholeMachine } from '../layers'
import { depthwiseFunction } from './depthwise'
import { LISTED_ENDINGS, MATRIX_ENDINGS } from './endings'
import { listBytes, listCount, listedFunction, listFunction } from './listed'
import { matrixFunction, runProduct, type MatrixCall, type Panels } from './matrix'
import { packSynthesis, reserve, SIDE, type PackedSynthesis } from './packed-synthesis'
import { arenaFrom, type Arena } from './packing'
import { writeShared } from './shared'

const CHANNEL_UNIT = 64
const PIXEL_BYTES = 2 * QUARTER
/** 256 MiB: a run of 66 x 66 blocks takes 28. */
const MOST_PAGES = 4096

type Calls = Record<
  keyof typeof MATRIX_ENDINGS | keyof typeof LISTED_ENDINGS | 'depthwise' | 'list',
  MatrixCall
>

interface Size {
  readonly width: number
  readonly height: number
}

/** null where the platform has no WebAssembly SIMD. */
export async function createWholeKernel(): Promise<WholeMachine | null> {
  const functions = [
    ...Object.entries(MATRIX_ENDINGS).map(([name, ending]) => matrixFunction(name, ending)),
    ...Object.entries(LISTED_ENDINGS).map(([name, ending]) => listedFunction(name, ending)),
    ...[depthwiseFunction(), listFunction()],
  ]
  const code = assembleModule(functions, 1, MOST_PAGES)
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) return null
  const { instance } = await WebAssembly.instantiate(code)
  const calls = instance.exports as unknown as Calls
  const memory = instance.exports['memory'] as WebAssembly.Memory
  writeShared(memory.buffer)
  let packed: PackedSynthesis | null = null

  return {
    use(synthesis) {
      if (packed?.synthesis === synthesis) return
      packed = null
      packed = packSynthesis(memory, synthesis, MOST_PAGES)
    },

    async restore(symbols, region, window, detail) {
      if (packed === null) throw new Error('The kernel has no layers yet.')
      const channels = channelsOf(symbols, region, window, detail)
      const run = layOut(memory, packed, region, window, channels, detail)
      new Int16Array(memory.buffer, run.symbols.start, symbols.length).set(symbols)
      if (detail === 'full') clearBorders(memory, run)
      restoreLinear(calls, packed, run, window, detail)
      if (detail === 'full') restoreDetail(calls, packed, run, region, window)
      const count = (run.pixels.end - run.pixels.start) / 2
      return Promise.resolve(new Int16Array(memory.buffer, run.pixels.start, count).slice())
    },

    dispose() {
      packed = null
    },
  }
}

/** How many channels the symbols of a sound run have. */
function channelsOf(
  symbols: Int16Array,
  region: Size,
  window: BlockRegion,
  detail: 'full' | 'quick',
): number {
  const { x, y, width, height } = window
  const isWhole = [x, y, width, height, region.width, region.height].every(Number.isInteger)
  if (!isWhole || width < 1 || height < 1) throw new RangeError('Sizes of a run are whole numbers above 0.')
  if (x < 0 || y < 0 || x + width > region.width || y + height > region.height)
    throw new RangeError('The window is not within its region.')
  if (detail === 'quick' && (width !== region.width || height !== region.height))
    throw new RangeError('The linear part has no halo.')
  const channels = symbols.length / (region.width * region.height)
  if (!Number.isInteger(channels / CHANNEL_UNIT) || channels < 1 || channels > LATENTS)
    throw new RangeError(`Symbols have a multiple of ${CHANNEL_UNIT} channels, at most ${LATENTS}.`)
  return channels
}

/** Cells of a grid, with a border of so many around. */
interface Plane {
  readonly start: number
  readonly end: number
  readonly cellBytes: number
  readonly rowBytes: number
  at(x: number, y: number): number
}

function takePlane(arena: Arena, { width, height }: Size, cellBytes: number, border = 0): Plane {
  const rowBytes = (width + 2 * border) * cellBytes
  const bytes = (height + 2 * border) * rowBytes
  const start = arena.take(bytes)
  return {
    ...{ start, end: start + bytes, cellBytes, rowBytes },
    at: (x, y) => start + (y + border) * rowBytes + (x + border) * cellBytes,
  }
}

/** Where the activations of a run lie. Those of the last four are rows. */
interface RunLayout {
  readonly symbols: Plane
  readonly pixels: Plane
  readonly quarters: Plane
  readonly trunks: readonly [Plane, Plane]
  readonly spread: number
  readonly wide: number
  readonly drawn: number
  readonly lists: number
  readonly listBytes: number
}

function layOut(
  memory: WebAssembly.Memory,
  { end, blocks, trunkBytes, quarterBytes, drawnBytes }: PackedSynthesis,
  region: Size,
  { width, height }: Size,
  channels: number,
  detail: 'full' | 'quick',
): RunLayout {
  const arena = arenaFrom(end)
  const isQuick = detail === 'quick'
  const none = { width: 0, height: 0 }
  const inQuarters = { width: SIDE * width, height: SIDE * height }
  const trunk = (): Plane => takePlane(arena, isQuick ? none : region, trunkBytes, 1)
  const layout = {
    symbols: takePlane(arena, region, 2 * channels),
    pixels: takePlane(arena, inQuarters, PIXEL_BYTES),
    quarters: takePlane(arena, isQuick ? none : inQuarters, quarterBytes, 1),
    trunks: [trunk(), trunk()] as const,
    spread: arena.take(region.width * trunkBytes),
    wide: arena.take(region.width * Math.max(0, ...blocks.map(({ wideBytes }) => wideBytes))),
    drawn: arena.take(inQuarters.width * drawnBytes),
    lists: arena.take(listCount(region.width) * listBytes(channels)),
    listBytes: listBytes(channels),
  }
  reserve(memory, arena.end, MOST_PAGES)
  return layout
}

/** Visits the quarters of a row of blocks: `x` and `y` are the first one's, and the others follow four by four. */
function eachQuarter(
  parts: readonly Panels[],
  row: number,
  visit: (panels: Panels, x: number, y: number) => void,
): void {
  for (let part = 0; part < parts.length; part++)
    visit(parts[part]!, part % SIDE, SIDE * row + Math.floor(part / SIDE))
}

/** Lists a row of symbols, of which the first `bytes` count. */
function listRow(
  calls: Calls,
  { symbols, lists, listBytes }: RunLayout,
  [x, y]: readonly [number, number],
  positions: number,
  bytes: number,
): void {
  calls.list(symbols.at(x, y), symbols.cellBytes, bytes, positions, lists, listBytes)
}

/** The linear part: grey levels, or pixels where the renderer works on. */
function restoreLinear(
  calls: Calls,
  { linear, quarterBytes }: PackedSynthesis,
  run: RunLayout,
  window: BlockRegion,
  detail: 'full' | 'quick',
): void {
  const { symbols, pixels, quarters } = run
  const outputStride = SIDE * PIXEL_BYTES
  const positions = window.width
  for (let row = 0; row < window.height; row++) {
    listRow(calls, run, [window.x, window.y + row], positions, symbols.cellBytes)
    eachQuarter(linear, row, (panels, x, y) => {
      const output = pixels.at(x, y)
      const job = { panels, positions, input: run.lists, inputStride: run.listBytes, output, outputStride }
      if (detail === 'quick') runProduct(calls.greys, job)
      else runProduct(calls.pixels, job, quarters.at(x, y), SIDE * quarterBytes)
    })
  }
}

/** Borders are zero; whatever else is read is written before. */
function clearBorders({ buffer }: WebAssembly.Memory, { quarters, spread }: RunLayout): void {
  new Uint8Array(buffer, quarters.start, spread - quarters.start).fill(0)
}

/** What the networks add to the linear part. */
function restoreDetail(
  calls: Calls,
  packed: PackedSynthesis,
  run: RunLayout,
  region: Size,
  window: BlockRegion,
): void {
  const { quarters } = run
  const { quarterBytes, limits } = packed
  const trunk = restoreTrunk(calls, packed, run, region, window)
  const { cellBytes } = trunk
  const outputStride = SIDE * quarterBytes
  for (let row = 0; row < window.height; row++)
    eachQuarter(packed.features, row, (panels, x, y) => {
      const from = {
        input: trunk.at(window.x, window.y + row),
        inputStride: cellBytes,
        inputBytes: cellBytes,
      }
      const output = quarters.at(x, y) + PIXEL_BYTES
      runProduct(calls.clipped, { panels, positions: window.width, ...from, output, outputStride }, limits)
    })
  render(calls, packed, run, window)
}

/** What the blocks leave, where the window needs it. */
function restoreTrunk(
  calls: Calls,
  packed: PackedSynthesis,
  run: RunLayout,
  region: Size,
  window: BlockRegion,
): Plane {
  const { symbols, trunks, spread, wide } = run
  const { trunkBytes, limits, positive } = packed
  const count = packed.blocks.length
  let [trunk, next] = trunks
  eachRow(region, window, count, (x, y, positions) => {
    listRow(calls, run, [x, y], positions, Math.min(symbols.cellBytes, 2 * packed.synthesis.first.rows))
    const output = trunk.at(x, y)
    const listed = { input: run.lists, inputStride: run.listBytes }
    const job = { panels: packed.first, positions, ...listed, output, outputStride: trunkBytes }
    runProduct(calls.first, job, positive)
  })
  packed.blocks.forEach(({ depthwise, expand, project, wideBytes }, n) => {
    const fromSpread = { input: spread, inputStride: trunkBytes, inputBytes: trunkBytes }
    const fromWide = { input: wide, inputStride: wideBytes, inputBytes: wideBytes }
    eachRow(region, window, count - 1 - n, (x, y, positions) => {
      const corner = trunk.at(x - 1, y - 1)
      calls.depthwise(corner, trunk.rowBytes, trunkBytes, depthwise, spread, positions, limits)
      const expanded = { panels: expand, positions, ...fromSpread, output: wide, outputStride: wideBytes }
      runProduct(calls.clipped, expanded, positive)
      const output = next.at(x, y)
      const projected = { panels: project, positions, ...fromWide, output, outputStride: trunkBytes }
      runProduct(calls.added, projected, limits, trunk.at(x, y) - output)
    })
    ;[trunk, next] = [next, trunk]
  })
  return trunk
}

/** Draws upon the pixels, and makes them grey levels. */
function render(
  calls: Calls,
  { render: panels, finish, quarterBytes, drawnBytes, positive }: PackedSynthesis,
  { quarters, pixels, drawn }: RunLayout,
  { width, height }: Size,
): void {
  const positions = SIDE * width
  const fromQuarters = {
    ...{ inputStride: quarterBytes, inputBytes: 3 * quarterBytes, segmentStride: quarters.rowBytes },
  }
  const fromDrawn = { input: drawn, inputStride: drawnBytes, inputBytes: drawnBytes }
  for (let y = 0; y < SIDE * height; y++) {
    const input = quarters.at(-1, y - 1)
    const drawing = { panels, positions, input, ...fromQuarters, output: drawn, outputStride: drawnBytes }
    runProduct(calls.window, drawing, positive)
    const output = pixels.at(0, y)
    runProduct(calls.finished, { panels: finish, positions, ...fromDrawn, output, outputStride: PIXEL_BYTES })
  }
}

/** Rows of the region that lie in the window or at most `reach` beyond. */
function eachRow(
  region: Size,
  window: BlockRegion,
  reach: number,
  visit: (x: number, y: number, positions: number) => void,
): void {
  const x0 = Math.max(0, window.x - reach)
  const x1 = Math.min(region.width, window.x + window.width + reach)
  const y1 = Math.min(region.height, window.y + window.height + reach)
  for (let y = Math.max(0, window.y - reach); y < y1; y++) visit(x0, y, x1 - x0)
}
