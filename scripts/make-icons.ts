/** Renders the app's icons from public/icon.svg: npx tsx scripts/make-icons.ts */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'

const svg = await readFile('public/icon.svg', 'utf8')
for (const side of [192, 512])
  await sharp(Buffer.from(svg)).resize(side, side).png().toFile(`public/icon-${side}.png`)

// A maskable icon fills its square, and its drawing stays in the circle of 80 %.
const wall = '<rect width="512" height="512" rx="116"'
if (!svg.includes(wall)) throw new Error('public/icon.svg has no wall to stretch.')
const maskable = svg
  .replace('viewBox="0 0 512 512"', 'viewBox="-64 -64 640 640"')
  .replace(wall, '<rect x="-64" y="-64" width="640" height="640"')
await sharp(Buffer.from(maskable)).resize(512, 512).png().toFile('public/icon-maskable-512.png')
