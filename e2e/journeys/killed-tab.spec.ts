import { join } from 'node:path'
import { filesUnder } from '../support/search'
import { expect, test } from '../support/test'

const DROP = [
  'alpine-evening.jpg',
  'north-ridge.jpg',
  'first-snow.jpg',
  'late-harvest.jpg',
  'blue-hour.jpg',
  'old-road.jpg',
  'two-lakes.jpg',
  'before-rain.jpg',
  'river.webp',
  'dunes.avif',
] as const

test('a tab that is killed in the middle of a drop loses and doubles nothing', async ({
  server,
  newDevice,
}) => {
  test.setTimeout(300_000)
  let app = await newDevice()
  await app.open()
  const words = (await app.createVault()).join(' ')
  await app.pick(DROP)
  for (const kept of [1, 4]) {
    await expect
      .poll(() => app.photos().count(), { timeout: 120_000, intervals: [20] })
      .toBeGreaterThanOrEqual(kept)
    app = await app.killTab()
  }
  await expect(app.photos()).toHaveCount(DROP.length, { timeout: 240_000 })
  await expect(app.photos().getByText('On this device only')).toHaveCount(0)
  expect(await filesUnder(join(server.dataDir, 'blobs'))).toHaveLength(DROP.length)

  const second = await newDevice()
  await second.open()
  await second.enterWords(words)
  await expect(second.photos()).toHaveCount(DROP.length)
  for (const name of DROP) await expect(second.photos().and(second.page.getByLabel(name))).toHaveCount(1)
  await second.view('alpine-evening.jpg')
  await second.expectRestored(1600, 1067)
})
