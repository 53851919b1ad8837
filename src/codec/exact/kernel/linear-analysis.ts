/**
 * The linear part of the analysis on the kernel's matrix products. Pixels are whole numbers; weights are rounded to int16,
 * by column as finely as an int32 sum of any pixels allows, and y is the sum times the column's scale. Encoding need not
 * give the same bits on every device, so nothing here is part of a format.
 */
import { assembleModule } from '../../../lib/wasm-assembler'
import { LATENTS } from '../../weights'
import { SCALED } from './endings'
import { matrixFunction, PANEL_SCALE, PANEL_WEIGHTS, runProduct, GROUP, type MatrixCall } from './matrix'
import { reserve } from './packed-synthesis'
import { arenaFrom, takePanels } from './packing'

/** Pixels are 8-bit values less 128. */
const PIXEL_REACH = 128
/** Blocks whose pixels stay in the second cache while all columns go by. */
const CHUNK = 64
const COLOURS = 3
/** 128 MiB. */
const MOST_PAGES = 2048

export interface LinearAnalysis {
  /** Takes over analysis_linear [768 pixels, 768] of a quality, steps folded; cheap where it is that of the last call. */
  use(linear: Float32Array): void
  /** Pixel blocks [positions, 768], 8-bit values less 128 -> symbols before rounding [positions, 768], the caller's own. */
  analyze(blocks: Int16Array): Float32Array
}

/** null where the platform has no WebAssembly SIMD. */
export async function createLinearAnalysis(): Promise<LinearAnalysis | null> {
  const code = assembleModule([matrixFunction('scaled', SCALED)], 1, MOST_PAGES)
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) return null
  const { instance } = await WebAssembly.instantiate(code)
  const call = instance.exports['scaled'] as MatrixCall
  const memory = instance.exports['memory'] as WebAssembly.Memory
  const arena = arenaFrom(0)
  const panels = takePanels(arena, LATENTS, LATENTS)
  let packed: Float32Array | null = null

  return {
    use(linear) {
      if (packed === linear) return
      if (linear.length !== LATENTS * LATENTS) throw new RangeError('The analysis is not 768 x 768.')
      packColumns(reserve(memory, arena.end, MOST_PAGES), panels.at, panels.bytes, linear)
      packed = linear
    },

    analyze(blocks) {
      if (packed === null) throw new Error('The analysis has no weights yet.')
      const count = blocks.length / LATENTS
      if (!Number.isInteger(count)) throw new RangeError('Blocks have 768 values.')
      const run = arenaFrom(arena.end)
      const [input, output] = [run.take(blocks.byteLength), run.take(2 * blocks.byteLength)]
      const buffer = reserve(memory, run.end, MOST_PAGES)
      new Int16Array(buffer, input, blocks.length).set(blocks)
      const [inputStride, outputStride] = [2 * LATENTS, 4 * LATENTS]
      for (let from = 0; from < count; from += CHUNK)
        runProduct(call, {
          ...{ panels, positions: Math.min(CHUNK, count - from) },
          ...{ input: input + from * inputStride, inputStride, inputBytes: inputStride },
          ...{ output: output + from * outputStride, outputStride },
        })
      return new Float32Array(buffer, output, blocks.length).slice()
    },
  }
}

/**
 * Whole weights of every column. What rounding takes from a weight is left to the next pixel of that colour: pixels change
 * slowly, and so a picture hardly sees it.
 */
function packColumns(memory: ArrayBuffer, at: number, panelBytes: number, linear: Float32Array): void {
  const weights = new Int16Array(memory)
  const left = new Float64Array(COLOURS)
  for (let column = 0; column < LATENTS; column++) {
    let [sum, most] = [0, 0]
    for (let row = 0; row < LATENTS; row++) {
      const weight = Math.abs(linear[row * LATENTS + column]!)
      sum += weight
      most = Math.max(most, weight)
    }
    // Rounding moves no weight by more than one.
    const unit = Math.max(sum / (2 ** 31 / PIXEL_REACH - 2 * LATENTS), most / 32766, 2 ** -100)
    const panel = at + Math.floor(column / GROUP) * panelBytes
    const lane = column % GROUP
    new Int32Array(memory, panel)[lane] = 0
    new Float32Array(memory, panel + PANEL_SCALE)[lane] = unit
    const first = (panel + PANEL_WEIGHTS) / 2 + 2 * lane
    left.fill(0)
    for (let row = 0; row < LATENTS; row++) {
      const exact = linear[row * LATENTS + column]! / unit + left[row % COLOURS]!
      const weight = Math.round(exact)
      left[row % COLOURS] = exact - weight
      weights[first + (row >> 1) * 2 * GROUP + (row & 1)] = weight
    }
  }
}
