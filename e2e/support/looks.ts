/** Screenshots of a screen in the four ways people see it, and its check for accessibility. */
import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'
import { resolve } from 'node:path'

const FOLDER = resolve(import.meta.dirname, '../../test-results/screenshots')
const DESKTOP = { width: 1280, height: 800 }
const PHONE = { width: 390, height: 844 }
const LOOKS = [
  { name: 'desktop-dark', size: DESKTOP, colorScheme: 'dark' },
  { name: 'desktop-light', size: DESKTOP, colorScheme: 'light' },
  { name: 'phone-light', size: PHONE, colorScheme: 'light' },
  { name: 'phone-dark', size: PHONE, colorScheme: 'dark' },
] as const

/** Longest that any transition of the app takes, with room. */
const SETTLE_MS = 400

/** Saves SCREEN-desktop-dark.png and so on, and expects no serious accessibility fault in any of them. */
export async function lookAt(page: Page, screen: string): Promise<void> {
  for (const look of LOOKS) {
    await page.setViewportSize(look.size)
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: 'reduce' })
    await page.waitForTimeout(SETTLE_MS)
    await page.screenshot({ path: resolve(FOLDER, `${screen}-${look.name}.png`) })
    const wide = await page.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
    )
    expect(wide, `${screen} scrolls sideways on ${look.name}`).toBe(false)
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
      .analyze()
    const faults = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`,
    )
    expect(faults, `accessibility of ${screen} on ${look.name}`).toEqual([])
  }
  await page.setViewportSize(DESKTOP)
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
}
