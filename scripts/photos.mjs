/** `npm run photos -- FOLDER`: drops a folder of photographs on the app in a real browser and measures. */
import { resolve } from 'node:path'

const [folder, ...rest] = process.argv.slice(2)
if (folder === undefined) {
  console.error('Name a folder: npm run photos -- FOLDER')
  process.exit(1)
}
process.env.SAFELIGHT_PHOTOS = resolve(folder)
process.argv = [...process.argv.slice(0, 2), '--project=photos', '--reporter=line', ...rest]
await import('./e2e.mjs')
