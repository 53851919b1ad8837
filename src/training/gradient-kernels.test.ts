import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { readyBackend } from './backend'
import { Random } from './random'

beforeAll(async () => {
  await readyBackend('wasm')
})

function values(seed: number, count: number): Float32Array {
  const random = new Random(seed)
  return Float32Array.from({ length: count }, () => random.normal())
}

type Loss = (...at: tf.Tensor[]) => tf.Scalar

/** Value and gradients of a loss on one backend, as plain arrays. */
async function gradientsOn(backend: string, shapes: number[][], loss: Loss): Promise<Float32Array[]> {
  await tf.setBackend(backend)
  const inputs = shapes.map((shape, i) =>
    tf.tensor(
      values(
        i + 1,
        shape.reduce((a, b) => a * b, 1),
      ),
      shape,
    ),
  )
  const { value, grads } = tf.valueAndGrads(loss)(inputs)
  const out = await Promise.all([value, ...grads].map(async (t) => (await t.data()) as Float32Array))
  tf.dispose([...inputs, ...grads, value])
  return out
}

function expectClose(a: Float32Array, b: Float32Array, tolerance: number): void {
  expect(a.length).toBe(b.length)
  const scale = Math.max(...a.map(Math.abs), 1e-6)
  const worst = Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))
  expect(worst / scale).toBeLessThan(tolerance)
}

const square = (x: tf.Tensor): tf.Scalar => tf.sum(tf.mul(x, tf.add(x, 0.3)))

const cases: [string, number[][], Loss][] = [
  ['conv2d 3 x 3', [[1, 7, 6, 5], [3, 3, 5, 4]], (x, w) => square(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'))],
  ['conv2d 3 x 3, batch of 2', [[2, 5, 6, 3], [3, 3, 3, 4]], (x, w) => square(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'))],
  ['conv2d 5 x 3', [[1, 7, 6, 2], [5, 3, 2, 3]], (x, w) => square(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'))],
  ['conv2d 1 x 1 valid', [[1, 4, 6, 7], [1, 1, 7, 5]], (x, w) => square(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'valid'))],
  ['depthwise 3 x 3', [[1, 6, 7, 4], [3, 3, 4, 1]], (x, w) => square(tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'))],
  ['matMul', [[5, 6], [6, 3]], (a, b) => square(tf.matMul(a, b))],
  ['matMul, transposed factors', [[6, 5], [3, 6]], (a, b) => square(tf.matMul(a, b, true, true))],
  ['matMul, three axes', [[2, 5, 6], [2, 3, 6]], (a, b) => square(tf.matMul(a, b, false, true))],
] // prettier-ignore

describe('gradient kernels on WASM', () => {
  it.each(cases)('%s agrees with the cpu backend', async (_, shapes, loss) => {
    const wasm = await gradientsOn('wasm', shapes, loss)
    const cpu = await gradientsOn('cpu', shapes, loss)
    wasm.forEach((w, i) => expectClose(w, cpu[i]!, 1e-5))
  })

  it.each(cases)('%s agrees with finite differences', async (_, shapes, loss) => {
    const wasm = await gradientsOn('wasm', shapes, loss)
    await tf.setBackend('cpu')
    const arrays = shapes.map((shape, i) =>
      values(
        i + 1,
        shape.reduce((a, b) => a * b, 1),
      ),
    )
    const at = (): number =>
      tf.tidy(() => loss(...shapes.map((shape, i) => tf.tensor(arrays[i]!, shape))).dataSync()[0]!)
    const step = 0.05 // the losses are quartic at most in any one entry, and central differences of them are exact
    arrays.forEach((array, input) => {
      const gradient = wasm[input + 1]!
      const scale = Math.max(...gradient.map(Math.abs))
      for (let i = 0; i < array.length; i += 7) {
        const here = array[i]!
        array[i] = here + step
        const above = at()
        array[i] = here - step
        const below = at()
        array[i] = here
        expect(Math.abs((above - below) / (2 * step) - gradient[i]!) / scale).toBeLessThan(5e-3)
      }
    })
  })

  it('refuses strides that it is not written for', async () => {
    await tf.setBackend('wasm')
    const x = tf.ones<tf.Rank.R4>([1, 6, 6, 2])
    const w = tf.ones<tf.Rank.R4>([3, 3, 2, 2])
    expect(() => tf.grad((f: tf.Tensor) => square(tf.conv2d(x, f as tf.Tensor4D, 2, 'same')))(w)).toThrow(
      RangeError,
    )
  })
})
