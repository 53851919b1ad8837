/**
 * The base model: public weights in models/<name>/, three files.
 *
 *   model.json   format, version, name, config, tensors {name, type, shape, offset into weights.bin}, table lengths
 *   weights.bin  tensors, little-endian, each aligned to four bytes
 *   cdf.bin      frequencies of the magnitude tables, u16 little-endian, each table summing to 2^16
 *
 * The model id is SHA-256 over the lengths and bytes of the three files in this order: it names exactly these weights.
 * Released models are listed in released-models.ts.
 */
import type { Bytes } from '../lib/bytes'
import { modelIdOf, type ModelFiles } from '../format/model-id'
import { LATENTS, type CodecConfig, type CodecWeights } from '../codec/weights'
import { CodecError } from '../codec/errors'
import { CALIBRATION_RANKS } from '../codec/calibration'
import { DRIFT_LEVELS } from '../codec/context-model'
import { intraShapes } from '../codec/intra-prediction'
import { stageShapes } from '../codec/scale-stages'
import { SPLIT_BITS, SPLIT_TENSORS, SPLITS, splitName, splitShapes } from '../codec/splits/split-model'

export interface BaseModel {
  /** SHA-256, 32 bytes. */
  readonly id: Bytes
  readonly name: string
  readonly weights: CodecWeights
}

type TensorType = 'float16' | 'float32' | 'int16' | 'int32'

interface TensorDescription {
  readonly name: string
  readonly type: TensorType
  readonly shape: readonly number[]
  readonly offset: number
}

interface ModelDescription {
  readonly format: string
  readonly version: number
  readonly name: string
  readonly config: CodecConfig
  readonly tensors: readonly TensorDescription[]
  readonly tables: readonly number[]
}

const INTEGERS: readonly TensorType[] = ['int16', 'int32']
const BYTES: Record<TensorType, number> = { float16: 2, float32: 4, int16: 2, int32: 4 }

/** Throws CodecError 'wrong-model' where the files do not fit together. */
export async function loadBaseModel(files: ModelFiles): Promise<BaseModel> {
  const id = await modelIdOf(files)
  try {
    const description = JSON.parse(new TextDecoder().decode(files.description)) as ModelDescription
    if (description.format !== 'safelight-model' || description.version !== 1)
      throw new Error('another format')
    checkIntra(description)
    checkCalibration(description)
    checkStages(description)
    checkSplits(description)
    const tensors = new Map<string, Float32Array>()
    const integers = new Map<string, Int32Array>()
    for (const tensor of description.tensors) {
      const values = readTensor(files.weights, tensor)
      if (values instanceof Int32Array) integers.set(tensor.name, values)
      else tensors.set(tensor.name, values)
    }
    checkTurns(integers)
    const tables = readTables(files.tables, description.tables)
    return { id, name: description.name, weights: { config: description.config, tensors, integers, tables } }
  } catch (cause) {
    throw new CodecError(
      'wrong-model',
      'The model files cannot be read. Reload the app to fetch them again.',
      {
        cause,
      },
    )
  }
}

/** Most units of a layer of the entropy model. */
const UNIT_LIMIT = 512
const isWidth = (width: number | undefined): boolean =>
  Number.isInteger(width) && width! >= 1 && width! <= UNIT_LIMIT

/** Kernels are laid out by these widths, and read their tensors unchecked. */
function checkIntra({ config, tensors }: ModelDescription): void {
  const widths = [config.intraWidth, config.intraHidden]
  if (widths.every((width) => width === undefined)) return
  if (!widths.every(isWidth)) throw new Error('the layers that predict from edges have no such width')
  for (const [name, shape] of intraShapes(config)) checkTensor(tensors, name, shape, ['int16'])
}

/** Layers of scale stages are sums of 16-bit weights. */
function checkStages({ config, tensors }: ModelDescription): void {
  if (config.stageHidden === undefined) return
  if (!isWidth(config.stageHidden)) throw new Error('the scale stages have no such width')
  for (const [name, shape] of stageShapes(config))
    checkTensor(tensors, name, shape, name.startsWith('stage_bias') ? INTEGERS : ['int16'])
}

/** Calibration counts on so many ranks, unchecked. */
function checkCalibration({ config, tensors, tables }: ModelDescription): void {
  if (config.calibration === undefined) return
  if (config.calibration !== 1) throw new Error('there is no such calibration')
  const ranks = tables.length
  if (ranks < 1 || ranks > CALIBRATION_RANKS) throw new Error('no such tables are calibrated')
  checkTensor(tensors, 'thresholds', [ranks - 1], INTEGERS)
  checkTensor(tensors, 'drift', [ranks, DRIFT_LEVELS], INTEGERS)
  checkTensor(tensors, 'drift_shift', [ranks], INTEGERS)
}

/** Turning symbols reads places unchecked. */
function checkSplits({ config, tensors }: ModelDescription): void {
  if (config.splits === undefined) return
  if (config.splits !== 1 || config.intraWidth === undefined || config.stageHidden === undefined)
    throw new Error('there are no such splits')
  for (const [name, shape] of splitShapes(config)) checkTensor(tensors, name, shape, INTEGERS)
  for (const name of SPLIT_TENSORS) {
    const [plain] = tensors.filter((tensor) => tensor.name === name)
    if (plain === undefined) throw new Error(`tensor ${name} is missing`)
    for (let split = 1; split < SPLITS; split++)
      checkTensor(tensors, splitName(split, name), plain.shape, [plain.type])
  }
}

/** Symbols and factors of a turn fit in 16 bits. */
function checkTurns(integers: ReadonlyMap<string, Int32Array>): void {
  const every = (name: string, fits: (value: number) => boolean): void => {
    if (integers.get(name)?.every(fits) === false) throw new Error(`tensor ${name} is out of range`)
  }
  if (new Set(integers.get('split_place')).size !== (integers.get('split_place')?.length ?? 0))
    throw new Error('two symbols have one place')
  every('split_place', (place) => place >= 0 && place < LATENTS)
  every('split_sign', (sign) => sign === 1 || sign === -1)
  every('split_halves', (factor) => Math.abs(factor) <= 1 << SPLIT_BITS)
  for (const name of ['split_step', 'split_unstep']) every(name, (value) => value > 0 && value < 1 << 16)
}

/** Throws where not exactly one tensor has the name, or it has another type or shape. */
function checkTensor(
  tensors: readonly TensorDescription[],
  name: string,
  shape: readonly number[],
  types: readonly TensorType[],
): void {
  const [found, ...others] = tensors.filter((tensor) => tensor.name === name)
  const fits =
    found !== undefined &&
    types.includes(found.type) &&
    others.length === 0 &&
    found.shape.length === shape.length &&
    shape.every((size, axis) => size === found.shape[axis])
  if (!fits) throw new Error(`tensor ${name} has another shape`)
}

function readTensor(bytes: Uint8Array, tensor: TensorDescription): Float32Array | Int32Array {
  const count = tensor.shape.reduce((a, b) => a * b, 1)
  const size = BYTES[tensor.type]
  if (!Number.isInteger(count) || count < 0 || tensor.offset + count * size > bytes.length)
    throw new Error(`tensor ${tensor.name} runs past the file`)
  const view = new DataView(bytes.buffer, bytes.byteOffset + tensor.offset, count * size)
  const values = tensor.type.startsWith('float') ? new Float32Array(count) : new Int32Array(count)
  const readAt = READERS[tensor.type]
  for (let i = 0; i < count; i++) values[i] = readAt(view, size * i)
  if (values instanceof Float32Array && values.some((value) => !Number.isFinite(value)))
    throw new Error('a weight is not finite')
  return values
}

const READERS: Record<TensorType, (view: DataView, at: number) => number> = {
  float16: (view, at) => halves()[view.getUint16(at, true)]!,
  float32: (view, at) => view.getFloat32(at, true),
  int16: (view, at) => view.getInt16(at, true),
  int32: (view, at) => view.getInt32(at, true),
}

/** Every IEEE 754 binary16 by its bits. */
let halfTable: Float32Array | undefined
const halves = (): Float32Array =>
  (halfTable ??= Float32Array.from({ length: 65536 }, (_, i) => halfToFloat(i)))

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function readTables(bytes: Uint8Array, lengths: readonly number[]): Uint32Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  const tables = lengths.map((length) => {
    const table = Uint32Array.from({ length }, (_, i) => view.getUint16(at + 2 * i, true))
    at += 2 * length
    if (table.includes(0) || table.reduce((a, b) => a + b, 0) !== 65536) throw new Error('a table is broken')
    return table
  })
  if (at !== bytes.length) throw new Error('table bytes are left over')
  return tables
}
