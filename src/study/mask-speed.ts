/** How fast the mask is on one thread, engine by engine and at the sizes of a thumbnail and of a photo. */
import { median } from '../lib/statistics'
import { tensorEngine } from '../diffusion/keystream-tensor'
import { referenceEngine } from '../diffusion/keystream-reference'
import { loadWasmEngine } from '../diffusion/keystream-wasm'
import { createMask, PROCESS_TORUS_AES, PROCESS_TORUS_NEURAL } from '../diffusion/mask'
import type { Mask } from '../diffusion/mask'
import { studyKeys } from './keystream-streams'

const SPEED_SIZES = [20_000, 3_000_000] as const
const RUNS = 5

export interface MaskSpeed {
  readonly engine: string
  readonly bytes: number
  readonly applyMs: number
  readonly removeMs: number
}

async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now()
    await work()
    times.push(performance.now() - start)
  }
  return median(times)
}

async function speedOf(engine: string, mask: Mask, bytes: number): Promise<MaskSpeed> {
  const keys = studyKeys(1)
  const masked = await mask.apply(keys, 1, new Uint8Array(bytes))
  await mask.remove(keys, 1, masked)
  return {
    engine,
    bytes,
    applyMs: await medianMs(() => mask.apply(keys, 1, new Uint8Array(bytes))),
    removeMs: await medianMs(() => mask.remove(keys, 1, masked)),
  }
}

/** The tensor engine runs on the TensorFlow.js backend that is set. */
export async function measureMaskSpeed(): Promise<MaskSpeed[]> {
  const simd = await loadWasmEngine()
  const masks: readonly (readonly [string, Mask])[] = [
    ...(simd === null
      ? []
      : [['WebAssembly SIMD', createMask(PROCESS_TORUS_NEURAL, { engine: simd })] as const]),
    ['TensorFlow.js', createMask(PROCESS_TORUS_NEURAL, { engine: tensorEngine })],
    ['plain TypeScript', createMask(PROCESS_TORUS_NEURAL, { engine: referenceEngine })],
    ['AES-256-CTR alone', createMask(PROCESS_TORUS_AES)],
  ]
  const speeds: MaskSpeed[] = []
  for (const [engine, mask] of masks)
    for (const bytes of SPEED_SIZES) speeds.push(await speedOf(engine, mask, bytes))
  return speeds
}
