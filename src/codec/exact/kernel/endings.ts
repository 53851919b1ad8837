/** What the kernel makes of sums: the shift by column, clipping, and the forms of output that the synthesis has. */
import type { V128Local } from '../../../lib/wasm-assembler'
import type { I32, V128 } from '../../../lib/wasm-values'
import { PIXEL_BITS, SEEN_SHIFT } from '../layers'
import type { ListedEnding } from './listed'
import { PANEL_SCALE, type Ending, type StoreSums } from './matrix'
import { shared } from './shared'

/**
 * Eight sums shifted right by column, to -2^21..2^21 as int32. SIMD shifts all lanes alike; but a sum below 2^24 is exact
 * as a float32, as is its product by 2^-shift, and floor rounds down as a shift does.
 */
export function shifted(sums: readonly [V128, V128], scale: I32, offset: number): readonly [V128, V128] {
  const [low, high] = sums.map((sum, half) =>
    sum
      .toF32()
      .timesF32(scale.load128(offset + 16 * half))
      .floorF32()
      .lowerF32(shared('most'))
      .higherF32(shared('least'))
      .addF32(shared('toWhole'))
      .subI32(shared('toWhole')),
  )
  return [low!, high!]
}

/** int16 [8], saturating. */
const narrow = ([low, high]: readonly [V128, V128]): V128 => low.narrowI32(high)
/** To what lies at an address: the least and the most, int16 [8] each. */
export const clipTo = (value: V128, limits: I32): V128 =>
  value.maxI16(limits.load128()).minI16(limits.load128(16))
export const LIMITS_BYTES = 32

const clipPixel = (value: V128): V128 => value.maxI16(shared('pixelLeast')).minI16(shared('pixelMost'))
/** Pixels within PIXEL_MOST to whole grey levels. */
const toGrey = (pixel: V128): V128 => pixel.addSaturatedI16(shared('pixelHalf')).shiftRightI16(PIXEL_BITS)
const toSeen = (pixel: V128): V128 =>
  pixel
    .addSaturatedI16(shared('seenHalf'))
    .shiftRightI16(SEEN_SHIFT)
    .maxI16(shared('seenLeast'))
    .minI16(shared('seenMost'))

const rescale = (sums: readonly [V128Local, V128Local], panel: I32): readonly [V128, V128] =>
  shifted(sums, panel, PANEL_SCALE)

/** Clipped to the limits at the parameter. */
const clipped: StoreSums = (sums, panel, out, limits) =>
  out.store128(clipTo(narrow(rescale(sums, panel)), limits))

/** Added to the trunk, so many bytes after the output, and clipped to the limits. */
const added: StoreSums = (sums, panel, out, limits, trunk) => {
  // Neither saturation is seen: the limits are far within, and so is the trunk.
  const sum = narrow(rescale(sums, panel)).addSaturatedI16(out.plus(trunk).load128())
  return out.store128(clipTo(sum, limits))
}

/** Pixels, and pixels as the renderer reads them. */
const pixels: StoreSums = ([a, b], panel, out, seen) => [
  a.set(clipPixel(narrow(rescale([a, b], panel)))),
  out.store128(a),
  seen.store128(toSeen(a)),
]

/** Grey levels from the linear part alone. */
const greys: StoreSums = (sums, panel, out) => out.store128(toGrey(clipPixel(narrow(rescale(sums, panel)))))

/** Added to the pixels at the output, which become grey levels. */
const finished: StoreSums = ([a, b], panel, out) => {
  const [low, high] = rescale([a, b], panel)
  return [
    a.set(low.addI32(out.load128().extendLowI16())),
    b.set(high.addI32(out.load128().extendHighI16())),
    out.store128(toGrey(clipPixel(narrow([a, b])))),
  ]
}

const int16 = { outputBytes: 16, segments: 1 }

/** Functions of inputs as they are. */
export const MATRIX_ENDINGS = {
  clipped: { ...int16, store: clipped },
  window: { ...int16, segments: 3, store: clipped },
  added: { ...int16, store: added },
  finished: { ...int16, store: finished },
} satisfies Record<string, Ending>

/** Functions of symbols. */
export const LISTED_ENDINGS = {
  first: { isFine: false, isDouble: false, store: clipped },
  pixels: { isFine: true, isDouble: true, store: pixels },
  greys: { isFine: true, isDouble: false, store: greys },
} satisfies Record<string, ListedEnding>

/** Floats: the sum times the scale. */
export const SCALED: Ending = {
  outputBytes: 32,
  segments: 1,
  store: (sums, panel, out) =>
    sums.map((sum, half) =>
      out.store128(sum.toF32().timesF32(panel.load128(PANEL_SCALE + 16 * half)), 16 * half),
    ),
}
