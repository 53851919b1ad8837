/**
 * The synthesis in whole numbers: what its layers are, and what a machine for them gives. Every product, sum and activation
 * is an integer, and the magnitudes of a sum add up to less than 2^24, so that float32 and int32 give the same bits in
 * whatever order they add. Sums go to the next layer by (sum + bias) >> shift, rounded down.
 *
 *     symbols (sixteenths of a step) ── linear, linearFiner ──> pixels (1/32 grey level, less 128, by block)
 *     the first channels of them ── first, blocks, features ──> features (by quarter)
 *     pixels, features ── renderPixels, renderFeatures ──> drawn (by quarter) ── finish, + pixels ──> whole grey levels
 */
import type { BlockRegion } from '../blocks'

/** Fractional bits of pixels, and how many of them go where the renderer reads pixels: 1/32 and 1/2 grey level. */
export const PIXEL_BITS = 5
export const SEEN_SHIFT = 4
/** Pixels are clipped to this before and after they are drawn upon, and where the renderer reads them. */
export const PIXEL_MOST = 512 << PIXEL_BITS
export const SEEN_MOST = 192 << (PIXEL_BITS - SEEN_SHIFT)
/** How much more finely weights of the linear part are given. */
export const FINE_BITS = 6

/** One set of weights [taps, rows, columns]; magnitudes are at most 32767. */
export interface WholeFilter {
  /** Pointwise, or 3 x 3 with zeros outside. */
  readonly taps: 1 | 9
  /** Inputs of a tap; 1 for a depthwise layer, where each input meets its own column alone. */
  readonly rows: number
  readonly columns: number
  readonly weights: Int16Array
}

/** out = clip((sum of weight * input + bias) >> shift); what it is clipped to depends on the place (WholeSynthesis). */
export interface WholeLayer extends WholeFilter {
  /** [columns], in units of the sum, with the half that rounding adds. */
  readonly bias: Int32Array
  /** [columns], 0 to 22. */
  readonly shift: Uint8Array
}

export interface WholeBlock {
  /** To -most..most. */
  readonly depthwise: WholeLayer
  /** To 0..most. */
  readonly expand: WholeLayer
  /** Added to the trunk, and the sum clipped to -most..most. */
  readonly project: WholeLayer
}

/** All layers at one quality. */
export interface WholeSynthesis {
  /** What activations are clipped to: 2^bits - 1. */
  readonly most: number
  /**
   * 768 symbols -> 768 pixels of a block, clipped to -PIXEL_MOST..PIXEL_MOST:
   * (sum of linear + its bias + ((sum of linearFiner + 2^(FINE_BITS - 1)) >> FINE_BITS)) >> shift.
   */
  readonly linear: WholeLayer
  /**
   * 768 symbols -> 768. Both filters in one, weights 2^FINE_BITS * linear + finer, have weights of 16 bits and sums
   * below 2^31: where sums are int32, (sum of both in one + 2^(FINE_BITS - 1)) >> FINE_BITS comes to the same.
   */
  readonly linearFiner: WholeFilter
  /** The first channels that the network sees -> trunk, to 0..most. */
  readonly first: WholeLayer
  readonly blocks: readonly WholeBlock[]
  /** Trunk -> 16 * F by block, to -most..most; then [h, w, 4, 4 * F] is read as quarters [4h, 4w, F]. */
  readonly features: WholeLayer
  /**
   * 3 x 3 over quarters of 48 pixels, (pixel + 8) >> SEEN_SHIFT clipped to -SEEN_MOST..SEEN_MOST, and over quarters of F
   * features. Both sums are added, then bias and shift of renderPixels; to 0..most.
   */
  readonly renderPixels: WholeLayer
  readonly renderFeatures: WholeFilter
  /**
   * Drawn -> 48 pixels of a quarter in 1/32 grey level, added to the pixels and clipped to -PIXEL_MOST..PIXEL_MOST;
   * then (pixel + 16) >> PIXEL_BITS: whole grey levels.
   */
  readonly finish: WholeLayer
}

/** Something that computes a WholeSynthesis: the same integers, whichever it is. */
export interface WholeMachine {
  /** Takes over the layers of a quality; cheap where they are those of the last call. */
  use(synthesis: WholeSynthesis): void
  /**
   * Restores `window`, given in blocks of the region, from symbols [height, width, channels] of a region
   * that holds the window and what the network sees around it. Channels are those of some tile, a multiple of 64 and at
   * most 768; the others are silent. Whole grey levels less 128, -512..512, by quarter [4 * rows, 4 * columns, 48] of
   * the window, whose outermost quarters are only right at the edge of the picture; the caller's own array.
   * `quick` takes the linear part alone: all quarters are right, and the region is the window.
   */
  restore(
    symbols: Int16Array,
    region: { readonly width: number; readonly height: number },
    window: BlockRegion,
    detail: 'full' | 'quick',
  ): Promise<Int16Array>
  dispose(): void
}
