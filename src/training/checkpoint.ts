/**
 * Checkpoints: everything a run needs to go on bit for bit.
 *
 *   bytes 0..3   length n of the description, u32 little-endian
 *   n bytes      JSON {config, step, tensors: [{name, shape}]}, padded with spaces to a multiple of 4
 *   the rest     float32 little-endian: all parameters, then Adam's first and second moments, then the running means
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { startOptimizer, type OptimizerState } from './optimizer'
import type { TrainConfig } from './train-config'

interface Description {
  readonly config: TrainConfig
  readonly step: number
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[]
}

/** Written beside its place and renamed, so that a kill leaves the old checkpoint or the new one. */
export function saveCheckpoint(file: string, config: TrainConfig, state: OptimizerState): void {
  const tensors = state.parameters.map(({ name, shape }) => ({ name, shape }))
  const description: Description = { config, step: state.step, tensors }
  const text = new TextEncoder().encode(JSON.stringify(description))
  const head = new Uint8Array(4 + 4 * Math.ceil(text.length / 4)).fill(0x20)
  new DataView(head.buffer).setUint32(0, head.length - 4, true)
  head.set(text, 4)
  const parts = [state.parameters.map((p) => p.values), state.first, state.second, state.mean].flat()
  const bytes = parts.map((p) => new Uint8Array(p.buffer, p.byteOffset, p.byteLength))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.tmp`, Buffer.concat([head, ...bytes]))
  renameSync(`${file}.tmp`, file)
}

/** null where there is no checkpoint; throws RangeError where it is cut short. */
export function loadCheckpoint(file: string): { config: TrainConfig; state: OptimizerState } | null {
  if (!existsSync(file)) return null
  const bytes = readFileSync(file)
  const length = bytes.readUInt32LE(0)
  const description = JSON.parse(bytes.subarray(4, 4 + length).toString()) as Description
  let at = 4 + length
  const read = (count: number): Float32Array => {
    if (at + 4 * count > bytes.length) throw new RangeError('The checkpoint is cut short.')
    const values = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 4 * count),
    )
    at += 4 * count
    return values
  }
  const sizes = description.tensors.map(({ shape }) => shape.reduce((a, b) => a * b, 1))
  const parameters = description.tensors.map((t, i) => ({ ...t, values: read(sizes[i]!) }))
  const [first, second, mean] = [sizes.map(read), sizes.map(read), sizes.map(read)]
  return {
    config: description.config,
    state: { ...startOptimizer(parameters), step: description.step, first, second, mean },
  }
}
