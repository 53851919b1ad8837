// Lint rules: strict types, the one-way import direction between rooms, and one door for each third-party library.
// scripts/lint-rules.test.ts shows that each of these rules refuses what it should.
import js from '@eslint/js'
import boundaries from 'eslint-plugin-boundaries'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

/** Which rooms each room may import, itself aside. Anything not listed is an error. */
export const mayImport = {
  lib: [],
  format: ['lib'],
  diffusion: ['lib'],
  rpc: ['lib'],
  crypto: ['lib', 'format'],
  'crypto/dangerous': ['lib', 'format', 'crypto'],
  codec: ['lib', 'diffusion', 'format'],
  model: ['lib', 'diffusion', 'format', 'codec'],
  training: ['lib', 'diffusion', 'codec', 'model'],
  workers: ['rpc', 'lib', 'format', 'crypto', 'diffusion', 'codec', 'model'],
  storage: ['lib', 'format'],
  vault: ['lib', 'format', 'crypto', 'storage', 'rpc'],
  state: ['vault', 'lib'],
  gallery: ['state', 'lib'],
  study: ['lib', 'format', 'crypto', 'crypto/dangerous', 'diffusion', 'codec', 'model', 'training'],
  cli: ['lib', 'format', 'crypto', 'diffusion', 'codec', 'model', 'training', 'study'],
  app: [
    'lib',
    'format',
    'crypto',
    'diffusion',
    'codec',
    'model',
    'rpc',
    'workers',
    'storage',
    'vault',
    'state',
    'gallery',
    'models',
  ],
  models: [],
  server: ['format', 'lib'],
  e2e: [],
}

/** Rooms of which another room may import types alone. */
export const mayImportTypes = {
  vault: ['workers'],
  gallery: ['vault'],
}

/** What tests may import beyond their room: they use real parts, never stand-ins. */
export const testsMayImport = {
  crypto: ['crypto/dangerous'],
  codec: ['model', 'training'],
  model: ['training', 'crypto'],
  workers: ['training'],
  vault: ['server', 'workers', 'codec', 'model', 'training', 'diffusion'],
  app: ['server', 'training'],
  server: ['crypto'],
}

/** Libraries that only some rooms may import, so that each has one door. A name covers its subpaths. */
export const doors = [
  { libraries: ['@noble/*', '@scure/*'], rooms: ['crypto', 'crypto/dangerous'] },
  { libraries: ['idb'], rooms: ['storage'] },
  { libraries: ['zustand'], rooms: ['state'] },
  {
    libraries: ['@tensorflow/*'],
    rooms: ['codec', 'model', 'training', 'diffusion', 'workers', 'study', 'cli'],
  },
  { libraries: ['express'], rooms: ['server'] },
  { libraries: ['better-sqlite3'], rooms: ['server', 'e2e'] },
  { libraries: ['react', 'react-dom'], rooms: ['gallery', 'app'] },
  { libraries: ['sharp', 'webgpu'], rooms: ['cli', 'study', 'training'] },
]

/** Rooms that run on Node alone and may therefore use its modules; all others must also run in a browser. */
const nodeRooms = ['server', 'cli', 'study', 'training', 'e2e']

/** Rooms that are plain computation: their tests run under Node, and their code in any worker. */
export const pureRooms = ['codec', 'diffusion', 'model', 'format', 'crypto', 'lib']

const pureMessage =
  'this room is plain computation and runs in Node and in workers: take the value as an argument instead'
export const browserGlobals = [
  ...['document', 'window', 'self', 'navigator', 'location', 'localStorage', 'sessionStorage'],
  ...['indexedDB', 'caches', 'fetch', 'XMLHttpRequest', 'WebSocket', 'Worker', 'Image', 'HTMLElement'],
]

const testFiles = '{**/*.test.{ts,tsx},server/testing/**}'
const allRooms = Object.keys(mayImport)
const folderOf = (room) => (['server', 'e2e', 'models'].includes(room) ? room : `src/${room}`)
const element = (types) => ({ element: { types: { anyOf: types } } })
const from = (room) => ({ element: { type: room } })

const directionMessage = (room) =>
  `${folderOf(room)} may not import this: rooms are imported one way, so that each can be read and tested without ` +
  `those above it. Allowed here: ${mayImport[room].map(folderOf).join(', ') || 'nothing'}`

function directionPolicies(withTests) {
  return [
    ...allRooms.flatMap((room) => [
      { from: from(room), disallow: { to: element(allRooms) }, message: directionMessage(room) },
      {
        from: from(room),
        allow: { to: element([room, ...mayImport[room], ...((withTests && testsMayImport[room]) || [])]) },
      },
    ]),
    // Addresses of files, which Vite gives for `?url`, resolve to no module: they are known by their text.
    {
      from: from('app'),
      dependency: { source: '../../models/**' },
      allow: { to: { module: { origin: 'local' } } },
    },
    ...Object.entries(mayImportTypes).map(([room, types]) => ({
      from: from(room),
      dependency: { kind: 'type' },
      allow: { to: element(types) },
    })),
    ...(withTests
      ? []
      : doors.map(({ libraries, rooms }) => ({
          from: element(allRooms.filter((room) => !rooms.includes(room))),
          disallow: { to: { module: { origin: 'external', source: libraries } } },
          message: `only ${rooms.map(folderOf).join(', ')} may import ${libraries.join(', ')}: one door for each library`,
        }))),
    ...(withTests
      ? []
      : [
          {
            from: element(allRooms.filter((room) => !nodeRooms.includes(room))),
            disallow: { to: { module: { origin: 'core' } } },
            message:
              'this room also runs in a browser: Node modules belong to src/cli, src/study, src/training and server',
          },
        ]),
  ]
}

const direction = (withTests) => [
  'error',
  {
    default: 'allow',
    checkAllOrigins: true,
    checkUnknownLocals: true,
    policies: [
      {
        from: element(allRooms),
        disallow: { to: { module: { origin: 'local' } } },
        message: 'imports stay between the rooms listed in eslint.config.js; this file is in none of them',
      },
      ...directionPolicies(withTests),
    ],
  },
]

export default tseslint.config(
  {
    ignores: [
      ...['dist/', 'build/', 'node_modules/', 'data/', 'reports/', 'test-results/', 'playwright-report/'],
      ...['.cache/', 'checkpoints/', 'coverage/'],
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off', // typed-array reads under noUncheckedIndexedAccess
      '@typescript-eslint/no-unnecessary-type-parameters': 'off', // rows of SQL are typed where they are asked for
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}', 'server/**/*.ts', 'e2e/**/*.ts', 'models/**/*.ts'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { node: { extensions: ['.ts', '.tsx', '.js', '.json'] } },
      'boundaries/legacy-templates': false,
      'boundaries/elements': [
        { type: 'crypto/dangerous', pattern: 'src/crypto/dangerous' },
        ...allRooms
          .filter((room) => room !== 'crypto/dangerous')
          .map((room) => ({ type: room, pattern: folderOf(room) })),
      ],
    },
    rules: { 'boundaries/dependencies': direction(false), 'boundaries/no-unknown-files': 'off' },
  },
  { files: [testFiles], ignores: ['scripts/**'], rules: { 'boundaries/dependencies': direction(true) } },
  {
    files: pureRooms.map((room) => `src/${room}/**/*.ts`),
    ignores: [testFiles],
    rules: {
      'no-restricted-globals': ['error', ...browserGlobals.map((name) => ({ name, message: pureMessage }))],
    },
  },
  {
    files: ['**/*.tsx'],
    plugins: { 'react-hooks': reactHooks },
    rules: reactHooks.configs.recommended.rules,
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'URL', 'Buffer', 'setTimeout', 'clearTimeout', 'fetch', 'AbortSignal'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
)
