/** The journeys' `test`: a fresh server and vault each, and devices that are watched for what they should never do. */
import { test as base, expect, type BrowserContext, type BrowserContextOptions } from '@playwright/test'
import { SafelightPage } from './safelight-page'
import { makeVaultServer, type VaultServer } from './vault-server'
import { watch, type Watch } from './watch'

interface Journey {
  readonly server: VaultServer
  /** A browser profile of its own, with the app's page in it, not yet opened. */
  readonly newDevice: (options?: BrowserContextOptions) => Promise<SafelightPage>
}

export const test = base.extend<Journey>({
  server: async ({ browserName }, use) => {
    const server = await makeVaultServer(browserName)
    await server.start()
    await use(server)
    await server.dispose()
  },

  newDevice: async ({ browser, server, viewport }, use) => {
    const contexts: BrowserContext[] = []
    const watches: Watch[] = []
    await use(async (options = {}) => {
      const context = await browser.newContext({ viewport, ...options })
      contexts.push(context)
      watches.push(watch(context, server.origin))
      return new SafelightPage(await context.newPage(), server.origin)
    })
    for (const context of contexts) await context.close()
    expect(watches.flatMap(({ complaints }) => complaints)).toEqual([])
  },
})

export { expect }
