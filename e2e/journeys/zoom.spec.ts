import { expect, test } from '../support/test'

const WIDTH = 3000
const HEIGHT = 2000
/** Top left, top right, bottom left, bottom right. */
const QUARTERS = ['#c82828', '#28a03c', '#2850c8', '#d2be32'] as const

test('a large photo is looked at closely, about its middle', async ({ newDevice }) => {
  test.setTimeout(300_000)
  const app = await newDevice()
  const { page } = app
  await app.open()
  await app.createVault()
  const png = await page.evaluate(
    async ([width, height, colours]) => {
      const canvas = new OffscreenCanvas(width, height)
      const context = canvas.getContext('2d')
      for (const [i, colour] of colours.entries()) {
        if (context === null) continue
        context.fillStyle = colour
        context.fillRect(((i % 2) * width) / 2, ((i >> 1) * height) / 2, width / 2, height / 2)
      }
      const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())
      return [...bytes]
    },
    [WIDTH, HEIGHT, QUARTERS] as const,
  )
  await app.fileInput().setInputFiles({ name: 'flag.png', mimeType: 'image/png', buffer: Buffer.from(png) })
  await app.expectSafe('flag.png')
  await app.view('flag.png')
  await app.expectShown()
  const canvases = app.viewer().locator('canvas')
  await expect(canvases).toHaveCount(1)
  await expect(app.canvas()).toHaveJSProperty('width', WIDTH / 2)

  for (let i = 0; i < 6; i++) await page.keyboard.press('+')
  const detail = canvases.nth(1)
  await expect(detail).toHaveAttribute('width', /./)
  const [whole, part, stage] = await Promise.all(
    [app.canvas(), detail, app.viewer().locator('.stage')].map((each) => each.boundingBox()),
  )
  const middleOf = (box: typeof whole) => [box!.x + box!.width / 2, box!.y + box!.height / 2]
  for (const [i, at] of middleOf(stage).entries()) {
    expect(Math.abs(middleOf(whole)[i]! - at)).toBeLessThan(2)
    expect(Math.abs(middleOf(part)[i]! - at)).toBeLessThan(4)
  }
  expect(part!.width).toBeGreaterThanOrEqual(stage!.width)

  const seen = await detail.evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas
    const context = canvas.getContext('2d')
    return [-20, 20].flatMap((dy) =>
      [-20, 20].map((dx) => [...context!.getImageData(width / 2 + dx, height / 2 + dy, 1, 1).data]),
    )
  })
  for (const [i, colour] of QUARTERS.entries())
    for (const c of [0, 1, 2]) {
      const expected = Number.parseInt(colour.slice(1 + 2 * c, 3 + 2 * c), 16)
      expect(Math.abs(seen[i]![c]! - expected)).toBeLessThan(12)
    }

  await page.keyboard.press('0')
  await expect(canvases).toHaveCount(1)
})
