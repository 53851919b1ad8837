import { dropFiles } from '../support/drop'
import { lookAt } from '../support/looks'
import { BAD, GOOD, picture, readCanary } from '../support/pictures'
import { expect, test } from '../support/test'

test('a first vault: kit, drop, check, view, reload', async ({ newDevice }) => {
  test.setTimeout(420_000)
  const app = await newDevice()
  const { page } = app
  await app.open()
  await test.step('the kit is shown and proven', async () => {
    await expect(app.createButton()).toBeVisible()
    await lookAt(page, '1-welcome')
    await app.createVault({
      onWords: () => lookAt(page, '2-kit'),
      wrongFirst: true,
      onProof: () => lookAt(page, '3-prove-kit'),
    })
    await lookAt(page, '4-empty-gallery')
  })

  const oriented = readCanary().fileName
  await test.step('photos dropped on the page become safe, and bad files have lines of their own', async () => {
    await dropFiles(page, [oriented, ...BAD, ...GOOD].map(picture))
    for (const name of [oriented, ...GOOD]) await app.expectSafe(name)
    for (const name of BAD) await app.expectFailed(name)
    await lookAt(page, '5-tray')
    await expect(app.photos()).toHaveCount(GOOD.length + 1)
  })

  await test.step('a click restores the photo full size, upright', async () => {
    await app.view(oriented)
    await app.expectRestored(320, 480)
    await lookAt(page, '6-viewer')
    await app.closeViewer()
    await app.view('very-wide.png')
    await app.expectRestored(20_000, 10)
    await app.closeViewer()
    await app.view('one-pixel.png')
    await app.expectRestored(1, 1)
    await app.closeViewer()
  })

  await test.step('alpha is part of the photo', async () => {
    await app.view('paper-moon.png')
    await app.expectRestored(301, 203)
    const alpha = await app.canvas().evaluate((canvas: HTMLCanvasElement) => {
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data
      return data === undefined ? [] : [data[3], data[(101 * canvas.width + 150) * 4 + 3]]
    })
    expect(alpha).toEqual([0, 255])
    await app.closeViewer()
  })

  await test.step('what the vault holds can be looked at', async () => {
    await app.view('river.webp')
    await app.expectRestored(400, 300)
    await app.showArtifact()
    await lookAt(page, '7-what-the-vault-holds')
    await app.closeViewer()
  })

  await test.step('everything is still there after a reload', async () => {
    await page.reload()
    await expect(app.photos()).toHaveCount(GOOD.length + 1)
    await app.view('dunes.avif')
    await app.expectRestored(320, 240)
  })
})
