/**
 * The files of the released models: fetched when a photo first needs them, then kept on the device by model id.
 *
 * The service worker keeps the newest model with the app, so a fresh device can seal and restore at once. Older ones it
 * leaves out: they would add 6 MB each to every visit and every update, for ever, where many devices never meet a photo
 * of theirs. Nothing is lost by it. The first photo of an older model that is opened here, thumbnails in the gallery
 * included, fetches the model, and it stays when the worker's cache is emptied by an update. A photo that opens offline
 * was opened or made on this device before, so its model is here too.
 */
import { modelIds, type ModelId } from '../format/ids'
import { modelIdOf } from '../format/model-id'
import type { DeviceStore } from '../storage/device-store'
import type { ModelBlobs, ModelOnDevice } from '../workers/model-codecs'
import { VaultError } from './errors'

export interface ServedModel {
  readonly id: ModelId
  readonly addresses: Readonly<Record<keyof ModelBlobs, string>>
}

export interface ModelShelf {
  /** What new photos are sealed with. Throws VaultError 'offline' or 'model-damaged'. */
  newest(): Promise<ModelOnDevice>
  /** Throws VaultError 'other-model', 'model-not-here' or 'model-damaged'. */
  find(id: ModelId): Promise<ModelOnDevice>
}

/** `served`: every released model, newest first. */
export function createModelShelf(
  store: Pick<DeviceStore, 'model' | 'keepModel'>,
  served: readonly ServedModel[],
): ModelShelf {
  const asked = new Map<ModelId, Promise<ModelOnDevice>>()

  function find(id: ModelId): Promise<ModelOnDevice> {
    const known = asked.get(id)
    if (known !== undefined) return known
    const loading = load(id)
    asked.set(id, loading)
    loading.catch(() => asked.delete(id)) // the next call tries again
    return loading
  }

  async function load(id: ModelId): Promise<ModelOnDevice> {
    const model = served.find((one) => one.id === id)
    if (model === undefined) throw new VaultError('other-model')
    const kept = await store.model(id)
    const isWhole = kept !== null && (await isModel(id, kept).catch(() => false))
    if (isWhole) return { id, files: kept }
    const files = await fetchFiles(model, id === served[0]?.id ? 'offline' : 'model-not-here')
    if (!(await isModel(id, files))) throw new VaultError('model-damaged')
    await store.keepModel(id, files).catch(() => undefined) // a full device can still show the photo
    return { id, files }
  }

  return {
    find,
    async newest() {
      const [newest] = served
      if (newest === undefined) throw new VaultError('other-model')
      return find(newest.id)
    },
  }
}

async function isModel(id: ModelId, files: ModelBlobs): Promise<boolean> {
  const bytesOf = async (file: Blob) => new Uint8Array(await file.arrayBuffer())
  const [description, weights, tables] = await Promise.all([
    bytesOf(files.description),
    bytesOf(files.weights),
    bytesOf(files.tables),
  ])
  return modelIds.fromBytes(await modelIdOf({ description, weights, tables })) === id
}

async function fetchFiles(
  { addresses }: ServedModel,
  unreachable: 'offline' | 'model-not-here',
): Promise<ModelBlobs> {
  const fetchFile = async (address: string): Promise<Blob> => {
    try {
      const response = await fetch(address)
      if (!response.ok) throw new Error(`the server answers ${response.status}`)
      return await response.blob()
    } catch (cause) {
      throw new VaultError(unreachable, { cause })
    }
  }
  const [description, weights, tables] = await Promise.all([
    fetchFile(addresses.description),
    fetchFile(addresses.weights),
    fetchFile(addresses.tables),
  ])
  return { description, weights, tables }
}
