import { expect, test } from '../support/test'

test('24 words restore the photos on another device, and nothing else does', async ({ newDevice }) => {
  test.setTimeout(300_000)
  const first = await newDevice()
  await first.open()
  const words = await first.createVault()
  await first.pick(['river.webp', 'paper-moon.png'])
  await first.expectSafe('river.webp')
  await first.expectSafe('paper-moon.png')

  await test.step('a device without words gets nothing', async () => {
    const stranger = await newDevice()
    await stranger.open()
    await expect(stranger.createButton()).toBeVisible()
    await expect(stranger.photos()).toHaveCount(0)
  })

  await test.step('wrong words are refused in a sentence', async () => {
    const stranger = await newDevice()
    await stranger.open()
    await stranger.enterWords([...words.slice(1), words[0] ?? ''].join(' '))
    await stranger.expectRefusal()
    // A kit that is well formed, and of no vault: the words of 32 zero bytes.
    await stranger.retypeWords(`${'abandon '.repeat(23)}art`)
    await stranger.expectRefusal()
    await expect(stranger.photos()).toHaveCount(0)
  })

  await test.step('the right words restore everything', async () => {
    const second = await newDevice()
    await second.open()
    await second.enterWords(words.join(' '))
    await expect(second.photos()).toHaveCount(2)
    await second.view('river.webp')
    await second.expectRestored(400, 300)
    await second.closeViewer()
    await second.pick(['dunes.avif'])
    await second.expectSafe('dunes.avif')
  })

  await test.step('what the second device adds reaches the first', async () => {
    await first.page.reload()
    await expect(first.photos()).toHaveCount(3)
    await first.view('dunes.avif')
    await first.expectRestored(320, 240)
  })
})
