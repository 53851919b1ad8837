/**
 * The image codec's doors. One bitstream, any backend; see bitstream.ts for the format.
 * Work is cut into *bands*: horizontal runs of whole entropy tiles (ENTROPY_TILE px), so that several workers
 * can share one photo. A band is coded from its own pixels plus a halo, and the result does not depend on the cut.
 */

/** Side of the square entropy tile in pixels: the unit that is entropy coded on its own. */
export const ENTROPY_TILE = 512

/** Pixels that a transform needs beyond the edge of what it computes. */
export const HALO = 64

/** 8-bit image, interleaved RGBA rows, straight (not premultiplied) alpha; alpha is 255 where `hasAlpha` is false. */
export interface RasterImage {
  readonly width: number
  readonly height: number
  readonly hasAlpha: boolean
  readonly colorSpace: 'srgb' | 'display-p3'
  /** length = 4 * width * height */
  readonly data: Uint8ClampedArray
}

/** Rows [y0, y1) of an image, as a work unit. y0 is a multiple of ENTROPY_TILE. */
export interface Band {
  readonly y0: number
  readonly y1: number
}

/** `best` runs the analysis network, `fast` its linear part alone: half the work for about 2 % more bytes. */
export type Effort = 'fast' | 'best'

/** One tile coded several times for one decoder, from the fewest bytes to the most. */
export type TileVersions = readonly [Uint8Array, ...Uint8Array[]]

export interface EncodeOptions {
  /** 0 (smallest) .. 63 (largest file); photographs come back at about 29 and 53 dB, at DEFAULT_QUALITY at 41. */
  readonly quality: number
  readonly effort: Effort
  readonly signal?: AbortSignal
  /** Called with the fraction done, 0..1. */
  readonly onProgress?: (fraction: number) => void
}

export interface BitstreamHeader {
  readonly width: number
  readonly height: number
  readonly hasAlpha: boolean
  readonly colorSpace: 'srgb' | 'display-p3'
  readonly quality: number
}

/** `quick` restores by the linear part alone, in less than half the time: for thumbnails, which lose 0.4 dB at most. */
export type Detail = 'full' | 'quick'

export interface DecodeOptions {
  readonly detail?: Detail
  readonly signal?: AbortSignal
  /** Called with the fraction done, 0..1. */
  readonly onProgress?: (fraction: number) => void
}

/** A codec bound to one set of weights and one TensorFlow.js backend. Whole-image calls run band by band. */
export interface Codec {
  readonly backend: 'webgpu' | 'wasm' | 'cpu'
  /** With `paddedLength`, bytes that padding to that length would add are spent on the picture. */
  encode(
    image: RasterImage,
    options: EncodeOptions & { readonly paddedLength?: (bytes: number) => number },
  ): Promise<Uint8Array>
  decode(bitstream: Uint8Array, options?: DecodeOptions): Promise<RasterImage>

  /**
   * Codes the entropy tiles of one band. `rows` holds image rows [firstRow, firstRow + rows.height), which must cover
   * the band and HALO rows on each side where the image has them. `versions` of each tile; one unless told.
   */
  encodeBand(
    rows: RasterImage,
    firstRow: number,
    imageHeight: number,
    band: Band,
    options: EncodeOptions & { readonly versions?: number },
  ): Promise<TileVersions[]>
  /** Restores rows [band.y0, band.y1) from a whole bitstream. */
  decodeBand(bitstream: Uint8Array, band: Band, options?: { signal?: AbortSignal }): Promise<RasterImage>

  dispose(): void
}
