/** Renders the app's icons from public/icon.svg: npx tsx scripts/make-icons.ts */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'

const svg = await readFile('public/icon.svg')
for (const side of [192, 512]) await sharp(svg).resize(side, side).png().toFile(`public/icon-${side}.png`)
// A maskable icon fills its square; the safe zone is the middle 80 %.
await sharp({ create: { width: 512, height: 512, channels: 4, background: '#160b09' } })
  .composite([{ input: await sharp(svg).resize(410, 410).png().toBuffer() }])
  .png()
  .toFile('public/icon-maskable-512.png')
