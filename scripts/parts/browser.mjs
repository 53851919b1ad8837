/** Finds a Chromium for the journeys: CHROMIUM_PATH, then Playwright's own, then the system's. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

export const HOW_TO_GET_A_BROWSER =
  'The journeys need Chromium. Get one with `npx playwright install chromium`, or on Debian with ' +
  '`apt-get install chromium`, or name one you have: CHROMIUM_PATH=/path/to/chromium npm test'

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function playwrightsOwn() {
  try {
    const { chromium } = await import('@playwright/test')
    return chromium.executablePath()
  } catch {
    return ''
  }
}

/** The path of a browser, or null when there is none. A CHROMIUM_PATH that leads nowhere throws. */
export async function findBrowser() {
  const named = process.env.CHROMIUM_PATH
  if (named) {
    if (!isProgram(named)) throw new Error(`CHROMIUM_PATH names ${named}, where there is no program.`)
    return named
  }
  const own = await playwrightsOwn()
  if (own !== '' && existsSync(own)) return own
  const inPath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  return [...inPath, ...PLACES].find(isProgram) ?? null
}
