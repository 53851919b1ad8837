/**
 * Gradient kernels that the WASM backend lacks or runs slowly, built from ones that it has: filter gradients of
 * convolutions and depthwise convolutions, input gradients, and matrix products with transposed factors.
 * Stride 1, no dilation, 'same' or 1 x 1: what the codec uses. Anything else throws.
 */
import * as tf from '@tensorflow/tfjs-core'

type Inputs = Record<string, tf.Tensor>
type Attributes = Record<string, unknown>

let registered = false

/** Registers the kernels for the WASM backend, once per process. */
export function registerGradientKernels(): void {
  if (registered) return
  registered = true
  const stock = tf.getKernel('BatchMatMul', 'wasm').kernelFunc
  override('BatchMatMul', ({ a, b }, attrs, backend) => {
    const left = attrs.transposeA === true ? swapLast(a!) : a!
    const right = attrs.transposeB === true ? swapLast(b!) : b!
    const plain = { transposeA: false, transposeB: false }
    return stock({ inputs: { a: left, b: right }, attrs: plain, backend }) as tf.TensorInfo
  })
  override('Conv2DBackpropFilter', ({ x, dy }, attrs) =>
    convFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, attrs.filterShape as number[], attrs),
  )
  override('Conv2DBackpropInput', ({ dy, filter }, attrs) =>
    convInputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, attrs),
  )
  override('DepthwiseConv2dNativeBackpropFilter', ({ x, dy }, attrs) =>
    depthwiseFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, attrs.filterShape as number[], attrs),
  )
  override('DepthwiseConv2dNativeBackpropInput', ({ dy, filter }, attrs) => {
    checkPlain(attrs, (filter as tf.Tensor4D).shape)
    return tf.depthwiseConv2d(dy as tf.Tensor4D, tf.reverse(filter as tf.Tensor4D, [0, 1]), 1, 'same')
  })
}

function override(
  name: string,
  compute: (inputs: Inputs, attrs: Attributes, backend: object) => tf.TensorInfo,
): void {
  if (tf.getKernel(name, 'wasm') as unknown) tf.unregisterKernel(name, 'wasm')
  tf.registerKernel({
    kernelName: name,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => compute(inputs as unknown as Inputs, attrs ?? {}, backend),
  })
}

function checkPlain(attrs: Attributes, filterShape: readonly number[]): void {
  const strides = attrs.strides as number | number[]
  const stride = Array.isArray(strides) ? strides : [strides, strides]
  const isPoint = filterShape[0] === 1 && filterShape[1] === 1
  if (stride.some((s) => s !== 1) || (attrs.pad !== 'same' && !isPoint) || filterShape[0]! % 2 === 0)
    throw new RangeError('This gradient is written for stride 1 and odd "same" filters only.')
}

function swapLast(x: tf.Tensor): tf.Tensor {
  const axes = x.shape.map((_, i) => i)
  const last = axes.length - 1
  axes[last] = last - 1
  axes[last - 1] = last
  return tf.transpose(x, axes)
}

/** x moved by each tap of a filter: the pixels that tap (i, j) meets, [n, h, w, c] each. */
function shifts(x: tf.Tensor4D, filterShape: readonly number[]): tf.Tensor4D[] {
  const [n, h, w, c] = x.shape
  const [rows, columns] = filterShape as [number, number]
  const top = (rows - 1) / 2
  const left = (columns - 1) / 2
  if (top === 0 && left === 0) return [x]
  const padded = tf.pad(x, [
    [0, 0],
    [top, top],
    [left, left],
    [0, 0],
  ])
  return Array.from({ length: rows * columns }, (_, tap) =>
    tf.slice(padded, [0, Math.floor(tap / columns), tap % columns, 0], [n, h, w, c]),
  )
}

function convFilterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, shape: number[], attrs: Attributes): tf.Tensor {
  checkPlain(attrs, shape)
  const pixels = dy.shape[0] * dy.shape[1] * dy.shape[2]
  const outer = tf.reshape(dy, [pixels, dy.shape[3]])
  const taps = shifts(x, shape).map((moved) =>
    tf.matMul(tf.transpose(tf.reshape(moved, [pixels, x.shape[3]])), outer),
  )
  return tf.reshape(taps.length === 1 ? taps[0]! : tf.stack(taps), shape)
}

function convInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, attrs: Attributes): tf.Tensor {
  checkPlain(attrs, filter.shape)
  const turned = filter.shape[0] === 1 ? filter : tf.reverse(filter, [0, 1])
  return tf.conv2d(dy, tf.transpose(turned, [0, 1, 3, 2]), 1, 'same')
}

function depthwiseFilterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  shape: number[],
  attrs: Attributes,
): tf.Tensor {
  checkPlain(attrs, shape)
  if (shape[3] !== 1) throw new RangeError('This gradient is written for one filter per channel only.')
  const taps = shifts(x, shape).map((moved) => tf.sum(tf.mul(moved, dy), [0, 1, 2]))
  return tf.reshape(tf.stack(taps), shape)
}
