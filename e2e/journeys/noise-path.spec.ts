import { lookAt } from '../support/looks'
import { expect, test } from '../support/test'

test('a slider goes from photo to noise and back', async ({ newDevice }) => {
  test.setTimeout(300_000)
  const app = await newDevice()
  await app.open()
  await app.createVault()
  await app.pick(['alpine-evening.jpg'])
  await app.expectSafe('alpine-evening.jpg')
  await app.view('alpine-evening.jpg')
  await app.expectRestored(1600, 1067)
  await app.viewer().getByRole('switch', { name: 'From photo to noise' }).click()
  const slider = app.viewer().getByRole('slider', { name: 'From photo to noise and back' })
  await expect(slider).toBeEnabled()

  const photo = await app.shownPixels()
  await slider.focus()
  await app.page.keyboard.press('ArrowRight')
  await expect(slider).toHaveAttribute('aria-valuetext', /^Step 1 of 32.*every byte/)
  await lookAt(app.page, '10-noise-path-step-1')
  await app.page.keyboard.press('End')
  await expect(slider).toHaveAttribute('aria-valuetext', /^Step 32 of 32.*every byte/)
  expect(await app.shownPixels()).not.toBe(photo)
  await lookAt(app.page, '11-noise-path-end')
  await app.page.keyboard.press('Home')
  await expect(slider).toHaveAttribute('aria-valuetext', /^Step 0 of 32/)
  expect(await app.shownPixels()).toBe(photo)

  for (const [label, last] of [
    ['Gaussian, 32 steps', 32],
    ['Gaussian, 1,000 steps', 1000],
  ] as const) {
    await app.viewer().getByRole('combobox', { name: 'Kind of noise' }).selectOption({ label })
    await expect(slider).toBeEnabled()
    await slider.focus()
    await app.page.keyboard.press('End')
    await expect(slider).toHaveAttribute('aria-valuetext', new RegExp(`^Step ${last} of ${last}.*clipped`))
    await app.page.keyboard.press('Home')
    expect(await app.shownPixels()).toBe(photo)
    await app.page.keyboard.press('ArrowRight')
    await app.page.keyboard.press('ArrowRight')
  }
  await lookAt(app.page, '12-noise-path-gaussian')
})
