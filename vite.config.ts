import { readdirSync, readFileSync } from 'node:fs'
import react from '@vitejs/plugin-react'
import { VitePWA } from 'vite-plugin-pwa'
import { defineConfig } from 'vitest/config'
import { NEWEST_MODEL } from './src/model/released-models.ts'

/** How names begin of models' files that only older photos need: the service worker leaves them out. */
const OLDER_MODEL = 'assets/older-model-'

/** How the name of an asset begins. A file that several models share is one asset of any of them: its bytes decide. */
function beginningOf(originalPaths: readonly string[], source: string | Uint8Array): string {
  if (!originalPaths.some((path) => /(?:^|\/)models\//.test(path))) return 'assets/'
  const newest = `${import.meta.dirname}/models/${NEWEST_MODEL.name}`
  const isNewest = readdirSync(newest).some((file) =>
    readFileSync(`${newest}/${file}`).equals(Buffer.from(source)),
  )
  return isNewest ? 'assets/' : OLDER_MODEL
}

export default defineConfig({
  plugins: [
    react(),
    VitePWA({
      registerType: 'prompt',
      injectRegister: false,
      manifest: {
        name: 'Safelight',
        short_name: 'Safelight',
        description: 'A photo vault that keeps only artifacts; photos are developed on devices you trust.',
        theme_color: '#0e0807',
        background_color: '#0e0807',
        display: 'standalone',
        start_url: '/',
        icons: [
          { src: 'icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: 'icon-512.png', sizes: '512x512', type: 'image/png' },
          { src: 'icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
      workbox: {
        // The shell, the WebAssembly engine and the newest model: all that restoring a new photo needs. Older models are
        // fetched when a photo needs one and then kept, see src/vault/model-files.ts.
        globPatterns: ['**/*.{js,css,html,svg,png,wasm,json,bin}'],
        globIgnores: [`${OLDER_MODEL}*`],
        maximumFileSizeToCacheInBytes: 12_000_000,
        navigateFallback: 'index.html',
        navigateFallbackDenylist: [/^\/api\//],
        cleanupOutdatedCaches: true,
        inlineWorkboxRuntime: true, // one script, so that Trusted Types meet no importScripts
      },
    }),
  ],
  server: { proxy: { '/api': process.env['SAFELIGHT_API'] ?? 'http://localhost:8787' } },
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // Browsers that know light-dark(): lowered, it would not follow the viewer, which is always dark.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      output: {
        assetFileNames: ({ originalFileNames, source }) =>
          `${beginningOf(originalFileNames, source)}[name]-[hash][extname]`,
      },
    },
  },
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx', 'server/**/*.test.ts', 'scripts/**/*.test.ts'],
    environment: 'node',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
