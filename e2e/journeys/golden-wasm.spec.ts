import { expect, test } from '@playwright/test'
import { restoreGolden } from '../support/golden-page'

test('golden streams give the same symbols, and pixels within 1 in 255, on wasm', async ({ page }) => {
  test.setTimeout(480_000)
  for (const { name, hasSameSymbols, worstPixel } of await restoreGolden(page, 'wasm')) {
    expect(hasSameSymbols, name).toBe(true)
    expect(worstPixel, name).toBeLessThanOrEqual(1)
  }
})
