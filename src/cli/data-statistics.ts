/**
 * Compares procedural training images with photographs, and says what each ingredient of the recipe is worth:
 *
 *     npx tsx src/cli/data-statistics.ts DIR [--scenes 48] [--seed 5000]
 *
 * DIR holds photographs; JPEGs are scaled down by two first. Prints markdown. Distances are those of
 * src/training/image-statistics.ts; every row leaves out or changes one ingredient.
 */
import { parseArgs } from 'node:util'
import {
  BLOCK_LIMITS,
  imageStatistics,
  statisticalDistance,
  type ImageStatistics,
} from '../training/image-statistics'
import { cutMiddle } from '../training/middle'
import { proceduralImage } from '../training/procedural-images'
import { RECIPE, type Recipe } from '../training/recipe'
import { listPictures, readPicture } from './picture-files'

const SIDE = 512

const variants: readonly (readonly [string, Partial<Recipe>])[] = [
  ['the recipe', {}],
  ['no flat graphics', { graphics: 0 }],
  ['textureless leaves', { texture: 0 }],
  ['all in focus, no far layer', { full: 1 }],
  ['sharp lens', { soft: 0 }],
  ['no sharpening', { crisp: 0 }],
  ['no sensor noise', { noise: 0.12 }],
  ['no unevenness', { mottle: 0.1 }],
  ['full chroma resolution', { chromaBlur: 0 }],
  ['small leaves in every scene', { smallest: 3 }],
  ['half the contrast', { contrast: RECIPE.contrast / 2 }],
]

/** The middle square of every photograph that is large enough. */
async function* photographs(folder: string): AsyncGenerator<Uint8Array> {
  for (const file of await listPictures(folder)) {
    const picture = await readPicture(file, /\.jpe?g$/i.test(file))
    if (picture.width < SIDE || picture.height < SIDE) continue
    yield Uint8Array.from(cutMiddle(picture, SIDE).data.filter((_, i) => i % 4 < 3))
  }
}

async function gather(pictures: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const picture of pictures) all.push(picture)
  return all
}

function* scenes(recipe: Recipe, seed: number, count: number): Generator<Uint8Array> {
  for (let k = 0; k < count; k++) yield proceduralImage(seed + k, SIDE, SIDE, recipe)
}

function describe(title: string, s: ImageStatistics): string {
  const cells = [
    s.slope.toFixed(2),
    s.gradientKurtosis.toFixed(0),
    s.correlation.map((c) => c.toFixed(2)).join(' / '),
    s.smooth.map((v) => (100 * v).toFixed(0)).join(' / '),
    s.bands[0]!.map((v) => v.toPrecision(3)).join(' '),
    s.bands[1]!.map((v) => v.toPrecision(3)).join(' '),
  ]
  return `| ${title} | ${cells.join(' | ')} |`
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { scenes: { type: 'string', default: '48' }, seed: { type: 'string', default: '5000' } },
})
const folder = positionals[0]
if (folder === undefined) throw new Error('name a folder of photographs')
const [seed, count] = [Number(values.seed), Number(values.scenes)]
if (!Number.isInteger(seed) || !Number.isInteger(count) || count < 1)
  throw new Error('--seed and --scenes are whole numbers')

const natural = imageStatistics(await gather(photographs(folder)), SIDE)
const limits = BLOCK_LIMITS.map((l) => `<${l}`).join(' / ')
console.log(
  `| images | slope | gradient kurtosis | R-G / R-B / G-B | % of blocks with luma deviation ${limits} | luma rms per band | red - blue rms per band |`,
)
console.log('|---|---|---|---|---|---|---|')
console.log(describe('photographs', natural))
const distances: string[] = []
for (const [title, change] of variants) {
  const found = imageStatistics(scenes({ ...RECIPE, ...change }, seed, count), SIDE)
  console.log(describe(title, found))
  distances.push(`| ${title} | ${statisticalDistance(found, natural).toFixed(3)} |`)
}
console.log(['', '| procedural images | distance to photographs |', '|---|---|', ...distances].join('\n'))
