/**
 * Colours of procedural scenes: hand-written clusters of sRGB colours (0..1), each a pair of ends of one material's
 * range from dark to light. Not taken from photographs.
 */
import type { Random } from './random'

export type Rgb = readonly [number, number, number]

/** A material: its colour in shade and in light. */
export interface Material {
  readonly dark: Rgb
  readonly light: Rgb
}

const material = (dark: Rgb, light: Rgb): Material => ({ dark, light })

const materials = {
  sky: material([0.36, 0.5, 0.68], [0.8, 0.87, 0.94]),
  paleSky: material([0.66, 0.7, 0.75], [0.95, 0.96, 0.97]),
  dusk: material([0.3, 0.24, 0.34], [0.95, 0.66, 0.45]),
  foliage: material([0.07, 0.1, 0.05], [0.52, 0.58, 0.3]),
  dryGrass: material([0.2, 0.17, 0.1], [0.8, 0.72, 0.5]),
  conifer: material([0.04, 0.07, 0.06], [0.3, 0.38, 0.3]),
  skin: material([0.3, 0.17, 0.12], [0.93, 0.76, 0.66]),
  stone: material([0.16, 0.15, 0.15], [0.78, 0.76, 0.72]),
  concrete: material([0.3, 0.3, 0.31], [0.82, 0.82, 0.8]),
  brick: material([0.2, 0.1, 0.07], [0.7, 0.45, 0.36]),
  wood: material([0.14, 0.09, 0.06], [0.72, 0.56, 0.4]),
  soil: material([0.09, 0.07, 0.05], [0.5, 0.41, 0.32]),
  sand: material([0.42, 0.36, 0.28], [0.9, 0.83, 0.71]),
  water: material([0.06, 0.13, 0.18], [0.55, 0.68, 0.74]),
  snow: material([0.56, 0.62, 0.71], [0.98, 0.98, 0.99]),
  night: material([0.01, 0.012, 0.02], [0.2, 0.19, 0.2]),
  black: material([0.015, 0.015, 0.017], [0.22, 0.21, 0.21]),
  white: material([0.6, 0.6, 0.6], [0.98, 0.98, 0.97]),
  lamp: material([0.35, 0.2, 0.08], [1, 0.9, 0.7]),
  metal: material([0.1, 0.11, 0.13], [0.8, 0.82, 0.84]),
  red: material([0.25, 0.03, 0.03], [0.88, 0.25, 0.2]),
  blue: material([0.03, 0.08, 0.25], [0.3, 0.5, 0.82]),
  yellow: material([0.4, 0.26, 0.03], [0.97, 0.84, 0.3]),
  violet: material([0.15, 0.06, 0.2], [0.75, 0.6, 0.82]),
  fur: material([0.12, 0.09, 0.08], [0.78, 0.66, 0.54]),
} as const satisfies Record<string, Material>

type Name = keyof typeof materials

/** Materials that are seen together. */
const settings: readonly (readonly Name[])[] = [
  ['sky', 'foliage', 'conifer', 'dryGrass', 'soil'],
  ['paleSky', 'conifer', 'stone', 'snow', 'water'],
  ['foliage', 'foliage', 'conifer', 'soil', 'yellow'],
  ['foliage', 'red', 'violet', 'white', 'conifer'],
  ['concrete', 'stone', 'metal', 'black', 'paleSky'],
  ['concrete', 'brick', 'sky', 'metal', 'foliage'],
  ['brick', 'wood', 'white', 'black', 'stone'],
  ['sand', 'water', 'sky', 'paleSky', 'stone'],
  ['water', 'sky', 'snow', 'paleSky', 'metal'],
  ['dusk', 'night', 'water', 'black', 'conifer'],
  ['night', 'lamp', 'black', 'concrete', 'blue'],
  ['skin', 'black', 'white', 'wood', 'blue'],
  ['skin', 'fur', 'foliage', 'white', 'concrete'],
  ['fur', 'dryGrass', 'soil', 'wood', 'foliage'],
  ['wood', 'white', 'black', 'concrete', 'lamp'],
  ['stone', 'soil', 'dryGrass', 'conifer', 'sky'],
  ['white', 'concrete', 'paleSky', 'metal', 'snow'],
  ['black', 'metal', 'night', 'stone', 'lamp'],
  ['red', 'white', 'black', 'yellow', 'blue'],
]

/** The materials of one scene. One in eight scenes is monochrome. */
export function drawSetting(random: Random, vividness: number): Material[] {
  const names = random.pick(settings)
  const kept = names.filter(() => random.chance(0.75))
  const chosen = (kept.length > 0 ? kept : names).map((name): Material => materials[name])
  if (random.chance(0.1)) chosen.push(materials[random.pick(Object.keys(materials) as Name[])])
  const saturation = random.chance(0.08) ? 0 : vividness * random.between(0.4, 1.15)
  const warmth = random.normal() * 0.03
  const cast = (colour: Rgb): Rgb => {
    const grey = 0.3 * colour[0] + 0.55 * colour[1] + 0.15 * colour[2]
    const [r, g, b] = colour.map((v) => grey + (v - grey) * saturation) as [number, number, number]
    return saturation === 0 ? [r, g, b] : [r * (1 + warmth), g, b * (1 - warmth)]
  }
  return chosen.map(({ dark, light }) => ({ dark: cast(dark), light: cast(light) }))
}
