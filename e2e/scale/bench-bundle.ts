/**
 * The page and worker of the codec benchmark in a browser, bundled from the app's own source beside the app, and served from
 * a local origin. Nothing of it is in the app as built.
 */
import { createReadStream, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'vite'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const OUT = join(ROOT, '.cache/bench-browser')

/** Rounds in a worker of their own, on the engine as the app starts it. */
const WORKER = `
  import { getThreadsCount } from '@tensorflow/tfjs-backend-wasm'
  import { SERVED_MODELS } from '/src/app/model-addresses'
  import { measureRounds, proceduralPicture, sceneQuartet, thumbnailScenes } from '/src/cli/bench-rounds'
  import { loadBaseModel } from '/src/model/base-model'
  import { startEngine } from '/src/workers/engine'

  const told = () => new Promise((go) => addEventListener('message', ({ data }) => go(data), { once: true }))
  const bytesOf = async (address) => new Uint8Array(await (await fetch(address)).arrayBuffer())

  const { backend, tiny, rounds, quality, effort } = await told()
  const { description, weights, tables } = SERVED_MODELS[0].addresses
  const model = await loadBaseModel({
    description: await bytesOf(description),
    weights: await bytesOf(weights),
    tables: await bytesOf(tables),
  })
  await startEngine(model, [backend])
  const report = await measureRounds({
    weights: model.weights,
    threads: backend === 'wasm' ? getThreadsCount() : null,
    entropy: 'kernel',
    pictures: tiny ? [proceduralPicture(900, 192, 128)] : [sceneQuartet()],
    scenes: tiny ? [proceduralPicture(950, 320, 240)] : thumbnailScenes(16),
    together: () => {
      const begin = told()
      postMessage('ready')
      return begin
    },
    rounds,
    quality,
    effort,
  })
  postMessage(report)
`

/** Starts workers together; and thumbnails through darkrooms, the workers of the app, from first bytes to PNG files. */
const PAGE = `
  import BenchWorker from 'bench-worker?worker'
  import { SERVED_MODELS } from '/src/app/model-addresses'
  import { thumbnailOf, thumbnailScenes } from '/src/cli/bench-rounds'
  import { newArtifactId, randomBytes } from '/src/crypto/random'
  import { accountIds } from '/src/format/ids'
  import { startDarkroom } from '/src/workers/start-darkroom'

  const signal = new AbortController().signal
  const hkdf = () => crypto.subtle.importKey('raw', randomBytes(32), 'HKDF', false, ['deriveBits'])
  const blobOf = async (address) => (await fetch(address)).blob()

  window.measureWorkers = (count, options) => {
    let waiting = []
    return Promise.all(
      Array.from({ length: count }, () => new Promise((resolve, reject) => {
        const worker = new BenchWorker()
        worker.onerror = (event) => reject(new Error(event.message))
        worker.onmessage = ({ data }) => {
          if (data !== 'ready') {
            worker.terminate()
            resolve(data)
            return
          }
          waiting.push(worker)
          if (waiting.length < count) return
          for (const each of waiting) each.postMessage('begin')
          waiting = []
        }
        worker.postMessage(options)
      })),
    )
  }

  window.measureDarkroomThumbnails = async (count, backend, { thumbnails, rounds }) => {
    const clients = Array.from({ length: count }, startDarkroom)
    const [modelSecret, vaultKey] = await Promise.all([hkdf(), hkdf()])
    const { id, addresses } = SERVED_MODELS[0]
    const [description, weights, tables] = await Promise.all(
      [addresses.description, addresses.weights, addresses.tables].map(blobOf),
    )
    const newest = { id, files: { description, weights, tables } }
    const reports = await Promise.all(
      clients.map((client) => client.call(signal, 'start', { newest, modelSecret, backends: [backend] })),
    )
    const [{ modelId, weightsHash }] = reports
    const locks = { modelSecret, vaultKey, weightsHash }
    const keys = []
    for (const { width, height, data } of thumbnailScenes(thumbnails).map(thumbnailOf)) {
      const header = { width: 16, height: 16, hasAlpha: false, colorSpace: 'srgb', quality: 34 }
      const rows = { ...header, data: new Uint8ClampedArray(4 * 16 * 16) }
      const band = { y0: 0, y1: 16 }
      const job = { rows, firstRow: 0, imageHeight: 16, band, quality: 34 }
      const tiles = await clients[0].call(signal, 'encodeBand', job)
      const thumbnail = await clients[0].call(signal, 'encodeThumbnail', { ...header, width, height, data })
      const names = {
        accountId: accountIds.fromBytes(randomBytes(32)),
        artifactId: newArtifactId(),
        modelId,
        modelGeneration: 1,
      }
      const input = { names, locks, header, alpha: null, tiles, thumbnail, original: null }
      const { preview, wrappedKey } = await clients[0].call(signal, 'sealPhoto', input)
      keys.push({ model: newest, names, locks, wrappedKey, preview })
    }
    const openAll = () =>
      Promise.all(
        clients.map(async (client) => {
          for (const key of keys) if ((await client.call(signal, 'openThumbnail', key)) === null) throw new Error('cut off')
        }),
      )
    await openAll()
    const seconds = []
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      await openAll()
      seconds.push((performance.now() - start) / 1000)
    }
    for (const client of clients) client.end()
    const median = seconds.sort((a, b) => a - b)[seconds.length >> 1]
    return { workers: new Set(clients).size, backend: reports[0].backend, perSecond: (count * keys.length) / median }
  }
`

const SOURCES: Readonly<Record<string, string>> = { 'bench-page': PAGE, 'bench-worker': WORKER }

const entries = (): Plugin => ({
  name: 'bench-entries',
  resolveId: (id) => (id.replace(/\?.*/, '') in SOURCES ? id : null),
  load: (id) => SOURCES[id] ?? null,
})

export async function bundleBench(): Promise<void> {
  await build({
    configFile: false,
    root: ROOT,
    publicDir: false,
    logLevel: 'error',
    plugins: [entries()],
    worker: { format: 'es', plugins: () => [entries()] },
    build: {
      ...{
        outDir: OUT,
        emptyOutDir: true,
        target: 'es2023',
        assetsInlineLimit: 0,
        chunkSizeWarningLimit: 1200,
      },
      rolldownOptions: { input: { 'bench-page': 'bench-page' }, output: { entryFileNames: '[name].js' } },
    },
  })
}

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' }
const HTML = '<!doctype html><title>bench</title><script type="module" src="/bench-page.js"></script>'

export async function serveBench(): Promise<{ readonly origin: string; readonly close: () => void }> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
    const file = join(OUT, path)
    if (path === '/') response.setHeader('content-type', 'text/html').end(HTML)
    else if (!existsSync(file)) response.writeHead(404).end()
    else {
      response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream')
      createReadStream(file).pipe(response)
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The bench has no port.')
  return { origin: `http://localhost:${address.port}`, close: () => server.close() }
}
