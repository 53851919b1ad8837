import { expect, test } from '../support/test'

interface Manifest {
  readonly name: string
  readonly start_url: string
  readonly display: string
  readonly icons: readonly { readonly src: string; readonly sizes: string }[]
}

test('the app installs, and works offline after one visit', async ({ server, newDevice }) => {
  const app = await newDevice()
  const { page } = app
  await app.open()
  await app.createVault()

  await test.step('the manifest makes it installable', async () => {
    const href = await page.locator('link[rel=manifest]').getAttribute('href')
    const address = new URL(href ?? '', server.origin)
    const manifest = (await (await page.request.get(address.href)).json()) as Manifest
    expect(manifest.name).toMatch(/safelight/i)
    expect(manifest.display).toBe('standalone')
    expect(manifest.icons.map((icon) => icon.sizes)).toEqual(expect.arrayContaining(['192x192', '512x512']))
    for (const icon of manifest.icons)
      expect((await page.request.get(new URL(icon.src, address).href)).ok()).toBe(true)
  })

  await app.expectOfflineReady()
  await server.stop()
  await test.step('shell, engine and model come from this device', async () => {
    await page.reload()
    await expect(app.fileInput()).toBeAttached()
    await app.expectEngine('wasm')
  })
})
