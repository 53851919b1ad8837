/**
 * View state of the vault, fed by its events: plain serialisable data, no keys and no pixels. Components select from
 * useVault and call the verbs through vaultService().
 */
import { create } from 'zustand'
import type {
  Connection,
  EngineView,
  ImportItem,
  PhotoView,
  VaultEvent,
  VaultNotice,
  VaultPhase,
  VaultService,
} from '../vault/types'

export type {
  ArtifactView,
  DeviceCheck,
  ImportItem,
  OpenedPhoto,
  PathName,
  PathStateView,
  PhotoView,
  VaultNotice,
} from '../vault/types'

export interface VaultState {
  readonly phase: VaultPhase
  readonly connection: Connection
  readonly engine: EngineView | null
  readonly photos: readonly PhotoView[]
  readonly imports: readonly ImportItem[]
  readonly notices: readonly VaultNotice[]
}

const initial: VaultState = {
  phase: { kind: 'loading' },
  connection: 'syncing',
  engine: null,
  photos: [],
  imports: [],
  notices: [],
}

export const useVault = create<VaultState>(() => initial)

/** State after an event; a notice of a kind replaces the earlier one. */
export function reduceVault(state: VaultState, event: VaultEvent): VaultState {
  switch (event.type) {
    case 'phase':
      return { ...state, phase: event.phase }
    case 'connection':
      return { ...state, connection: event.connection }
    case 'engine':
      return { ...state, engine: event.engine }
    case 'photos':
      return { ...state, photos: event.photos }
    case 'imports':
      return { ...state, imports: event.imports }
    case 'notice':
      return {
        ...state,
        notices: [...state.notices.filter((n) => n.kind !== event.notice.kind), event.notice],
      }
  }
}

export function dismissNotice(kind: VaultNotice['kind']): void {
  useVault.setState((state) => ({ notices: state.notices.filter((n) => n.kind !== kind) }))
}

let service: VaultService | null = null

/** Called once by the app. Returns the function that disconnects. */
export function connectVault(vault: VaultService): () => void {
  service = vault
  return vault.subscribe((event) => useVault.setState((state) => reduceVault(state, event)))
}

export function vaultService(): VaultService {
  if (service === null) throw new Error('The vault is not connected yet.')
  return service
}
