/** The numbers of the data recipe that were tuned against the statistics of photographs (see the model card). */
export interface Recipe {
  /** Share of flat graphics. */
  readonly graphics: number
  /** Factor on the spread of light between leaves. */
  readonly contrast: number
  /** Factor on the strength of textures. */
  readonly texture: number
  /** Largest lower bound of leaf radii, in canvas pixels (half an output pixel). */
  readonly smallest: number
  /** Share of scenes without an open far layer. */
  readonly full: number
  /** Factor on the blur of the far layer. */
  readonly defocus: number
  /** Share of images softened by the lens, and how much at most (weight of each neighbour, up to 0.25). */
  readonly soft: number
  readonly lens: number
  /** Share of images that are sharpened. */
  readonly crisp: number
  /** Largest strength of sensor noise, in grey levels. */
  readonly noise: number
  /** Largest strength of faint unevenness over the whole image, in grey levels. */
  readonly mottle: number
  /** Blur passes of the two colour differences, as after chroma subsampling. */
  readonly chromaBlur: number
  /** Factor on the saturation of materials. */
  readonly saturation: number
}

export const RECIPE: Recipe = {
  graphics: 0.05,
  contrast: 1.09,
  texture: 0.46,
  smallest: 80,
  full: 0.18,
  defocus: 1,
  soft: 1,
  lens: 0.19,
  crisp: 0.3,
  noise: 4,
  mottle: 3,
  chromaBlur: 1.1,
  saturation: 1.2,
}
