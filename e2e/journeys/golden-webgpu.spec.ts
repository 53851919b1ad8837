import { expect, test } from '@playwright/test'
import { readGoldenStreams, restoreGolden } from '../support/golden-page'

for (const golden of readGoldenStreams()) {
  test(`golden streams of ${golden.modelName} give their symbols and pixels on webgpu`, async ({ page }) => {
    test.setTimeout(480_000)
    for (const one of await restoreGolden(page, 'webgpu', golden)) {
      expect(one.hasSameSymbols, one.name).toBe(true)
      expect(one.worstPixel, one.name).toBeLessThanOrEqual(one.tolerance)
    }
  })
}
