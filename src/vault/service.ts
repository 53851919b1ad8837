/** The vault as the app sees it: phases from the first visit to an open vault, and the verbs of types.ts. */
import { forgetEverything, openDeviceStore, type DeviceStore } from '../storage/device-store'
import { StorageError } from '../storage/errors'
import { askToPersist } from '../storage/space'
import { createDarkrooms, type DarkroomClient, type Darkrooms } from './darkrooms'
import { unlockDevice } from './device-keys'
import { toPersonError, VaultError } from './errors'
import { firstDevice, joinWithWords, kitIsProven, startAccount, type KitProof, type NewDevice } from './join'
import { createModelShelf, type ServedModel } from './model-files'
import { openVault, type OpenVault } from './open-vault'
import type { VaultEvent, VaultService } from './types'

const FIRST_DEVICE_NAME = 'This device'

export interface VaultServiceParts {
  readonly startDarkroom: () => DarkroomClient
  /** Every released model, newest first. */
  readonly models: readonly ServedModel[]
}

/** What this browser lacks, as a sentence, or null. */
function missingFeature(): string | null {
  if (!globalThis.isSecureContext)
    return 'Safelight needs a secure address: https, or localhost on this machine.'
  const has =
    'indexedDB' in globalThis &&
    'locks' in navigator &&
    'OffscreenCanvas' in globalThis &&
    'BroadcastChannel' in globalThis &&
    'WebAssembly' in globalThis
  return has ? null : 'This browser is too old for Safelight. Update it, or use another one.'
}

export function createVaultService(parts: VaultServiceParts): VaultService {
  const listeners = new Set<(event: VaultEvent) => void>()
  const latest = new Map<string, VaultEvent>()
  let store: DeviceStore | null = null
  let darkrooms: Darkrooms | null = null
  let vault: OpenVault | null = null
  let proof: KitProof | null = null

  function emit(event: VaultEvent): void {
    if (event.type !== 'notice') latest.set(event.type, event)
    for (const listener of listeners) listener(event)
  }

  const emitWelcome = () => emit({ type: 'phase', phase: { kind: 'welcome' } })

  function theVault(): OpenVault {
    if (vault === null) throw new VaultError('unknown-photo')
    return vault
  }

  function theDarkrooms(): Darkrooms {
    if (darkrooms === null) throw new VaultError('unknown-photo')
    return darkrooms
  }

  async function theStore(): Promise<DeviceStore> {
    store ??= await openDeviceStore(() => {
      vault?.close()
      emit({ type: 'phase', phase: { kind: 'unsupported', reason: new StorageError('closed').message } })
    })
    return store
  }

  async function open(): Promise<void> {
    const opened = await theStore()
    const device = await opened.device()
    if (device === null) {
      emitWelcome()
      return
    }
    const unlocked = await unlockDevice(device, await opened.roster())
    darkrooms ??= createDarkrooms({
      modelSecret: unlocked.modelSecret,
      startDarkroom: parts.startDarkroom,
      models: createModelShelf(opened, parts.models),
      onEngine: ({ backend, workers, megapixelsPerSecond, modelId }) =>
        emit({
          type: 'engine',
          engine: { backend, workers, megapixelsPerSecond, modelId },
        }),
    })
    vault = await openVault({ store: opened, device, unlocked, darkrooms, emit, onForgotten: leave })
    const { accountId, deviceName } = device
    emit({ type: 'phase', phase: { kind: 'open', accountId, deviceName } })
  }

  async function become({ row, roster }: NewDevice): Promise<void> {
    await askToPersist()
    await (await theStore()).becomeDevice(row, roster)
    await open()
  }

  function leave(): void {
    vault?.close()
    darkrooms?.end()
    vault = null
    darkrooms = null
    store?.close()
    store = null
    latest.clear()
    emit({ type: 'photos', photos: [] })
    emit({ type: 'imports', imports: [] })
    emitWelcome()
  }

  async function forPerson<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw toPersonError(error)
    }
  }

  const reason = missingFeature()
  emit({ type: 'phase', phase: { kind: 'loading' } })
  if (reason !== null) emit({ type: 'phase', phase: { kind: 'unsupported', reason } })
  else
    open().catch((error: unknown) =>
      emit({ type: 'phase', phase: { kind: 'unsupported', reason: toPersonError(error).message } }),
    )

  return {
    subscribe(listener) {
      for (const event of latest.values()) listener(event)
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    createVault: () =>
      forPerson(async () => {
        proof = await startAccount()
        const { positions, account } = proof
        const { accountId } = account.roster
        emit({ type: 'phase', phase: { kind: 'prove-kit', accountId, words: account.words, positions } })
      }),

    proveKit: (words) =>
      forPerson(async () => {
        if (proof === null || !kitIsProven(proof, words)) return false
        const device = await firstDevice(proof, FIRST_DEVICE_NAME)
        await become(device)
        proof = null
        return true
      }),

    openWithWords: (words, deviceName) =>
      forPerson(async () => {
        await become(await joinWithWords(words, deviceName))
      }),

    importFiles: (files, choices) => theVault().importFiles(files, choices),
    cancelImport: (importId) => vault?.ask('cancel', importId),
    retryImport: (importId) => vault?.ask('retry', importId),
    clearFinishedImports: () => vault?.ask('clear', null),

    thumbnailUrl: (id) => forPerson(async () => URL.createObjectURL(await theVault().thumbnail(id))),
    openPhoto: (id, options) => forPerson(() => theVault().openPhoto(id, options)),
    viewArtifact: (id, { signal }) => forPerson(() => theVault().viewArtifact(id, signal)),
    makePath: (rgb, schedule, { signal }) =>
      forPerson(async () => {
        const { pool } = await theDarkrooms().engines()
        const job = { schedule, bytes: rgb }
        return pool.run(signal, (worker) => worker.call(signal, 'makePath', job), { urgent: true })
      }),
    checkDevice: () =>
      forPerson(async () => {
        const { pool } = await theDarkrooms().engines()
        const { signal } = new AbortController()
        return pool.run(signal, (worker) => worker.call(signal, 'checkEngine', undefined), { urgent: true })
      }),
    downloadPhoto: (id) => forPerson(() => theVault().downloadPhoto(id)),
    deletePhoto: (id) => forPerson(() => theVault().deletePhoto(id)),

    forgetDevice: () =>
      forPerson(async () => {
        vault?.sayForgotten()
        leave()
        await forgetEverything()
      }),
  }
}
