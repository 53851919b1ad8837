// Writes the crops that ablate.py reads: held-out.bin, and one file of training crops for the recipe and for every
// change of it, of the same scenes as `dump-crops --seed 2` (uint8 [count, 256, 256, 3]):
//
//     npx tsx models/training/ablation-crops.mjs FOLDER [COUNT]
//
// A file appears under its name only when it is whole; files that are there are kept.
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { proceduralImage } from '../../src/training/procedural-images'
import { RECIPE } from '../../src/training/recipe'

const SIDE = 256
const ACROSS = 2 // crops in a row of a scene
const HELD_OUT = { seed: 7, count: 64 }
const SEED = 2

// The ingredients that data-statistics.ts leaves out, and the recipe before its factors were matched to photographs.
const changes = {
  recipe: {},
  'no-texture': { texture: 0 },
  'no-noise': { noise: 0.12 },
  'no-graphics': { graphics: 0 },
  unmatched: { contrast: 1, texture: 1, saturation: 1, chromaBlur: 1 },
  'sharp-lens': { soft: 0 },
  'small-leaves': { smallest: 3 },
  'no-far-layer': { full: 1 },
  'no-sharpening': { crisp: 0 },
  'no-unevenness': { mottle: 0.1 },
  'full-chroma': { chromaBlur: 0 },
  'half-contrast': { contrast: RECIPE.contrast / 2 },
}

function writeCrops(file, seed, count, change) {
  if (existsSync(file)) return
  const bytes = 3 * SIDE * SIDE
  const crops = Buffer.alloc(count * bytes)
  const stride = 3 * ACROSS * SIDE
  let image
  for (let k = 0; k < count; k++) {
    const part = k % ACROSS ** 2
    if (part === 0) {
      const scene = Math.imul(seed, 1_000_003) + k / ACROSS ** 2
      image = proceduralImage(scene, ACROSS * SIDE, ACROSS * SIDE, { ...RECIPE, ...change })
    }
    const corner = Math.floor(part / ACROSS) * SIDE * stride + 3 * (part % ACROSS) * SIDE
    for (let y = 0; y < SIDE; y++) {
      const from = corner + y * stride
      crops.set(image.subarray(from, from + 3 * SIDE), k * bytes + 3 * y * SIDE)
    }
  }
  writeFileSync(`${file}.tmp`, crops)
  renameSync(`${file}.tmp`, file)
  console.log(file)
}

const [folder, count = '1200'] = process.argv.slice(2)
if (folder === undefined) throw new Error('name a folder for the crops')
mkdirSync(folder, { recursive: true })
writeCrops(join(folder, 'held-out.bin'), HELD_OUT.seed, HELD_OUT.count, {})
for (const [name, change] of Object.entries(changes))
  writeCrops(join(folder, `${name}.bin`), SEED, Number(count), change)
