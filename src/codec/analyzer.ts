/** From pixels to symbols before rounding, region by region: by tensors, or the linear part alone by the whole-number kernel. */
import * as tf from '@tensorflow/tfjs-core'
import { release } from '../lib/release'
import { readBlocks, readBlocksInto, type BlockRegion } from './blocks'
import type { LinearAnalysis } from './exact/kernel/linear-analysis'
import { foldAnalysis } from './folded'
import { analysisAt, analyze, analyzeLinear, type AnalysisTransform } from './transform'
import type { Effort, RasterImage } from './types'
import { LATENTS, type CodecWeights } from './weights'

/** Symbols before rounding, by position: all channels, and a correction of the first ones that is still to be added. */
export interface Analysis {
  /** [positions, 768] */
  readonly linear: Float32Array
  /** [positions, channels that are corrected], empty where none are. */
  readonly correction: Float32Array
}

/** Analyzes pictures at one quality. */
export interface Analyzer {
  /** Reads the blocks of a region (readBlocks). What comes back analyzes them. */
  read(rows: RasterImage, firstRow: number, region: BlockRegion, effort: Effort): () => Promise<Analysis>
  dispose(): void
}

/** `kernel` stays the caller's. */
export function analyzerAt(weights: CodecWeights, quality: number, kernel: LinearAnalysis | null): Analyzer {
  let transform: AnalysisTransform | undefined
  let linearWeights: Float32Array | undefined

  function readForTensors(rows: RasterImage, firstRow: number, region: BlockRegion, effort: Effort) {
    const blocks = readBlocks(rows, firstRow, region)
    return async (): Promise<Analysis> => {
      const of = (transform ??= analysisAt(weights, quality))
      const tensors = tf.tidy(() => {
        const input = tf.tensor4d(blocks, [1, region.height, region.width, LATENTS])
        return effort === 'best' ? analyze(of, input) : [analyzeLinear(of, input)]
      })
      const [linear, correction = new Float32Array(0)] = await Promise.all(tensors.map(readBack))
      release(blocks)
      return { linear: linear!, correction }
    }
  }

  function readForKernel(linear: LinearAnalysis, rows: RasterImage, firstRow: number, region: BlockRegion) {
    const count = region.width * region.height * LATENTS
    const blocks = readBlocksInto(new Int16Array(count), rows, firstRow, region)
    return (): Promise<Analysis> => {
      linear.use((linearWeights ??= foldAnalysis(weights, quality).linear))
      const y = linear.analyze(blocks)
      release(blocks)
      return Promise.resolve({ linear: y, correction: new Float32Array(0) })
    }
  }

  return {
    read: (rows, firstRow, region, effort) =>
      kernel !== null && effort === 'fast'
        ? readForKernel(kernel, rows, firstRow, region)
        : readForTensors(rows, firstRow, region, effort),
    dispose: () => {
      transform?.dispose()
    },
  }
}

async function readBack(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return (await tensor.data()) as Float32Array
  } finally {
    tensor.dispose()
  }
}
