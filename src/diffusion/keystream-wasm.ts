/**
 * The neural keystream on WebAssembly SIMD, the engine of production: int16 products summed in int32
 * (i32x4.dot_i16x8_s), two lanes by sixteen outputs at a time, one chunk after another in 192 KiB of memory.
 * The module is written by src/lib/wasm-assembler.ts when first used; where SIMD is missing there is no engine.
 */
import {
  assembleModule,
  doWhile,
  giveBack,
  wasmFunction,
  type I32Local,
  type V128Local,
  type WasmFunction,
} from '../lib/wasm-assembler'
import type { Code } from '../lib/wasm-bytes'
import { constant, type V128 } from '../lib/wasm-values'
import { BLOCK_BYTES, CHUNK_BYTES, checkJob, COUNTER_BYTES, HIDDEN, HIDDEN_SHIFT } from './neural-keystream'
import { INPUTS, LANES, STEP_BYTES, writeCounter } from './neural-keystream'
import type { Direction, KeystreamEngine, KeystreamJob, Layer, Network } from './neural-keystream'

/** Bytes from one lane's row of int16 activations to the next, in every layer. */
const ROW_BYTES = 2 * INPUTS
const ROWS_BYTES = LANES * ROW_BYTES
const GROUP_OUTPUTS = 16
const BIAS_BYTES = 4 * HIDDEN
/** Two inputs by a group's outputs: pairs of int16 weights, as i32x4.dot_i16x8_s takes them. */
const PAIR_BYTES = 4 * GROUP_OUTPUTS
const PAIRS_UNROLLED = 4
const INPUTS_UNROLLED = 2 * PAIRS_UNROLLED

const AT_INPUT = 0
const AT_ODD = AT_INPUT + ROWS_BYTES
const AT_EVEN = AT_ODD + ROWS_BYTES
const AT_WEIGHTS = AT_EVEN + ROWS_BYTES
const AT_BYTES = CHUNK_BYTES
const AT_OUT = 2 * CHUNK_BYTES
const PAGES = 3

const layerBytes = (inputs: number): number => BIAS_BYTES + 2 * inputs * HIDDEN
const LAYER_INPUTS = [INPUTS, HIDDEN, HIDDEN] as const
const AT_LAYER = [
  AT_WEIGHTS,
  AT_WEIGHTS + layerBytes(INPUTS),
  AT_WEIGHTS + layerBytes(INPUTS) + layerBytes(HIDDEN),
] as const

/** Takes `by` from the counter and repeats while it is above zero. */
const repeat = (counter: I32Local, by: number, body: Code): Code =>
  doWhile([body, counter.increase(-by)], counter.above(0))

/** products(input, weights, bias, out, rows, loops, shift): 16 outputs of `rows` (even) rows of 8 * loops inputs. */
function productsFunction(): WasmFunction {
  return wasmFunction('products', 7, (given, scope) => {
    const [input, weights, bias, out] = [given[0]!, given[1]!, given[2]!, given[3]!]
    const [rows, loops, shift] = [given[4]!, given[5]!, given[6]!]
    const [x, w, left] = [scope.i32(), scope.i32(), scope.i32()]
    const [splat0, splat1, weight, mask] = [scope.v128(), scope.v128(), scope.v128(), scope.v128()]
    const parts = [0, 1, 2, 3]
    const sums = [0, 1].map(() => parts.map(() => scope.v128()))
    const sum = (lane: number, part: number): V128Local => sums[lane]![part]!

    const accumulate = (to: V128Local, splat: V128): Code => to.set(to.addI32(weight.dotI16(splat)))
    const pair = (index: number): Code => [
      splat0.set(x.load32Splat(4 * index)),
      splat1.set(x.load32Splat(4 * index + ROW_BYTES)),
      parts.map((part) => [
        weight.set(w.load128(PAIR_BYTES * index + 16 * part)),
        accumulate(sum(0, part), splat0),
        accumulate(sum(1, part), splat1),
      ]),
    ]
    const wrapped = (lane: number, part: number): V128 => sum(lane, part).shiftRightI32(shift).and(mask)
    const storeHalf = (lane: number, half: number): Code =>
      out.store128(
        wrapped(lane, 2 * half).narrowI32(wrapped(lane, 2 * half + 1)),
        lane * ROW_BYTES + 16 * half,
      )
    const twoRows: Code = [
      parts.map((part) => [sum(0, part).set(bias.load128(16 * part)), sum(1, part).set(sum(0, part))]),
      [x.set(input), w.set(weights), left.set(loops)],
      repeat(left, 1, [
        Array.from({ length: PAIRS_UNROLLED }, (_, index) => pair(index)),
        x.increase(4 * PAIRS_UNROLLED),
        w.increase(PAIR_BYTES * PAIRS_UNROLLED),
      ]),
      [storeHalf(0, 0), storeHalf(0, 1), storeHalf(1, 0), storeHalf(1, 1)],
      input.increase(2 * ROW_BYTES),
      out.increase(2 * ROW_BYTES),
    ]
    return [mask.set(constant(0xff).splatI32()), repeat(rows, 2, twoRows), giveBack(0)]
  })
}

/**
 * add or remove(bytes, f, feedback, out, rows): out = bytes +- f mod 256 for `rows` blocks, and the ciphertext block of
 * each lane becomes the int16 feedback of its next step.
 */
function combineFunction(direction: Direction): WasmFunction {
  return wasmFunction(direction, 5, (parameters, scope) => {
    const [bytes, f, feedback] = [parameters[0]!, parameters[1]!, parameters[2]!]
    const [out, rows] = [parameters[3]!, parameters[4]!]
    const [given, made] = [scope.v128(), scope.v128()]
    const ciphertext = direction === 'add' ? made : given
    const sixteen = (at: number): Code => {
      const noise = f.load128(2 * at).narrowI16Unsigned(f.load128(2 * at + 16))
      return [
        given.set(bytes.load128(at)),
        made.set(direction === 'add' ? given.addI8(noise) : given.subI8(noise)),
        out.store128(made, at),
        feedback.store128(ciphertext.extendLowU8(), 2 * at),
        feedback.store128(ciphertext.extendHighU8(), 2 * at + 16),
      ]
    }
    const row: Code = [
      [0, 16, 32, 48].map(sixteen),
      [bytes.increase(BLOCK_BYTES), out.increase(BLOCK_BYTES)],
      [f.increase(ROW_BYTES), feedback.increase(ROW_BYTES)],
    ]
    return [repeat(rows, 1, row), giveBack(0)]
  })
}

type Products = (
  input: number,
  weights: number,
  bias: number,
  out: number,
  rows: number,
  loops: number,
  shift: number,
) => void
type Combine = (bytes: number, f: number, feedback: number, out: number, rows: number) => void

interface Kernel {
  readonly products: Products
  readonly combine: Readonly<Record<Direction, Combine>>
  readonly memory: ArrayBuffer
}

async function instantiateKernel(): Promise<Kernel | null> {
  const code = assembleKernel()
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) return null
  const { instance } = await WebAssembly.instantiate(code)
  const { products, add, remove, memory } = instance.exports
  return {
    products: products as Products,
    combine: { add: add as Combine, remove: remove as Combine },
    memory: (memory as WebAssembly.Memory).buffer,
  }
}

export function assembleKernel(): Uint8Array<ArrayBuffer> {
  return assembleModule([productsFunction(), combineFunction('add'), combineFunction('remove')], PAGES)
}

/** Biases as int32, then weights group by group, pair by pair. */
function writeLayer(memory: ArrayBuffer, at: number, { inputs, outputs, weights, bias }: Layer): void {
  new Int32Array(memory, at, outputs).set(bias)
  const packed = new Int16Array(memory, at + BIAS_BYTES, inputs * outputs)
  let next = 0
  for (let group = 0; group < outputs; group += GROUP_OUTPUTS)
    for (let i = 0; i < inputs; i += 2)
      for (let o = group; o < group + GROUP_OUTPUTS; o++) {
        packed[next++] = weights[i * outputs + o]!
        packed[next++] = weights[(i + 1) * outputs + o]!
      }
}

function runLayer(products: Products, index: 0 | 1 | 2, input: number, out: number, rows: number): void {
  const inputs = LAYER_INPUTS[index]
  const at = AT_LAYER[index]
  const loops = inputs / INPUTS_UNROLLED
  const shift = index === 2 ? 0 : HIDDEN_SHIFT
  for (let group = 0; group < HIDDEN; group += GROUP_OUTPUTS) {
    const weights = at + BIAS_BYTES + 2 * group * inputs
    products(input, weights, at + 4 * group, out + 2 * group, rows, loops, shift)
  }
}

/** Writes the counters of one step; a step of 0 also clears the feedback. */
function writeCounters(rows: Int16Array, section: number, chunk: number, step: number): void {
  const counter = new Uint8Array(COUNTER_BYTES)
  if (step === 0) rows.fill(0)
  for (let lane = 0; lane < LANES; lane++) {
    writeCounter(counter, section, chunk, lane, step)
    rows.set(counter, lane * INPUTS)
  }
}

function runKernel(kernel: Kernel, network: Network, job: KeystreamJob): Uint8Array {
  const { products, combine, memory } = kernel
  network.forEach((layer, index) => writeLayer(memory, AT_LAYER[index]!, layer))
  const rowsOfInput = new Int16Array(memory, AT_INPUT, LANES * INPUTS)
  const given = new Uint8Array(memory, AT_BYTES, CHUNK_BYTES)
  const made = new Uint8Array(memory, AT_OUT, CHUNK_BYTES)
  const out = new Uint8Array(job.bytes.length)
  for (let start = 0; start < out.length; start += CHUNK_BYTES) {
    const chunk = job.bytes.subarray(start, start + CHUNK_BYTES)
    given.set(chunk)
    for (let step = 0; step * STEP_BYTES < chunk.length; step++) {
      const at = step * STEP_BYTES
      const blocks = Math.min(LANES, Math.ceil((chunk.length - at) / BLOCK_BYTES))
      const rows = blocks + (blocks % 2)
      writeCounters(rowsOfInput, job.section, job.firstChunk + start / CHUNK_BYTES, step)
      runLayer(products, 0, AT_INPUT, AT_ODD, rows)
      runLayer(products, 1, AT_ODD, AT_EVEN, rows)
      runLayer(products, 2, AT_EVEN, AT_ODD, rows)
      combine[job.direction](AT_BYTES + at, AT_ODD, AT_INPUT + 2 * COUNTER_BYTES, AT_OUT + at, rows)
    }
    out.set(made.subarray(0, chunk.length), start)
  }
  new Uint8Array(memory).fill(0)
  return out
}

let kernelOnce: Promise<Kernel | null> | undefined

/** null where this platform has no WebAssembly SIMD. */
export async function loadWasmEngine(): Promise<KeystreamEngine | null> {
  const kernel = await (kernelOnce ??= instantiateKernel())
  if (kernel === null) return null
  return {
    name: 'wasm-simd',
    run: (network, job) => {
      checkJob(job)
      return Promise.resolve(runKernel(kernel, network, job))
    },
  }
}
