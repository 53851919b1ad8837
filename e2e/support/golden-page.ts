/** The golden streams of a released model in a page: every stream restored by one engine. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
import { expect, test, type Page } from '@playwright/test'
import { openSourcePage } from './source-page'

type Backend = 'wasm' | 'webgpu'

/** Runs in the page: restores all streams and sends what the test compares. */
const source = (backend: Backend): string => `
  import * as tf from '@tensorflow/tfjs-core'
  import * as engine from '@tensorflow/tfjs-backend-${backend}'
  import { parseBitstream } from '/src/codec/bitstream'
  import { createCodec } from '/src/codec/codec'
  import { largestDifference } from '/src/codec/exactness'
  import { readSymbols } from '/src/codec/symbols'
  import { loadBaseModel } from '/src/model/base-model'

  const bytesOf = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer())
  const base64 = (bytes) => {
    let text = ''
    for (const byte of bytes) text += String.fromCharCode(byte)
    return btoa(text)
  }
  window.restoreAll = async (modelName, bitstreams) => {
    if ('setWasmPaths' in engine) {
      tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
      engine.setWasmPaths('/wasm/')
    }
    if (!(await tf.setBackend('${backend}'))) throw new Error('no ${backend}')
    const files = ['model.json', 'weights.bin', 'cdf.bin'].map((name) => bytesOf('/models/' + modelName + '/' + name))
    const [description, weights, tables] = await Promise.all(files)
    const model = await loadBaseModel({ description, weights, tables })
    const codec = createCodec(model.weights)
    const restored = []
    for (const text of bitstreams) {
      const bitstream = Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
      const symbols = await readSymbols(model.weights, parseBitstream(bitstream))
      const { data } = await codec.decode(bitstream)
      restored.push({ symbols: base64(symbols), pixels: base64(data) })
    }
    return { backend: tf.getBackend(), tolerance: largestDifference(model.weights.config), restored }
  }
`

interface Golden {
  readonly name: string
  readonly bitstream: string
  /** SHA-256 of the symbols. */
  readonly symbols: string
  /** RGBA, deflated. */
  readonly pixels: string
}

interface GoldenStreams {
  readonly modelName: string
  readonly streams: readonly Golden[]
}

/** Of every released model. */
function readGoldenStreams(): GoldenStreams[] {
  const folder = new URL('../../src/codec/vectors/', import.meta.url)
  const files = readdirSync(folder).filter((name) => /^streams-v\d+\.json$/.test(name))
  if (files.length === 0) throw new Error('There are no golden streams.')
  return files.map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as GoldenStreams)
}

interface RestoredInPage {
  readonly backend: string
  readonly tolerance: number
  readonly restored: readonly { readonly symbols: string; readonly pixels: string }[]
}

declare global {
  interface Window {
    restoreAll(modelName: string, bitstreams: readonly string[]): Promise<RestoredInPage>
  }
}

interface GoldenResult {
  readonly name: string
  readonly hasSameSymbols: boolean
  /** Largest difference of any channel, in 255ths. */
  readonly worstPixel: number
  /** What the model allows. */
  readonly tolerance: number
}

async function restoreGolden(
  page: Page,
  backend: Backend,
  { modelName, streams }: GoldenStreams,
): Promise<GoldenResult[]> {
  await openSourcePage(page, {
    source: source(backend),
    gives: 'restoreAll',
    folders: { wasm: 'node_modules/@tensorflow/tfjs-backend-wasm/dist', models: 'models' },
  })
  const bitstreams = streams.map(({ bitstream }) => bitstream)
  const given = [modelName, bitstreams] as const
  const {
    backend: used,
    tolerance,
    restored,
  } = await page.evaluate(([name, all]) => window.restoreAll(name, all), given)
  if (used !== backend) throw new Error(`The page ran on ${used}.`)
  return streams.map(({ name, symbols, pixels }, i) => {
    const found = restored[i]!
    const expected = inflateRawSync(Buffer.from(pixels, 'base64'))
    const hash = createHash('sha256').update(Buffer.from(found.symbols, 'base64')).digest('hex')
    const data = Buffer.from(found.pixels, 'base64')
    const worstPixel =
      data.length === expected.length
        ? data.reduce((worst, value, at) => Math.max(worst, Math.abs(value - expected[at]!)), 0)
        : Infinity
    return { name, hasSameSymbols: hash === symbols, worstPixel, tolerance }
  })
}

/** A test of every released model. */
export function testGoldenStreams(backend: Backend): void {
  for (const golden of readGoldenStreams()) {
    const { modelName } = golden
    test(`golden streams of ${modelName} give their symbols and pixels on ${backend}`, async ({ page }) => {
      test.setTimeout(480_000)
      for (const one of await restoreGolden(page, backend, golden)) {
        expect(one.hasSameSymbols, one.name).toBe(true)
        expect(one.worstPixel, one.name).toBeLessThanOrEqual(one.tolerance)
      }
    })
  }
}
