/** Looks for plaintext in everything a vault keeps on disk, in each spelling that bytes commonly take. */
import { readFile, readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'

export interface Needle {
  readonly name: string
  readonly bytes: Buffer
}

/** The inside of the base64 text of `bytes`, for each of its three alignments in a longer stream. */
function base64Insides(bytes: Buffer): string[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return text.slice(shift === 0 ? 0 : shift + 1, text.length - 1)
  })
}

export function spellings(bytes: Buffer): Buffer[] {
  const hex = bytes.toString('hex')
  const base64 = base64Insides(bytes)
  const text = [
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((part) => part.replaceAll('+', '-').replaceAll('/', '_')),
  ]
  const wide = Buffer.from(bytes.toString('latin1'), 'utf16le')
  return [bytes, wide, ...text.map((part) => Buffer.from(part, 'latin1'))]
}

export async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** "needle in file" for every needle found; file names are searched as well as their contents. */
export async function findPlaintext(folder: string, needles: readonly Needle[]): Promise<string[]> {
  const found: string[] = []
  for (const file of await filesUnder(folder)) {
    const name = relative(folder, file)
    const haystack = Buffer.concat([Buffer.from(`${name}\0`), await readFile(file)])
    for (const needle of needles)
      if (spellings(needle.bytes).some((spelling) => haystack.includes(spelling)))
        found.push(`${needle.name} in ${name}`)
  }
  return found
}
