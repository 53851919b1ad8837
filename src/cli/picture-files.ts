/** Picture files under Node, through sharp. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import type { RasterImage } from '../codec/types'

/** Any picture that sharp reads, orientation applied, as straight RGBA; `halve` scales it down by two first. */
export async function readPicture(file: string | Buffer, halve = false): Promise<RasterImage> {
  let source = sharp(file).rotate().toColourspace('srgb')
  if (halve) {
    const { width, height } = await sharp(file).rotate().metadata()
    source = source.resize(Math.floor(width / 2), Math.floor(height / 2), { kernel: 'lanczos3', fit: 'fill' })
  }
  const { hasAlpha } = await sharp(file).metadata()
  const { data, info } = await source.ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  return {
    width: info.width,
    height: info.height,
    hasAlpha,
    colorSpace: 'srgb',
    data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.length),
  }
}

export async function writePicture(image: RasterImage, file: string): Promise<void> {
  const raw = { width: image.width, height: image.height, channels: 4 as const }
  let picture = sharp(Buffer.from(image.data.buffer, image.data.byteOffset, image.data.length), { raw })
  if (!image.hasAlpha) picture = picture.removeAlpha()
  await picture.toFile(file)
}

const PICTURE = /\.(png|jpe?g|webp|avif|gif|tiff?)$/i

export async function listPictures(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names
    .filter((name) => PICTURE.test(name))
    .sort()
    .map((name) => join(folder, name))
}
