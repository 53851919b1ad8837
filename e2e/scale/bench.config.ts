/** `npm run bench -- codec --browser`: the browsers of the journeys, with a measurement in place of the tests. */
import { defineConfig } from '@playwright/test'
import journeys from '../playwright.config'

const backends = process.env['SAFELIGHT_BENCH_BACKENDS']?.split(',') ?? ['wasm']

export default defineConfig({
  ...journeys,
  testDir: '.',
  testMatch: 'codec-bench.ts',
  outputDir: '../../test-results/bench',
  timeout: 1_200_000,
  projects: (journeys.projects ?? [])
    .filter(({ name = '' }) => backends.includes(name))
    .map(({ name = '', use = {} }) => ({ name, use })),
})
