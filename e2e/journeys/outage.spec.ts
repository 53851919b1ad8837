import { expect, test } from '../support/test'

test('the vault is out of reach, and back', async ({ server, newDevice }) => {
  test.setTimeout(300_000)
  const app = await newDevice()
  await app.open()
  await app.createVault()
  await app.pick(['river.webp', 'dunes.avif'])
  await app.expectSafe('river.webp')
  await app.expectSafe('dunes.avif')
  await app.view('river.webp')
  await app.expectRestored(400, 300)
  await app.closeViewer()
  await app.expectOfflineReady()

  await test.step('without the vault, the gallery and what was viewed still open', async () => {
    expect(await server.stop()).toBe(0)
    await app.page.reload()
    await expect(app.photos()).toHaveCount(2)
    await app.view('river.webp')
    await app.expectRestored(400, 300)
    await app.closeViewer()
  })

  await test.step('new drops wait, over a reload too', async () => {
    await app.pick(['signal.gif', 'tiny.png'])
    await app.expectWaiting('signal.gif')
    await app.expectWaiting('tiny.png')
    await app.page.reload()
    await app.expectWaiting('signal.gif')
    await app.expectWaiting('tiny.png')
  })

  await test.step('they go up when the vault is back', async () => {
    await server.start()
    await app.expectInVault('signal.gif')
    await app.expectInVault('tiny.png')
    await expect(app.photos()).toHaveCount(4)
  })
})
