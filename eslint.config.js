// Lint rules: strict types, and the one-way import direction between the rooms of src (see README, "Rooms").
import js from '@eslint/js'
import boundaries from 'eslint-plugin-boundaries'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

/** Which rooms each room may import. Anything not listed is an error. */
const mayImport = {
  lib: [],
  format: ['lib'],
  diffusion: ['lib'],
  rpc: ['lib'],
  crypto: ['lib', 'format'],
  codec: ['lib', 'diffusion', 'format'],
  model: ['lib', 'diffusion', 'format', 'codec'],
  training: ['lib', 'diffusion', 'codec', 'model'],
  workers: ['rpc', 'lib', 'format', 'crypto', 'diffusion', 'codec', 'model'],
  storage: ['lib', 'format'],
  vault: ['lib', 'format', 'crypto', 'storage', 'rpc', 'workers'],
  state: ['vault', 'lib'],
  gallery: ['state', 'lib'],
  study: ['lib', 'format', 'crypto', 'diffusion', 'codec', 'model', 'training'],
  cli: ['lib', 'format', 'crypto', 'diffusion', 'codec', 'model', 'training', 'study'],
  app: ['lib', 'format', 'crypto', 'diffusion', 'codec', 'model', 'rpc', 'workers', 'storage', 'vault', 'state', 'gallery'],
}

/** Third-party libraries that only one room may import, so that each has one door. */
const oneDoor = {
  '@noble/*': ['crypto'],
  '@scure/*': ['crypto'],
  idb: ['storage'],
  zustand: ['state'],
}

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'node_modules/', 'data/', 'reports/', 'test-results/', 'playwright-report/', '.cache/', 'checkpoints/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-non-null-assertion': 'off', // typed-array reads under noUncheckedIndexedAccess
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx', 'server/**/*.ts'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { node: { extensions: ['.ts', '.tsx', '.js'] } },
      'boundaries/elements': [
        ...Object.keys(mayImport).map((room) => ({ type: room, pattern: `src/${room}`, mode: 'folder' })),
        { type: 'server', pattern: 'server', mode: 'folder' },
      ],
    },
    rules: {
      'boundaries/element-types': [
        'error',
        {
          default: 'disallow',
          message: 'src/${file.type} may not import src/${dependency.type}: imports go one way, so that each room can be read and tested without the ones above it',
          rules: [
            ...Object.entries(mayImport).map(([from, allow]) => ({ from, allow: [from, ...allow] })),
            { from: 'server', allow: ['server', 'format', 'lib'] },
          ],
        },
      ],
    },
  },
  ...['crypto', 'storage', 'state', '*'].map((room) => ({
    files: room === '*' ? ['src/**/*.ts', 'src/**/*.tsx', 'server/**/*.ts'] : [`src/${room}/**/*.ts`],
    ignores: room === '*' ? ['src/crypto/**', 'src/storage/**', 'src/state/**'] : [],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: Object.entries(oneDoor)
            .filter(([, rooms]) => !rooms.includes(room))
            .map(([name, rooms]) => ({ group: [name, `${name}/**`], message: `only src/${rooms.join(', src/')} imports ${name}: one door per library` })),
        },
      ],
    },
  })),
  { files: ['**/*.tsx'], plugins: { 'react-hooks': reactHooks }, rules: reactHooks.configs.recommended.rules },
  { files: ['**/*.js', '**/*.mjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } } },
)
