/** Notes what a page should never do: break its Content-Security-Policy, talk to another origin, or throw. */
import type { BrowserContext, Page } from '@playwright/test'

export interface Watch {
  /** One sentence for each thing that should not have happened. */
  readonly complaints: readonly string[]
}

const POLICY_BREACH =
  /content security policy|refused to (?:load|connect|execute|apply|frame|create)|trustedhtml|trustedscript/i

export function watch(context: BrowserContext, origin: string): Watch {
  const complaints: string[] = []
  context.on('request', (request) => {
    const url = request.url()
    const own = url.startsWith(`${origin}/`) || url.startsWith(`blob:${origin}/`) || url.startsWith('data:')
    if (!own) complaints.push(`a request left the origin: ${new URL(url).origin}`)
  })
  context.on('console', (message) => {
    if (POLICY_BREACH.test(message.text())) complaints.push(`policy: ${message.text()}`)
  })
  const watchPage = (page: Page) => {
    page.on('pageerror', (error) => complaints.push(`uncaught in the page: ${error.message}`))
  }
  context.pages().forEach(watchPage)
  context.on('page', watchPage)
  return { complaints }
}
