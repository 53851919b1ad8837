/**
 * The lint rules that keep the rooms apart refuse what they should: every direction that is not listed, every library
 * at the wrong door, and browser globals in rooms of plain computation.
 */
import { readdirSync, existsSync } from 'node:fs'
import { ESLint } from 'eslint'
import tseslint from 'typescript-eslint'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  browserGlobals,
  doors,
  mayImport,
  mayImportTypes,
  pureRooms,
  testsMayImport,
} from '../eslint.config.js'

const rooms = Object.keys(mayImport)
const folderOf = (room: string) => (['server', 'e2e', 'models'].includes(room) ? room : `src/${room}`)
const listed = (table: Readonly<Record<string, readonly string[]>>, room: string) => table[room] ?? []

/** A module of the room without its extension, or null while the room is empty. */
function someModule(room: string): string | null {
  const folder = folderOf(room)
  if (!existsSync(folder)) return null
  const name = readdirSync(folder).find((entry) => /\.tsx?$/.test(entry) && !entry.includes('.test.'))
  return name === undefined ? null : `${folder}/${name.replace(/\.tsx?$/, '')}`
}

const relative = (room: string, module: string) => '../'.repeat(folderOf(room).split('/').length) + module

let eslint: ESLint
beforeAll(() => {
  eslint = new ESLint({
    cache: false,
    overrideConfig: [
      { languageOptions: { parserOptions: { projectService: false } } },
      tseslint.configs.disableTypeChecked,
    ],
  })
})

/** Messages of the given rule for code that stands at a path. The file itself need not exist. */
async function refusals(rule: string, filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath })
  const fatal = result?.messages.find((message) => message.fatal === true)
  if (result === undefined || fatal !== undefined)
    throw new Error(`lint could not read the sample: ${fatal?.message ?? filePath}`)
  return result.messages.filter((message) => message.ruleId === rule).map((message) => message.message)
}

const direction = (room: string, code: string, name = 'sample.ts') =>
  refusals('boundaries/dependencies', `${folderOf(room)}/${name}`, code)

describe('import direction', () => {
  const pairs = rooms.flatMap((from) => rooms.filter((to) => to !== from).map((to) => ({ from, to })))
  for (const { from, to } of pairs) {
    const target = someModule(to)
    if (target === null) continue
    const specifier = relative(from, target)
    const allowed = listed(mayImport, from).includes(to)
    it(`${from} ${allowed ? 'may' : 'may not'} import ${to}`, async () => {
      const found = await direction(from, `import * as sample from '${specifier}'\nexport { sample }\n`)
      if (allowed) expect(found).toEqual([])
      else expect(found.join()).toMatch(/may not import this: rooms are imported one way/)
    })
  }

  const forbidden = relative('lib', 'src/vault/types')

  it('sees through every way to write an import', async () => {
    for (const code of [
      `import type { PhotoId } from '${forbidden}'\nexport type Id = PhotoId\n`,
      `import { type PhotoId } from '${forbidden}'\nexport type Id = PhotoId\n`,
      `export * from '${forbidden}'\n`,
      `export { PhotoId } from '${forbidden}'\n`,
      `export const sample = import('${forbidden}')\n`,
      `import '${forbidden}'\n`,
    ]) {
      expect(await direction('lib', code), code).toHaveLength(1)
    }
  })

  it('lets some rooms take types, and nothing else, from another', async () => {
    for (const [from, targets] of Object.entries(mayImportTypes)) {
      for (const to of targets) {
        const target = someModule(to)
        if (target === null) continue
        const specifier = relative(from, target)
        expect(
          await direction(
            from,
            `import type * as sample from '${specifier}'\nexport type Sample = typeof sample\n`,
          ),
        ).toEqual([])
        expect(
          await direction(from, `import * as sample from '${specifier}'\nexport { sample }\n`),
        ).toHaveLength(1)
      }
    }
  })

  it('lets the app alone take the addresses of released models', async () => {
    const code = `import sample from '../../models/safelight-v1/weights.bin?url'\nexport { sample }\n`
    expect(await direction('app', code)).toEqual([])
    expect(await direction('vault', code)).toHaveLength(1)
  })

  it('refuses files outside the rooms', async () => {
    expect(
      await direction('lib', `import * as sample from '../../eslint.config.js'\nexport { sample }\n`),
    ).toHaveLength(1)
  })

  it('holds tests to the same order, with only the listed exceptions', async () => {
    const server = someModule('server')
    const vault = someModule('vault')
    if (vault !== null) {
      const code = `import * as sample from '${relative('lib', vault)}'\nexport { sample }\n`
      expect(await direction('lib', code, 'sample.test.ts')).toHaveLength(1)
    }
    if (server !== null) {
      const code = `import * as sample from '${relative('vault', server)}'\nexport { sample }\n`
      expect(testsMayImport.vault).toContain('server')
      expect(await direction('vault', code, 'sample.test.ts')).toEqual([])
      expect(await direction('vault', code)).toHaveLength(1)
    }
  })
})

describe('one door for each library', () => {
  const names: Readonly<Record<string, string>> = {
    '@noble/*': '@noble/curves/ed25519.js',
    '@scure/*': '@scure/bip39',
    '@tensorflow/*': '@tensorflow/tfjs-core',
    'react-dom': 'react-dom/client',
  }
  for (const door of doors) {
    for (const library of door.libraries) {
      it(`${library} is imported by ${door.rooms.join(', ')} alone`, async () => {
        for (const room of rooms) {
          const code = `import * as sample from '${names[library] ?? library}'\nexport { sample }\n`
          const found = await direction(room, code)
          if (door.rooms.includes(room)) expect(found, room).toEqual([])
          else expect(found.join(), room).toMatch(/one door for each library/)
        }
      })
    }
  }

  it('keeps Node modules out of rooms that also run in a browser', async () => {
    const code = `import { readFile } from 'node:fs/promises'\nexport { readFile }\n`
    expect(await direction('vault', code)).toHaveLength(1)
    expect(await direction('codec', code)).toHaveLength(1)
    expect(await direction('server', code)).toEqual([])
    expect(await direction('cli', code)).toEqual([])
    expect(await direction('codec', code, 'sample.test.ts')).toEqual([])
  })
})

describe('rooms of plain computation', () => {
  it('use no browser globals', async () => {
    for (const room of pureRooms) {
      for (const name of browserGlobals) {
        const found = await refusals(
          'no-restricted-globals',
          `src/${room}/sample.ts`,
          `export const sample = ${name}\n`,
        )
        expect(found, `${room} ${name}`).toHaveLength(1)
      }
    }
  })

  it('may name a local variable as they like', async () => {
    const code = `export const area = (window: number) => window * 2\n`
    expect(await refusals('no-restricted-globals', 'src/codec/sample.ts', code)).toEqual([])
  })
})
