/** Makes docs/gallery.png from the screenshot that the journeys took last: `npm run test:e2e -- looks` first. */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import sharp from 'sharp'
import { root } from './parts/run.mjs'

const MOST_BYTES = 300_000
const source = resolve(root, 'test-results/screenshots/8-gallery-desktop-dark.png')

await mkdir(resolve(root, 'docs'), { recursive: true })
const { size } = await sharp(source)
  .extract({ left: 0, top: 0, width: 1280, height: 650 })
  .resize({ width: 960 })
  .png({ compressionLevel: 9, adaptiveFiltering: true })
  .toFile(resolve(root, 'docs/gallery.png'))
if (size > MOST_BYTES) throw new Error(`docs/gallery.png has ${size} bytes, more than ${MOST_BYTES}.`)
console.log(`docs/gallery.png: ${size} bytes`)
