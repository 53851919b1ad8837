/** Drops files, with their dates, on the page as a person does, with a DataTransfer that the page reads for itself. */
import type { Page } from '@playwright/test'
import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  avif: 'image/avif',
  gif: 'image/gif',
}

export async function dropFiles(page: Page, paths: readonly string[]): Promise<void> {
  const files = await Promise.all(
    paths.map(async (path) => ({
      name: basename(path),
      type: TYPES[path.split('.').at(-1) ?? ''] ?? '',
      lastModified: Math.round((await stat(path)).mtimeMs),
      base64: (await readFile(path)).toString('base64'),
    })),
  )
  const transfer = await page.evaluateHandle((list) => {
    const data = new DataTransfer()
    for (const { name, type, lastModified, base64 } of list) {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
      data.items.add(new File([bytes], name, { type, lastModified }))
    }
    return data
  }, files)
  for (const type of ['dragenter', 'dragover', 'drop'])
    await page.dispatchEvent('body', type, { dataTransfer: transfer })
}
