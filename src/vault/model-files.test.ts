import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { modelIds, type ModelId } from '../format/ids'
import { present } from '../lib/assert'
import { parseHex } from '../lib/bytes'
import { NEWEST_MODEL } from '../model/released-models'
import type { ModelRow } from '../storage/schema'
import { MODELS } from '../training/node-model'
import { createModelShelf, type ServedModel } from './model-files'

const RELEASED = modelIds.fromBytes(present(parseHex(NEWEST_MODEL.id), 'no id'))
const OTHER = modelIds.fromBytes(new Uint8Array(32))
const FILES = ['model.json', 'weights.bin', 'cdf.bin'] as const

let server: Server
let fetched: string[]
let spoil: (file: string, bytes: Buffer) => Buffer

beforeEach(async () => {
  fetched = []
  spoil = (_, bytes) => bytes
  server = createServer((request, response) => {
    const file = (request.url ?? '').slice(1)
    fetched.push(file)
    readFile(join(MODELS, NEWEST_MODEL.name, file)).then(
      (bytes) => response.end(spoil(file, bytes)),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})
afterEach(() => disconnect())

const disconnect = () =>
  new Promise<void>((done) => {
    server.closeAllConnections()
    server.close(() => done())
  })

function served(id: ModelId): ServedModel {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const [description, weights, tables] = FILES.map((file) => `${origin}/${file}`)
  return { id, addresses: { description: description!, weights: weights!, tables: tables! } }
}

/** What the shelf asks of the device's storage. */
function shelfMemory() {
  const rows = new Map<ModelId, ModelRow>()
  return {
    rows,
    model: (id: ModelId) => Promise.resolve(rows.get(id) ?? null),
    keepModel: (id: ModelId, row: ModelRow) => Promise.resolve(void rows.set(id, row)),
  }
}

describe('model files', () => {
  it('are fetched once, when they are first needed, and come from the device from then on', async () => {
    const store = shelfMemory()
    const models = [served(OTHER), served(RELEASED)]
    const shelf = createModelShelf(store, models)
    expect(fetched).toEqual([])
    const [model, same] = await Promise.all([shelf.find(RELEASED), shelf.find(RELEASED)])
    expect(same).toBe(model)
    expect(model.id).toBe(RELEASED)
    expect(fetched.sort()).toEqual([...FILES].sort())
    await disconnect()
    const { files } = await createModelShelf(store, models).find(RELEASED)
    expect(files.weights.size).toBe(model.files.weights.size)
  })

  it('say so where an older model is not here and cannot be fetched, and are asked for again later', async () => {
    const store = shelfMemory()
    const gone = served(RELEASED)
    const address = server.address() as AddressInfo
    await disconnect()
    const shelf = createModelShelf(store, [{ ...gone, id: OTHER }, gone])
    await expect(shelf.find(RELEASED)).rejects.toMatchObject({ code: 'model-not-here' })
    await expect(createModelShelf(store, [gone]).newest()).rejects.toMatchObject({ code: 'offline' })
    await new Promise<void>((done) => server.listen(address.port, '127.0.0.1', done))
    expect((await shelf.find(RELEASED)).id).toBe(RELEASED)
  })

  it('of an unknown model ask for an update, without a request', async () => {
    const shelf = createModelShelf(shelfMemory(), [served(RELEASED)])
    await expect(shelf.find(OTHER)).rejects.toMatchObject({ code: 'other-model' })
    expect(fetched).toEqual([])
  })

  it('that are not what was released are neither used nor kept', async () => {
    const store = shelfMemory()
    spoil = (file, bytes) => (file === 'weights.bin' ? bytes.fill(1, 99, 100) : bytes)
    const shelf = createModelShelf(store, [served(RELEASED)])
    await expect(shelf.newest()).rejects.toMatchObject({ code: 'model-damaged' })
    expect(store.rows.size).toBe(0)
    spoil = (_, bytes) => bytes
    const { files } = await shelf.newest()
    store.rows.set(RELEASED, { ...files, tables: new Blob(['damaged on this device']) })
    expect((await createModelShelf(store, [served(RELEASED)]).newest()).files.tables.size).toBe(
      files.tables.size,
    )
  })
})
