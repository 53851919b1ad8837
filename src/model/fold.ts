/** Relabelling the channels along one axis of a tensor. */

/** New channel i is old channel order[i] times gain[i]. */
export interface Relabelling {
  readonly order: Uint16Array
  readonly gain: Float32Array
}

export function identity(count: number): Relabelling {
  return { order: Uint16Array.from({ length: count }, (_, i) => i), gain: new Float32Array(count).fill(1) }
}

/** The same order with the inverse gains: for the weights that read what others write. */
export function invert({ order, gain }: Relabelling): Relabelling {
  return { order, gain: gain.map((g) => 1 / g) }
}

/** A tensor of the given shape with one axis relabelled. -0 becomes +0. Throws RangeError where sizes do not fit. */
export function fold<T extends Float32Array | Int32Array>(
  values: T,
  shape: readonly number[],
  axis: number,
  { order, gain }: Relabelling,
): T {
  const size = (from: number, to: number): number => shape.slice(from, to).reduce((a, b) => a * b, 1)
  const [outer, count, inner] = [size(0, axis), size(axis, axis + 1), size(axis + 1, shape.length)]
  if (values.length !== outer * count * inner || order.length !== count || gain.length !== count)
    throw new RangeError('A tensor and the relabelling of its channels do not fit together.')
  const out = values.slice() as T
  for (let o = 0, to = 0; o < outer; o++)
    for (let i = 0; i < count; i++) {
      const from = (o * count + order[i]!) * inner
      const g = gain[i]!
      for (let k = 0; k < inner; k++) out[to++] = values[from + k]! * g + 0
    }
  return out
}
