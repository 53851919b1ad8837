/** Builds the app into dist/, unless nothing it is made from has changed since. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { bin, root } from './run.mjs'

const INPUTS = [
  'src',
  'public',
  'models',
  'index.html',
  'vite.config.ts',
  'tsconfig.json',
  'package-lock.json',
]
const STAMP = resolve(root, '.cache/build-inputs')

async function filesUnder(path) {
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => resolve(entry.parentPath, entry.name))
}

async function hashInputs() {
  const files = []
  for (const input of INPUTS) {
    const path = resolve(root, input)
    if (!existsSync(path)) continue
    files.push(...(/\.\w+$/.test(input) ? [path] : await filesUnder(path)))
  }
  const hash = createHash('sha256')
  for (const file of files.filter((name) => !/\.test\.tsx?$/.test(name)).sort()) {
    const bytes = await readFile(file)
    hash.update(`${file.slice(root.length)}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}

/** Returns the exit status of the build; 0 when there was nothing to do. */
export async function ensureBuilt() {
  const inputs = await hashInputs()
  const built =
    existsSync(resolve(root, 'dist/index.html')) && (await readFile(STAMP, 'utf8').catch(() => '')) === inputs
  if (built) return 0
  console.log('Building the app ...')
  const status = await bin('vite/bin/vite.js', ['build', '--logLevel', 'warn'])
  if (status !== 0) return status
  await mkdir(dirname(STAMP), { recursive: true })
  await writeFile(STAMP, inputs)
  return 0
}
