/**
 * Results of other codecs, kept under .cache/anchors by the bytes of the file and every setting, so that an evaluation
 * repeated codes with Safelight alone. Their speeds are those of the run that found them.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import type { Measurement } from './measure'

const FOLDER = fileURLToPath(new URL('../../.cache/anchors', import.meta.url))

/** Raised when what is measured or how changes. */
const VERSION = 1

export type AnchorResult = Omit<Measurement, 'picture'>

/** The kept result for this key, or `measure`'s, which is then kept. */
export async function keptResult(
  key: readonly (string | number | boolean)[],
  measure: () => Promise<AnchorResult>,
): Promise<AnchorResult> {
  const libraries = [sharp.versions.sharp, sharp.versions.vips]
  const name = createHash('sha256')
    .update(JSON.stringify([VERSION, ...libraries, ...key]))
    .digest('hex')
  const file = join(FOLDER, `${name}.json`)
  try {
    return JSON.parse(await readFile(file, 'utf8')) as AnchorResult
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const result = await measure()
  await mkdir(FOLDER, { recursive: true })
  const draft = `${file}.${process.pid}`
  await writeFile(draft, JSON.stringify(result))
  await rename(draft, file)
  return result
}
