/** The codec under Node: TensorFlow.js on WASM (one thread), the model from models/, pictures through sharp. */
import { readFile, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import sharp from 'sharp'
import type { RasterImage } from '../codec/types'
import { loadBaseModel, type BaseModel } from '../model/base-model'

export const MODELS = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'models')
export const CURRENT_MODEL = 'safelight-v1'

export async function readyWasm(): Promise<void> {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')
  setWasmPaths(join(dirname(entry), 'dist') + '/')
  await tf.setBackend('wasm')
  await tf.ready()
}

export async function readModel(name = CURRENT_MODEL, folder = MODELS): Promise<BaseModel> {
  const [description, weights, tables] = await Promise.all(
    ['model.json', 'weights.bin', 'cdf.bin'].map((file) => readFile(join(folder, name, file))),
  )
  return loadBaseModel({ description: description!, weights: weights!, tables: tables! })
}

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
