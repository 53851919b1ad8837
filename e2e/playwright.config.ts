/**
 * Journeys in a real Chromium against a real server. `npm run test:e2e` finds the browser, builds the app and draws
 * the pictures first; the two projects differ in the engine that the browser offers to the codec.
 */
import { defineConfig } from '@playwright/test'

const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-default-apps',
]
/** WebGPU without a GPU: correct, and very slow. */
const SWIFTSHADER = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--ignore-gpu-blocklist',
]

const executablePath = process.env['CHROMIUM_PATH']
const report = process.env['SAFELIGHT_E2E_REPORT']

const browser = (args: readonly string[]) => ({
  browserName: 'chromium' as const,
  launchOptions: { args: [...QUIET, ...args], ...(executablePath === undefined ? {} : { executablePath }) },
})

export default defineConfig({
  testDir: 'journeys',
  outputDir: '../test-results/journeys',
  timeout: 180_000,
  expect: { timeout: 60_000 },
  workers: 1,
  forbidOnly: true,
  reporter: report === undefined ? [['list']] : [['list'], ['json', { outputFile: report }]],
  use: { viewport: { width: 1280, height: 800 }, trace: 'retain-on-failure', screenshot: 'only-on-failure' },
  projects: [
    { name: 'wasm', testIgnore: /webgpu/, use: browser(['--disable-gpu']) },
    { name: 'webgpu', testMatch: /webgpu/, use: browser(SWIFTSHADER) },
    // Measures a folder that is named; not part of the tests.
    ...(process.env['SAFELIGHT_PHOTOS'] === undefined
      ? []
      : [
          {
            name: 'photos',
            testDir: 'scale',
            outputDir: '../test-results/photos',
            use: browser(['--disable-gpu']),
          },
        ]),
  ],
})
