import { expect, it } from 'vitest'
import type { RasterImage } from '../codec/types'
import { cutMiddle } from './middle'

/** Every pixel tells its number. */
const numbered = (width: number, height: number): RasterImage => ({
  ...{ width, height, hasAlpha: true, colorSpace: 'display-p3' as const },
  data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => i >> 2),
})
const numbers = ({ data }: RasterImage) => [...data].filter((_, i) => i % 4 === 0)

it('cuts out the middle, and all of a shorter side', () => {
  const picture = numbered(6, 4)
  const cut = cutMiddle(picture, 2)
  expect(cut).toMatchObject({ width: 2, height: 2, hasAlpha: true, colorSpace: 'display-p3' })
  expect(numbers(cut)).toEqual([8, 9, 14, 15])
  expect(numbers(cutMiddle(picture, 3, 9))).toEqual([1, 2, 3, 7, 8, 9, 13, 14, 15, 19, 20, 21])
  expect(cutMiddle(picture, 100)).toEqual(picture)
})
