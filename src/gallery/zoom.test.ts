import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { detailOf, fitView, keepInside, overviewOf, zoomAbout, type Size } from './zoom'

const side = fc.integer({ min: 1, max: 20_000 })
const photos = fc.record({ width: side, height: side }).filter((p) => p.width * p.height <= 200_000_000)
const stages = fc.record({
  width: fc.integer({ min: 1, max: 3840 }),
  height: fc.integer({ min: 1, max: 2160 }),
})
const pixelsOf = ({ width, height, shrink }: Size & { shrink: number }) =>
  Math.ceil(width / shrink) * Math.ceil(height / shrink)

describe('what is drawn of a photo', () => {
  it('is all of a small one, pixel for pixel, and nothing more of it closely', () => {
    const photo = { width: 1600, height: 1067 }
    const stage = { width: 1280, height: 690 }
    expect(overviewOf(photo)).toEqual({ x: 0, y: 0, ...photo, shrink: 1 })
    const close = zoomAbout(fitView(photo, stage), 20, { x: 3, y: 4 }, photo, stage)
    expect(detailOf(photo, stage, close, 3)).toBeNull()
  })

  it('is a large one made smaller, and what is looked at closely as sharp as the screen', () => {
    const photo = { width: 8688, height: 5792 }
    const stage = { width: 1280, height: 690 }
    const fit = fitView(photo, stage)
    expect(overviewOf(photo).shrink).toBe(4)
    expect(detailOf(photo, stage, fit, 1)).toBeNull()
    expect(detailOf(photo, stage, { ...fit, scale: 0.5 }, 1)).toMatchObject({ shrink: 2 })
    const whole = { scale: 1, x: 0, y: 0 }
    const middle = { x: 3704, y: 2551, width: 1280, height: 690, shrink: 1 }
    expect(detailOf(photo, stage, whole, 1)).toEqual(middle)
    expect(detailOf(photo, stage, { ...whole, x: 100, y: -7 }, 1)).toEqual({ ...middle, x: 3604, y: 2558 })
  })

  it('lies inside the photo, covers what is seen of it, and takes a canvas that browsers give', () => {
    fc.assert(
      fc.property(
        photos,
        stages,
        fc.record({ x: fc.integer({ min: -9999, max: 9999 }), y: fc.integer({ min: -9999, max: 9999 }) }),
        fc.double({ min: 1, max: 100, noNaN: true }),
        fc.constantFrom(1, 1.5, 3),
        (photo, stage, at, factor, pixelRatio) => {
          expect(pixelsOf(overviewOf(photo))).toBeLessThanOrEqual(4_300_000)
          const view = keepInside(zoomAbout(fitView(photo, stage), factor, at, photo, stage), photo, stage)
          const part = detailOf(photo, stage, view, pixelRatio)
          if (part === null) return
          expect(part.shrink).toBeLessThan(overviewOf(photo).shrink)
          expect(pixelsOf(part)).toBeLessThanOrEqual(16_777_216)
          for (const [from, length, pixels, seen, offset] of [
            [part.x, part.width, photo.width, stage.width / view.scale, view.x / view.scale],
            [part.y, part.height, photo.height, stage.height / view.scale, view.y / view.scale],
          ] as const) {
            expect(from).toBeGreaterThanOrEqual(0)
            expect(from + length).toBeLessThanOrEqual(pixels)
            const left = pixels / 2 - offset - seen / 2
            expect(from).toBeLessThanOrEqual(Math.max(0, left))
            expect(from + length).toBeGreaterThanOrEqual(Math.min(pixels, left + seen) - 1e-6)
          }
        },
      ),
    )
  })
})
