import { readGoldenVaults, storeGoldenVault } from '../support/golden-vault'
import { expect, test } from '../support/test'

/** Photos of every released model come back in this release, whose new photos are made with the newest. */
for (const golden of readGoldenVaults()) {
  test(`a vault made with ${golden.modelName} goes on`, async ({ page, server, newDevice }) => {
    await server.stop()
    await storeGoldenVault(page, server.dataDir, golden)
    await server.start()
    const app = await newDevice()
    const { name, width, height } = golden.expected[1]!

    await test.step('its 24 words bring all photos back, small and whole', async () => {
      await app.open()
      await app.enterWords(golden.vault.words)
      await expect(app.photos()).toHaveCount(golden.expected.length)
      await expect(app.thumbnails()).toHaveCount(golden.expected.length)
      await app.view(name)
      await app.expectRestored(width, height)
      await app.closeViewer()
    })

    await test.step('a new photo joins them', async () => {
      await app.pick(['tiny.png'])
      await app.expectSafe('tiny.png')
    })

    await test.step('old and new open without the vault', async () => {
      await app.expectOfflineReady()
      await server.stop()
      await app.page.reload()
      await expect(app.thumbnails()).toHaveCount(golden.expected.length + 1)
      await app.view(name)
      await app.expectRestored(width, height)
      await app.closeViewer()
      await app.view('tiny.png')
      await app.expectRestored(64, 48)
    })
  })
}
