/**
 * The matrix products of the whole-number kernel beside TensorFlow.js on WebAssembly, on the layers of a run of one tile with
 * its halo, in turns: billions of products a second, one thread, the best of all turns; then the whole synthesis both ways.
 */
import * as tf from '@tensorflow/tfjs-core'
import { arenaFrom, takeDepthwise, takePanels } from '../codec/exact/kernel/packing'
import { depthwiseFunction } from '../codec/exact/kernel/depthwise'
import { MATRIX_ENDINGS } from '../codec/exact/kernel/endings'
import { matrixFunction, PAGE, runProduct, type MatrixCall } from '../codec/exact/kernel/matrix'
import { SHARED_BYTES, writeShared } from '../codec/exact/kernel/shared'
import { createWholeKernel } from '../codec/exact/kernel/whole-kernel'
import { wholeModelAt } from '../codec/exact/whole-synthesis'
import { QUARTER } from '../codec/folded'
import { synthesisAt, synthesizeWindow } from '../codec/transform'
import { LATENTS, type CodecConfig, type CodecWeights } from '../codec/weights'
import { makePrng } from '../lib/prng'
import { assembleModule } from '../lib/wasm-assembler'

/** Blocks along a side of a tile with the halo of the synthesis, and with that of the renderer. */
const REGION = 40
const WINDOW = 34
/** What a tile of a photograph has at quality 34: channels, the share of them that are not zero, as in eight photographs. */
const CHANNELS = 640
const SHARE = 0.13

interface Shape {
  readonly name: string
  readonly taps: 1 | 9
  /** 1 for a depthwise layer. */
  readonly rows: number
  readonly columns: number
  /** Along a side of the square. */
  readonly side: number
}

const shapesOf = (config: CodecConfig): Shape[] => {
  const { synthesisIn, synthesisWidth: width, renderFeatures, renderWidth } = config
  return [
    { name: 'analysis', taps: 1, rows: LATENTS, columns: LATENTS, side: WINDOW },
    { name: 'first', taps: 1, rows: synthesisIn, columns: width, side: REGION },
    { name: 'depthwise', taps: 9, rows: 1, columns: width, side: REGION },
    { name: 'expand', taps: 1, rows: width, columns: 2 * width, side: REGION },
    { name: 'project', taps: 1, rows: 2 * width, columns: width, side: REGION },
    { name: 'features', taps: 1, rows: width, columns: 16 * renderFeatures, side: WINDOW },
    { name: 'render', taps: 9, rows: QUARTER + renderFeatures, columns: renderWidth, side: 4 * WINDOW },
    { name: 'finish', taps: 1, rows: renderWidth, columns: QUARTER, side: 4 * WINDOW },
  ]
}

/** One layer over a square of zeros with a border, row by row. */
async function kernelLayer({ taps, rows, columns, side }: Shape): Promise<() => void> {
  const { clipped, window } = MATRIX_ENDINGS
  const functions = [matrixFunction('clipped', clipped), matrixFunction('window', window)]
  const isDepthwise = rows === 1
  const arena = arenaFrom(SHARED_BYTES)
  const limits = arena.take(64)
  const cellBytes = 2 * (isDepthwise ? columns : rows)
  const rowBytes = (side + 2) * cellBytes
  const panels = takePanels(arena, taps * rows, columns)
  const depthwise = takeDepthwise(arena, columns)
  const input = arena.take((side + 2) * rowBytes)
  const output = arena.take(2 * side * columns)
  const code = assembleModule([...functions, depthwiseFunction()], Math.ceil(arena.end / PAGE))
  const { instance } = await WebAssembly.instantiate(code)
  writeShared((instance.exports['memory'] as WebAssembly.Memory).buffer)
  const calls = instance.exports as unknown as Record<'clipped' | 'window' | 'depthwise', MatrixCall>
  const job = { panels, positions: side, inputStride: cellBytes, output, outputStride: 2 * columns }
  const inputBytes = (taps === 9 ? 3 : 1) * cellBytes
  return () => {
    for (let y = 0; y < side; y++) {
      const at = input + y * rowBytes
      if (isDepthwise) calls.depthwise(at, rowBytes, cellBytes, depthwise, output, side, limits)
      else if (taps === 1) runProduct(calls.clipped, { ...job, input: at, inputBytes }, limits)
      else runProduct(calls.window, { ...job, input: at, inputBytes, segmentStride: rowBytes }, limits)
    }
  }
}

function tensorLayer({ taps, rows, columns, side }: Shape): () => void {
  const isDepthwise = rows === 1
  const kernel = taps === 9 ? 3 : 1
  const x = tf.zeros<tf.Rank.R4>([1, side, side, isDepthwise ? columns : rows])
  const filter = tf.zeros<tf.Rank.R4>(
    isDepthwise ? [kernel, kernel, columns, 1] : [kernel, kernel, rows, columns],
  )
  const options = { x, filter, strides: 1, pad: 'same', bias: tf.zeros([columns]) } as const
  return () => {
    ;(isDepthwise ? tf.fused.depthwiseConv2d(options) : tf.fused.conv2d(options)).dispose()
  }
}

/** The shortest of so many turns of each, in milliseconds. */
async function bestMs(works: readonly (() => unknown)[], turns: number): Promise<number[]> {
  const best = works.map(() => Infinity)
  for (let turn = 0; turn < turns; turn++)
    for (const [i, work] of works.entries()) {
      const startMs = performance.now()
      await work()
      best[i] = Math.min(best[i]!, performance.now() - startMs)
    }
  return best
}

export async function benchKernel(weights: CodecWeights, quality: number): Promise<string> {
  const lines = [
    '| layer | taps x inputs x outputs | positions | kernel, GMAC/s | TensorFlow.js, GMAC/s |',
    '|---|---|---|---|---|',
  ]
  for (const shape of shapesOf(weights.config)) {
    const { name, taps, rows, columns, side } = shape
    const products = taps * rows * columns * side * side
    const times = await bestMs([await kernelLayer(shape), tensorLayer(shape)], 30)
    const rates = times.map((ms) => (products / ms / 1e6).toFixed(1))
    lines.push(`| ${name} | ${taps} x ${rows} x ${columns} | ${side * side} | ${rates.join(' | ')} |`)
  }
  const whole = await createWholeKernel()
  if (whole === null) throw new Error('No WebAssembly SIMD here.')
  whole.use(wholeModelAt(weights, quality).synthesis)
  const transform = synthesisAt(weights, quality)
  const region = { width: REGION, height: REGION }
  const at = (REGION - WINDOW) / 2
  const window = { x: at, y: at, width: WINDOW, height: WINDOW }
  const random = makePrng(1)
  // More and more of them are silent.
  const symbols = Int16Array.from({ length: REGION * REGION * CHANNELS }, (_, i) =>
    random.nextFloat() < 2 * SHARE * (1 - (i % CHANNELS) / CHANNELS) ? 16 : 0,
  )
  const seen = Math.min(CHANNELS, weights.config.synthesisIn)
  const seenSymbols = tf.zeros<tf.Rank.R4>([1, REGION, REGION, seen])
  const windowSymbols = tf.zeros<tf.Rank.R4>([1, WINDOW, WINDOW, CHANNELS])
  const [byKernel, byTensors] = await bestMs(
    [
      () => whole.restore(symbols, region, window, 'full'),
      () => {
        const quarters = synthesizeWindow(transform, seenSymbols, windowSymbols, window)
        quarters.dataSync()
        quarters.dispose()
      },
    ],
    15,
  )
  transform.dispose()
  lines.push(
    '',
    `One tile of ${CHANNELS} channels: ${byKernel!.toFixed(1)} ms in whole numbers by the kernel, ` +
      `${byTensors!.toFixed(1)} ms in float32 by TensorFlow.js.`,
  )
  return lines.join('\n')
}
