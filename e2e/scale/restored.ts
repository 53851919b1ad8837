/** How far a restored picture is from the file it was made from, compared in a page of its own. */
import type { Browser } from '@playwright/test'

const ORIGIN = 'http://compare.test/'

export interface Comparison {
  readonly pixels: number
  /** Over R, G and B; Infinity where the sizes differ. */
  readonly squaredError: number
}

/** The page and its process end with the comparison. */
export async function compareFiles(
  browser: Browser,
  original: Buffer,
  restored: Buffer,
): Promise<Comparison> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    const bodies = new Map<string, Buffer | string>([
      [ORIGIN, '<!doctype html>'],
      [`${ORIGIN}original`, original],
      [`${ORIGIN}restored`, restored],
    ])
    await page.route(`${ORIGIN}**`, (route, request) => {
      const contentType = request.url() === ORIGIN ? 'text/html' : 'application/octet-stream'
      return route.fulfill({ body: bodies.get(request.url()) ?? '', contentType })
    })
    await page.goto(ORIGIN)
    return await page.evaluate(async () => {
      const bitmapOf = async (name: string) => createImageBitmap(await (await fetch(name)).blob())
      const [one, other] = await Promise.all([bitmapOf('original'), bitmapOf('restored')])
      const { width, height } = one
      if (other.width !== width || other.height !== height)
        return { pixels: width * height, squaredError: Infinity }
      const rows = 256
      const context = new OffscreenCanvas(width, rows).getContext('2d', { willReadFrequently: true })
      if (context === null) throw new Error('no canvas')
      const read = (bitmap: ImageBitmap, y: number, count: number) => {
        context.clearRect(0, 0, width, rows)
        context.drawImage(bitmap, 0, -y)
        return context.getImageData(0, 0, width, count).data
      }
      let squaredError = 0
      for (let y = 0; y < height; y += rows) {
        const count = Math.min(rows, height - y)
        const a = read(one, y, count)
        const b = read(other, y, count)
        for (let i = 0; i < a.length; i++) if ((i & 3) !== 3) squaredError += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2
      }
      return { pixels: width * height, squaredError }
    })
  } finally {
    await context.close()
  }
}
