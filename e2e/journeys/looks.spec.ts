import { lookAt } from '../support/looks'
import { expect, test } from '../support/test'

const ALBUM = [
  'alpine-evening.jpg',
  'north-ridge.jpg',
  'first-snow.jpg',
  'late-harvest.jpg',
  'blue-hour.jpg',
  'old-road.jpg',
  'two-lakes.jpg',
  'before-rain.jpg',
] as const

test('a gallery worth looking at', async ({ newDevice }) => {
  test.setTimeout(420_000)
  const app = await newDevice()
  await app.open()
  await app.createVault()
  await app.pick(ALBUM)
  for (const name of ALBUM) await app.expectSafe(name, 240_000)
  await app.page.reload()
  await expect(app.photos()).toHaveCount(ALBUM.length)
  await expect(app.photos().locator('img')).toHaveCount(ALBUM.length)
  await lookAt(app.page, '8-gallery')
  await app.view('alpine-evening.jpg')
  await app.expectRestored(1600, 1067)
  await lookAt(app.page, '9-photo')
})
