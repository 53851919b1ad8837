/**
 * An empty page of a local origin with one module on it, bundled from the source: what the app computes but does not
 * show. The journeys use the app as built; this looks at its rooms alone, and adds nothing to the app.
 */
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { build, type Rolldown } from 'vite'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Nothing listens there: every request is answered here. A secure context, as crypto.subtle needs. */
const ORIGIN = 'http://localhost:9'
const ENTRY = 'source-page-entry'

async function bundle(source: string): Promise<string> {
  const result = (await build({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    plugins: [
      {
        name: ENTRY,
        resolveId: (id) => (id === ENTRY ? `\0${ENTRY}` : null),
        load: (id) => (id === `\0${ENTRY}` ? source : null),
      },
    ],
    build: { write: false, target: 'es2023', rolldownOptions: { input: ENTRY } },
  })) as Rolldown.RolldownOutput
  return result.output[0].code
}

export interface SourcePage {
  /** JavaScript that imports from `/src/…` and sets `window[gives]` when it is ready. */
  readonly source: string
  readonly gives: string
  /** Folders of the repository by the first part of the address: `wasm` for `/wasm/…`. */
  readonly folders?: Readonly<Record<string, string>>
}

/** Resolves when the module has run. */
export async function openSourcePage(page: Page, { source, gives, folders = {} }: SourcePage): Promise<void> {
  const content = await bundle(source)
  await page.route(`${ORIGIN}/**`, async (route) => {
    const [, first = '', ...rest] = new URL(route.request().url()).pathname.split('/')
    if (first === '')
      return route.fulfill({ contentType: 'text/html', body: `<!doctype html><title>${gives}</title>` })
    const folder = folders[first]
    if (folder === undefined) return route.fulfill({ status: 404 })
    return route.fulfill({ path: `${ROOT}${folder}/${rest.join('/')}` })
  })
  await page.goto(`${ORIGIN}/`)
  await page.addScriptTag({ type: 'module', content })
  await page.waitForFunction((name) => name in window, gives)
}
