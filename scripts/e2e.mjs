/** `npm run test:e2e`: finds a browser, builds the app, draws the test pictures, and runs the journeys. */
import { ensureBuilt } from './parts/build.mjs'
import { HOW_TO_GET_A_BROWSER, findBrowser } from './parts/browser.mjs'
import { ensureInstalled } from './parts/install.mjs'
import { requireNode } from './parts/node-version.mjs'
import { bin, root } from './parts/run.mjs'

requireNode()
process.chdir(root)
await ensureInstalled()

let browser = null
try {
  browser = await findBrowser()
} catch (error) {
  console.error(error.message)
}
if (browser === null) {
  console.error(HOW_TO_GET_A_BROWSER)
  process.exit(1)
}

const built = await ensureBuilt()
if (built !== 0) process.exit(built)

const { drawFixtures } = await import('./fixtures.mjs')
const fixtures = await drawFixtures()

process.exit(
  await bin(
    '@playwright/test/cli.js',
    ['test', '--config', 'e2e/playwright.config.ts', ...process.argv.slice(2)],
    {
      env: { ...process.env, CHROMIUM_PATH: browser, SAFELIGHT_FIXTURES: fixtures },
    },
  ),
)
