/** Writes parameters as a model that the product reads (src/model/base-model.ts): model.json, weights.bin, cdf.bin. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DRIFT_LEVELS } from '../codec/context-model'
import {
  driftRate,
  driftShifts,
  driftTable,
  laplaceMagnitudes,
  quantizeFrequencies,
  tableLength,
  tableScale,
  TABLES,
} from '../codec/entropy-tables'
import type { CodecConfig } from '../codec/weights'
import { concatBytes } from '../lib/bytes'
import { INTEGER_BITS, QUALITY_TABLES, type Parameter, type Parameters } from './parameters'

/** Integer tensors that are no parameters. */
const OTHER_BITS: Readonly<Record<string, number>> = {
  thresholds: INTEGER_BITS.scale_bias!,
  drift: 0,
  drift_shift: 0,
}

type Kind = 'float16' | 'float32' | 'int16' | 'int32'

/** `folder` is models/<name>; the tables are plain Laplace ones until fit-tables has refitted them. */
export function exportModel(folder: string, config: CodecConfig, parameters: Parameters): void {
  const entries = [...parameters, thresholds(), ...drifts(config)].map((p) => ({ ...p, ...encode(p) }))
  let offset = 0
  const parts: Uint8Array[] = []
  const tensors = entries.map(({ name, shape, kind, bytes }) => {
    const place = { name, type: kind, shape, offset }
    const padded = new Uint8Array(4 * Math.ceil(bytes.length / 4))
    padded.set(bytes)
    parts.push(padded)
    offset += padded.length
    return place
  })
  const tables = Array.from({ length: TABLES }, (_, i) =>
    quantizeFrequencies(laplaceMagnitudes(tableScale(i), tableLength(i))),
  )
  const description = {
    format: 'safelight-model',
    version: 1,
    name: basename(folder),
    config,
    tensors,
    tables: tables.map((t) => t.length),
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'model.json'), JSON.stringify(description, null, 1))
  writeFileSync(join(folder, 'weights.bin'), concatBytes(...parts))
  writeFileSync(
    join(folder, 'cdf.bin'),
    littleEndian(
      tables.flatMap((t) => [...t]),
      2,
    ),
  )
}

/** Context sums at which the next table begins: halfway between scales in the logarithm, before softplus. */
function thresholds(): Parameter {
  const edges = Array.from(
    { length: TABLES - 1 },
    (_, i) => Math.sqrt(tableScale(i) * tableScale(i + 1)) - 0.02,
  )
  const values = Float32Array.from(edges, (e) => (e > 20 ? e : Math.log(Math.expm1(e))))
  return { name: 'thresholds', shape: [TABLES - 1], values }
}

function drifts({ calibration }: CodecConfig): Parameter[] {
  const rate = driftRate(calibration !== undefined)
  return [
    { name: 'drift', shape: [TABLES, DRIFT_LEVELS], values: Float32Array.from(driftTable(rate)) },
    { name: 'drift_shift', shape: [TABLES], values: Float32Array.from(driftShifts()) },
  ]
}

function encode({ name, values }: Parameter): { kind: Kind; bytes: Uint8Array } {
  const bits = OTHER_BITS[name] ?? INTEGER_BITS[name]
  if (bits !== undefined) {
    const whole = Array.from(values, (v) => Math.round(v * 2 ** bits))
    const isWide = whole.some((v) => Math.abs(v) > 32767)
    return { kind: isWide ? 'int32' : 'int16', bytes: littleEndian(whole, isWide ? 4 : 2) }
  }
  if (QUALITY_TABLES.has(name)) {
    const bytes = new Uint8Array(4 * values.length)
    const view = new DataView(bytes.buffer)
    values.forEach((v, i) => view.setFloat32(4 * i, v, true))
    return { kind: 'float32', bytes }
  }
  return { kind: 'float16', bytes: littleEndian(Array.from(values, floatToHalf), 2) }
}

function littleEndian(values: readonly number[], width: 2 | 4): Uint8Array {
  const bytes = new Uint8Array(width * values.length)
  const view = new DataView(bytes.buffer)
  values.forEach((v, i) =>
    width === 2 ? view.setUint16(2 * i, v & 0xffff, true) : view.setInt32(4 * i, v, true),
  )
  return bytes
}

/** Nearest IEEE 754 binary16, values below 2^-14 as zero. Throws RangeError beyond its range. */
export function floatToHalf(value: number): number {
  const size = Math.abs(value)
  if (!(size < 65504)) throw new RangeError('A weight does not fit 16 bits.')
  if (size < 2 ** -14) return 0
  const exponent = Math.floor(Math.log2(size))
  const fraction = Math.round((size / 2 ** exponent - 1) * 1024)
  return (value < 0 ? 0x8000 : 0) + ((exponent + 15) << 10) + fraction
}
