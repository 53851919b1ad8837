import { expect, test } from '../support/test'

test('a tiny picture goes the whole way on WebGPU', async ({ newDevice }) => {
  test.setTimeout(480_000)
  const app = await newDevice()
  await app.open()
  await app.createVault()
  await app.expectEngine('webgpu', 240_000)
  await app.pick(['tiny.png'])
  await app.expectSafe('tiny.png', 240_000)
  await app.page.reload()
  await expect(app.photos()).toHaveCount(1)
  await app.view('tiny.png')
  await app.expectRestored(64, 48, 240_000)
})
