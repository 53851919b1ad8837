import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { DarkroomError } from './errors'
import { inspectImage, sniffImage, type ImageKind } from './image-file'
import { storedRect, upright, type Orientation } from './orientation'
import { exifDateToIso, readPhotoFacts } from './photo-facts'
import { shrunkSize, startShrinking } from './shrink'

const WIDTH = 37
const HEIGHT = 23

/** Real files from a real encoder, one of each kind and variant. */
async function makeFiles(): Promise<[ImageKind, Uint8Array<ArrayBuffer>][]> {
  const raw = Buffer.from(Array.from({ length: WIDTH * HEIGHT * 4 }, (_, i) => (i * 31 + (i >> 5)) % 256))
  const image = () => sharp(raw, { raw: { width: WIDTH, height: HEIGHT, channels: 4 } })
  const encoded = await Promise.all([
    image().jpeg().toBuffer(),
    image().jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer(),
    image().png().toBuffer(),
    image().removeAlpha().webp().toBuffer(),
    image().webp().toBuffer(),
    image().removeAlpha().webp({ lossless: true }).toBuffer(),
    image().gif().toBuffer(),
    image().avif().toBuffer(),
  ])
  const kinds = ['jpeg', 'jpeg', 'png', 'webp', 'webp', 'webp', 'gif', 'avif'] as const
  return encoded.map((bytes, i) => [kinds[i]!, new Uint8Array(bytes)])
}

function codeOf(bytes: Uint8Array): string {
  try {
    inspectImage(bytes)
    return 'ok'
  } catch (error) {
    if (error instanceof DarkroomError) return error.code
    throw error
  }
}

describe('looking at image files', () => {
  it('finds kind and size', async () => {
    for (const [kind, bytes] of await makeFiles())
      expect(inspectImage(bytes)).toEqual({ kind, mime: `image/${kind}`, width: WIDTH, height: HEIGHT })
  })

  it('names what is empty, no image or cut off anywhere', async () => {
    expect(codeOf(new Uint8Array())).toBe('empty')
    for (const text of ['hello', '<svg xmlns="http://www.w3.org/2000/svg"/>', '%PDF-1.7', 'II*\0'])
      expect(codeOf(new TextEncoder().encode(text))).toBe('not-image')
    for (const [kind, bytes] of await makeFiles())
      for (const share of [0.3, 0.5, 0.7, 0.9, 0.99]) {
        if (kind === 'gif' && share === 0.99) continue // only the trailer is missing
        expect(codeOf(bytes.subarray(0, Math.floor(bytes.length * share)))).toBe('truncated')
      }
  })

  it('refuses more than 200 megapixels from the header alone', async () => {
    const png = (await makeFiles())[2]![1].slice()
    const view = new DataView(png.buffer)
    view.setUint32(16, 20_000)
    view.setUint32(20, 10_000)
    expect(codeOf(png)).toBe('ok')
    view.setUint32(20, 10_001)
    expect(codeOf(png)).toBe('too-large')
    view.setUint32(20, 0)
    expect(codeOf(png)).toBe('undecodable')
  })

  it('meets hostile bytes with its own error', async () => {
    const files = await makeFiles()
    fc.assert(
      fc.property(
        fc.nat(files.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }),
        fc.nat(),
        (which, changes, cut) => {
          const bytes = files[which]![1].slice()
          for (const [at, value] of changes) bytes[at % Math.min(bytes.length, 400)] = value
          codeOf(bytes.subarray(0, cut % (bytes.length + 1)))
        },
      ),
      { numRuns: 5000 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void sniffImage(bytes)))
  })
})

describe('orientation', () => {
  const orientations = ([0, 90, 180, 270] as const).flatMap((rotation) =>
    [false, true].map((flip): Orientation => ({ rotation, flip })),
  )

  it('agrees with a known picture', () => {
    const stored = Uint32Array.of(1, 2, 3, 4, 5, 6) // 3 wide, 2 high
    const turn = (rotation: Orientation['rotation'], flip: boolean) => [
      ...upright(stored.slice(), 3, 2, { rotation, flip }),
    ]
    expect(turn(0, true)).toEqual([3, 2, 1, 6, 5, 4])
    expect(turn(90, false)).toEqual([4, 1, 5, 2, 6, 3])
    expect(turn(180, false)).toEqual([6, 5, 4, 3, 2, 1])
    expect(turn(270, false)).toEqual([3, 6, 2, 5, 1, 4])
    expect(turn(90, true)).toEqual([1, 4, 2, 5, 3, 6])
  })

  it('gives every band the rows that the whole picture has', () => {
    const width = 7
    const height = 5
    const stored = Uint32Array.from({ length: width * height }, (_, i) => i)
    for (const orientation of orientations) {
      const whole = upright(stored, width, height, orientation)
      const [w, h] = orientation.rotation % 180 === 0 ? [width, height] : [height, width]
      for (let y0 = 0; y0 < h; y0++)
        for (let y1 = y0 + 1; y1 <= h; y1++) {
          const rect = storedRect({ x: 0, y: y0, width: w, height: y1 - y0 }, orientation, width, height)
          const part = new Uint32Array(rect.width * rect.height)
          for (let y = 0; y < rect.height; y++)
            for (let x = 0; x < rect.width; x++)
              part[y * rect.width + x] = stored[(rect.y + y) * width + rect.x + x]!
          expect(upright(part, rect.width, rect.height, orientation)).toEqual(whole.slice(y0 * w, y1 * w))
        }
    }
  })
})

describe('shrinking', () => {
  it('keeps the aspect and never enlarges', () => {
    expect(shrunkSize(4000, 3000, 320)).toEqual({ width: 320, height: 240 })
    expect(shrunkSize(20_000, 10, 320)).toEqual({ width: 320, height: 1 })
    expect(shrunkSize(5, 3, 320)).toEqual({ width: 5, height: 3 })
  })

  it('averages areas, weights colour by alpha, and does not depend on the cut', () => {
    const data = Uint8ClampedArray.of(200, 0, 0, 255, 9, 9, 9, 0, 100, 0, 0, 255, 100, 0, 0, 255)
    const rows = { width: 2, height: 2, hasAlpha: true, colorSpace: 'srgb' as const, data }
    const whole = startShrinking(2, 2, 1)
    whole.add(rows)
    const shrunk = whole.finish()
    expect([...shrunk.data]).toEqual([133, 0, 0, 191])
    const cut = startShrinking(2, 2, 1)
    cut.add({ ...rows, height: 1, data: data.slice(0, 8) })
    cut.add({ ...rows, height: 1, data: data.slice(8) })
    expect(cut.finish()).toEqual(shrunk)
  })
})

describe('metadata', () => {
  it('reads the date of a photo and survives files without', async () => {
    const jpeg = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
      .jpeg()
      .withExif({ IFD0: { Model: 'Box 1' }, IFD2: { DateTimeOriginal: '2024:05:06 07:08:09' } })
      .toBuffer()
    expect(readPhotoFacts(new Uint8Array(jpeg))).toEqual({
      takenAt: '2024-05-06T07:08:09',
      camera: 'Box 1',
      place: null,
    })
    expect(readPhotoFacts(new Uint8Array(10)).takenAt).toBeNull()
  })

  it('takes only real dates', () => {
    expect(exifDateToIso('2024:05:06 07:08:09', '+02:00')).toBe('2024-05-06T07:08:09+02:00')
    expect(exifDateToIso('2024:05:06 07:08:09', 'x')).toBe('2024-05-06T07:08:09')
    for (const date of ['0000:00:00 00:00:00', '', 'yesterday', '2024:13:06 07:08:09'])
      expect(exifDateToIso(date, null)).toBeNull()
  })
})
