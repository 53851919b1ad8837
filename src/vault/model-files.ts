/** The base model's files: kept on the device by their address, which the build makes from their content. */
import type { DeviceStore } from '../storage/device-store'
import type { ModelBlobs } from '../workers/darkroom'
import { VaultError } from './errors'

export type ModelAddresses = Readonly<Record<keyof ModelBlobs, string>>

/** A development server gives addresses without a hash: those files may change and are not kept. */
const HAS_HASH = /-[\w-]{8}\.\w+$/

async function loadFile(store: DeviceStore, address: string): Promise<Blob> {
  const kept = HAS_HASH.test(address) ? await store.model(address) : null
  if (kept !== null) return kept
  let response: Response
  try {
    response = await fetch(address)
  } catch (cause) {
    throw new VaultError('offline', { cause })
  }
  if (!response.ok) throw new VaultError('offline')
  const file = await response.blob()
  if (HAS_HASH.test(address)) await store.keepModel(address, file).catch(() => undefined)
  return file
}

/** Throws VaultError 'offline' where they are not here and cannot be fetched. */
export async function loadModelFiles(store: DeviceStore, addresses: ModelAddresses): Promise<ModelBlobs> {
  const [description, weights, tables] = await Promise.all([
    loadFile(store, addresses.description),
    loadFile(store, addresses.weights),
    loadFile(store, addresses.tables),
  ])
  return { description, weights, tables }
}
