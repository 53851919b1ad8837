import type { RasterImage } from '../codec/types'

/** The middle of a picture; all of a side that is shorter than asked. */
export function cutMiddle(picture: RasterImage, mostWidth: number, mostHeight = mostWidth): RasterImage {
  const width = Math.min(mostWidth, picture.width)
  const height = Math.min(mostHeight, picture.height)
  const left = (picture.width - width) >> 1
  const top = (picture.height - height) >> 1
  const data = new Uint8ClampedArray(4 * width * height)
  for (let y = 0; y < height; y++) {
    const from = 4 * ((top + y) * picture.width + left)
    data.set(picture.data.subarray(from, from + 4 * width), 4 * y * width)
  }
  return { ...picture, width, height, data }
}
