/** Installs what package-lock.json names, when node_modules does not hold exactly that. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { npm, root } from './run.mjs'

async function packagesOf(path) {
  try {
    return JSON.parse(await readFile(resolve(root, path), 'utf8')).packages
  } catch {
    return null
  }
}

/** npm keeps a copy of the lockfile for what it installed; parts for other platforms are missing from it. */
export async function isInstalled() {
  const wanted = await packagesOf('package-lock.json')
  const present = await packagesOf('node_modules/.package-lock.json')
  if (wanted === null || present === null) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true
    const found = present[path]
    return found === undefined
      ? entry.optional === true || entry.peer === true
      : found.version === entry.version
  })
}

export async function ensureInstalled() {
  if (await isInstalled()) return
  console.log('Installing what package-lock.json names ...')
  const status = await npm(['ci', '--no-fund', '--no-audit'])
  if (status === 0) return
  console.error(
    'The installation failed. Without prebuilt SQLite for this system it needs python3, make and a C++ compiler.',
  )
  process.exit(status)
}
