/** What README.md says about the repository is true of it: dependencies, rooms, commands and pictures. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { mayImport } from '../eslint.config.js'

interface PackageFile {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
}

const readme = readFileSync('README.md', 'utf8')
const { dependencies, devDependencies, scripts } = JSON.parse(
  readFileSync('package.json', 'utf8'),
) as PackageFile

/** Names in backticks in the first column of the tables of a section. */
function firstColumn(section: string): string[] {
  const text = readme.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? ''
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''))
}

describe('README', () => {
  it('gives a reason for every dependency, and for no other package', () => {
    const declared = [...Object.keys(dependencies), ...Object.keys(devDependencies)]
    expect(firstColumn('Dependencies').sort()).toEqual(declared.sort())
  })

  it('lists every room', () => {
    const folders = Object.keys(mayImport)
      .filter((room) => room !== 'crypto/dangerous')
      .map((room) => (['server', 'e2e', 'models'].includes(room) ? room : `src/${room}`))
    expect(firstColumn('Rooms').sort()).toEqual(folders.sort())
  })

  it('names only commands that exist', () => {
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1] ?? '')
    expect(named.length).toBeGreaterThan(3)
    for (const name of named) {
      expect(Object.keys(scripts), name).toContain(name)
      const entry = /^(?:tsx|node) (\S+)/.exec(scripts[name] ?? '')?.[1]
      if (entry !== undefined) expect(existsSync(entry), entry).toBe(true)
    }
  })

  it('links to files that are there, and keeps its pictures small', () => {
    for (const [, target = ''] of readme.matchAll(/\]\(((?!https?:)[^)#]+)\)/g)) {
      expect(existsSync(target), target).toBe(true)
      if (/\.(?:png|svg|jpg)$/.test(target)) expect(statSync(target).size).toBeLessThan(300_000)
    }
  })
})
