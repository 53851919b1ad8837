import { test } from '../support/test'

test('this device checks itself: keystream to the bit, on WebAssembly', async ({ newDevice }) => {
  const app = await newDevice()
  await app.open()
  await app.createVault()
  await app.expectEngine('wasm')
  await app.expectSoundDevice('wasm')
})
