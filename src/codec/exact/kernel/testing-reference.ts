/** The synthesis in whole numbers as plain loops, which say what every machine must give; and layers to try machines with. */
import type { Prng } from '../../../lib/prng'
import type { BlockRegion } from '../../blocks'
import { QUARTER } from '../../folded'
import { LATENTS } from '../../weights'
import {
  FINE_BITS,
  PIXEL_BITS,
  PIXEL_MOST,
  SEEN_MOST,
  SEEN_SHIFT,
  type WholeFilter,
  type WholeLayer,
  type WholeSynthesis,
} from '../layers'

/** [height, width, channels] */
interface Plane {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly values: Int32Array
}

const planeOf = (width: number, height: number, channels: number): Plane => ({
  ...{ width, height, channels },
  values: new Int32Array(width * height * channels),
})
const clip = (value: number, most: number, least = -most): number => Math.max(least, Math.min(most, value))

function map(plane: Plane, of: (value: number, index: number) => number): Plane {
  return { ...plane, values: plane.values.map(of) }
}

/** Sums of a pointwise or 3 x 3 layer, with zeros outside. */
function sums(x: Plane, { taps, rows, columns, weights }: WholeFilter, isDepthwise = false): Plane {
  const out = planeOf(x.width, x.height, columns)
  const reach = taps === 9 ? 1 : 0
  const count = isDepthwise ? x.channels : Math.min(rows, x.channels)
  for (let position = 0; position < x.width * x.height; position++) {
    const to = position * columns
    let tap = 0
    for (let dy = -reach; dy <= reach; dy++)
      for (let dx = -reach; dx <= reach; dx++, tap++) {
        const [qx, qy] = [(position % x.width) + dx, Math.floor(position / x.width) + dy]
        if (qx < 0 || qy < 0 || qx >= x.width || qy >= x.height) continue
        const from = (qy * x.width + qx) * x.channels
        for (let row = 0; row < count; row++) {
          const value = x.values[from + row]!
          const first = isDepthwise ? row : 0
          const last = isDepthwise ? row + 1 : columns
          const weightsAt = isDepthwise ? tap * columns : (tap * rows + row) * columns
          for (let c = first; c < last; c++) out.values[to + c]! += weights[weightsAt + c]! * value
        }
      }
  }
  return out
}

const rescaled = (x: Plane, { bias, shift, columns }: WholeLayer): Plane =>
  map(x, (sum, i) => {
    const all = sum + bias[i % columns]!
    if (Math.abs(all) >= 2 ** 24) throw new RangeError('These layers and symbols do not go together.')
    return all >> shift[i % columns]!
  })
const plus = (a: Plane, b: Plane): Plane => map(a, (value, i) => value + b.values[i]!)
const clipped = (x: Plane, most: number, least = -most): Plane => map(x, (value) => clip(value, most, least))

function toQuarters(x: Plane): Plane {
  const channels = x.channels / 16
  const out = planeOf(4 * x.width, 4 * x.height, channels)
  x.values.forEach((value, i) => {
    const c = i % x.channels
    const position = Math.floor(i / x.channels)
    const part = Math.floor(c / channels)
    const px = 4 * (position % x.width) + (part % 4)
    const py = 4 * Math.floor(position / x.width) + Math.floor(part / 4)
    out.values[(py * out.width + px) * channels + (c % channels)] = value
  })
  return out
}

function cut(x: Plane, { x: left, y: top, width, height }: BlockRegion): Plane {
  const out = planeOf(width, height, x.channels)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * x.width + left) * x.channels
    out.values.set(x.values.subarray(from, from + width * x.channels), y * width * x.channels)
  }
  return out
}

function linearPixels({ linear, linearFiner }: WholeSynthesis, symbols: Plane): Plane {
  const finer = map(sums(symbols, linearFiner), (sum) => (sum + 2 ** (FINE_BITS - 1)) >> FINE_BITS)
  return toQuarters(clipped(rescaled(plus(sums(symbols, linear), finer), linear), PIXEL_MOST))
}

const toGrey = (x: Plane): Int16Array =>
  Int16Array.from(x.values, (value) => (value + 2 ** (PIXEL_BITS - 1)) >> PIXEL_BITS)

/** As WholeMachine.restore. */
export function restoreReference(
  synthesis: WholeSynthesis,
  symbols: Int16Array,
  region: { readonly width: number; readonly height: number },
  window: BlockRegion,
  detail: 'full' | 'quick',
): Int16Array {
  const { most, first, blocks, features, renderPixels, renderFeatures, finish } = synthesis
  const channels = symbols.length / (region.width * region.height)
  const all: Plane = { ...region, channels, values: Int32Array.from(symbols) }
  const pixels = linearPixels(synthesis, cut(all, window))
  if (detail === 'quick') return toGrey(pixels)
  let trunk = clipped(rescaled(sums(all, first), first), most, 0)
  for (const { depthwise, expand, project } of blocks) {
    const spread = clipped(rescaled(sums(trunk, depthwise, true), depthwise), most)
    const wide = clipped(rescaled(sums(spread, expand), expand), most, 0)
    trunk = clipped(plus(trunk, rescaled(sums(wide, project), project)), most)
  }
  const inside = cut(trunk, window)
  const seen = toQuarters(clipped(rescaled(sums(inside, features), features), most))
  const shown = clipped(
    map(pixels, (value) => (value + 2 ** (SEEN_SHIFT - 1)) >> SEEN_SHIFT),
    SEEN_MOST,
  )
  const both = plus(sums(shown, renderPixels), sums(seen, renderFeatures))
  const drawn = clipped(rescaled(both, renderPixels), most, 0)
  return toGrey(clipped(plus(pixels, rescaled(sums(drawn, finish), finish)), PIXEL_MOST))
}

export interface WholeSizes {
  readonly most: number
  readonly seen: number
  readonly trunk: number
  readonly wide: number
  readonly blocks: number
  readonly features: number
  readonly drawn: number
}

/**
 * Layers whose sums come near 2^24 where every input is `symbolMost` or what activations are clipped to; now and then
 * all weights of a column are its largest, with one sign, so that they reach it.
 */
export function testLayers(sizes: WholeSizes, symbolMost: number, random: Prng): WholeSynthesis {
  const { most, seen, trunk, wide, features, drawn } = sizes
  const LIMIT = 2 ** 24 - 2 ** 18
  const below = (count: number): number => random.nextBelow(count)
  const filter = (taps: 1 | 9, rows: number, columns: number, inputMost: number, share = 1): WholeFilter => {
    const reach = Math.min(32767, Math.floor((share * LIMIT) / (taps * rows * inputMost)))
    const weights = new Int16Array(taps * rows * columns)
    for (let column = 0; column < columns; column++) {
      const kind = below(4)
      for (let i = column; i < weights.length; i += columns)
        weights[i] =
          kind === 0
            ? reach
            : kind === 1
              ? -reach
              : kind === 2 && below(8) > 0
                ? 0
                : below(2 * reach + 1) - reach
    }
    return { taps, rows, columns, weights }
  }
  const layer = (of: WholeFilter, least: number): WholeLayer => ({
    ...of,
    bias: Int32Array.from({ length: of.columns }, () => below(2 ** 18) - 2 ** 17),
    shift: Uint8Array.from({ length: of.columns }, () => least + below(23 - least)),
  })
  // Both in one have 16 bits.
  const linear = layer(filter(1, LATENTS, LATENTS, symbolMost, 0.9), 0)
  const half = 2 ** (FINE_BITS - 1)
  const linearFiner = linear.weights.map(() => below(2 * half) - half)
  return {
    most,
    linear,
    linearFiner: { taps: 1, rows: LATENTS, columns: LATENTS, weights: linearFiner },
    first: layer(filter(1, seen, trunk, symbolMost), 8),
    blocks: Array.from({ length: sizes.blocks }, () => ({
      depthwise: layer(filter(9, 1, trunk, most), 8),
      expand: layer(filter(1, trunk, wide, most), 8),
      project: layer(filter(1, wide, trunk, most), 0),
    })),
    features: layer(filter(1, trunk, 16 * features, most), 8),
    renderPixels: layer(filter(9, QUARTER, drawn, SEEN_MOST, 0.5), 8),
    renderFeatures: filter(9, features, drawn, most, 0.45),
    finish: layer(filter(1, drawn, QUARTER, most), 0),
  }
}
