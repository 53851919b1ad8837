import type { Locator } from '@playwright/test'
import { lookAt } from '../support/looks'
import type { SafelightPage } from '../support/safelight-page'
import { expect, test } from '../support/test'

const KINDS = [
  ['Torus, 32 steps', 32],
  ['Gaussian, 32 steps', 32],
  ['Gaussian, 1,000 steps', 1000],
] as const
const SIZES = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
] as const

/** Picture, slider and choice stay where they are at every step of every kind of noise. */
async function expectStill(app: SafelightPage, slider: Locator): Promise<void> {
  const kinds = app.viewer().getByRole('combobox', { name: 'Kind of noise' })
  const places = () => Promise.all([app.canvas(), slider, kinds].map((part) => part.boundingBox()))
  for (const size of SIZES) {
    await app.page.setViewportSize(size)
    const first = await places()
    for (const [label, last] of KINDS) {
      await kinds.selectOption({ label })
      await expect(slider).toBeEnabled()
      const stops = Number(await slider.getAttribute('max'))
      for (const stop of [0, 1, 2, Math.floor(stops / 2), stops - 1, stops]) {
        await slider.fill(String(stop))
        await expect(slider).toHaveAttribute('aria-valuetext', new RegExp(`^Step \\d+ of ${last}\\.`))
        expect(await places(), `${label}, stop ${stop} at ${size.width} px`).toEqual(first)
      }
    }
  }
}

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

  for (const [label, last] of KINDS.slice(1)) {
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
  await expectStill(app, slider)
})
