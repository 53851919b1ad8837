/**
 * What the gallery sees of a vault: plain view data and verbs. No keys, no pixels of other photos, no tensors.
 * The verbs are implemented in this room; the app wires them to the state room.
 */

export type PhotoId = string

/** Where one photo stands on its way into the vault. */
export type ImportStage =
  | 'queued' // waiting for its turn on this device
  | 'encrypting' // decode, analyse, code, mask, seal
  | 'checking' // restored from the sealed bytes and compared
  | 'waiting' // sealed and kept on this device, the vault is out of reach
  | 'uploading'
  | 'safe' // the vault confirmed what it stored
  | 'failed'

export interface ImportItem {
  readonly importId: string
  readonly name: string
  readonly bytes: number
  readonly stage: ImportStage
  /** 0..1 within the whole path of this file. */
  readonly progress: number
  /** Set once the photo has an id, for a link from the tray to the gallery. */
  readonly photoId: PhotoId | null
  /** A sentence for a person, and what to do; null unless failed. */
  readonly problem: string | null
  readonly canRetry: boolean
}

export interface PhotoView {
  readonly id: PhotoId
  readonly name: string
  readonly width: number
  readonly height: number
  /** ISO 8601, from EXIF, or null. */
  readonly takenAt: string | null
  readonly addedAt: string
  readonly originalBytes: number
  readonly artifactBytes: number
  /** PSNR-RGB in dB of the restored photo against the decoded original, measured before upload; Infinity if identical. */
  readonly psnrDb: number
  readonly keptOriginal: boolean
  /** false while it is only on this device. */
  readonly inVault: boolean
  /** true when the artifact is cached here, so it opens without the vault. */
  readonly onDevice: boolean
}

export interface OpenedPhoto {
  readonly width: number
  readonly height: number
  /** RGBA rows, straight alpha; drawn on a canvas by the viewer. */
  readonly pixels: Uint8ClampedArray
  readonly colorSpace: 'srgb' | 'display-p3'
}

/** The artifact exactly as the vault holds it, for the "what the vault holds" switch. */
export interface ArtifactView {
  readonly bytes: Uint8Array
  readonly headerBytes: number
}

/** Schedules of src/diffusion. */
export type PathName = 'torus-32' | 'gaussian-linear-1000' | 'gaussian-constant-32'

/** A small picture on its way to noise at one step. */
export interface PathStateView {
  readonly t: number
  /** Interleaved RGB rows. */
  readonly bytes: Uint8Array
  readonly signalCoef: number
  /** Largest difference from the photo, in grey levels, once the same noise is taken away again. */
  readonly worstReturn: number
}

export interface DeviceCheck {
  readonly backend: EngineView['backend']
  /** Bytes of the neural keystream that differ from the reference; 0 is the only good answer. */
  readonly keystreamMismatches: number
  readonly codecWorks: boolean
}

export type VaultPhase =
  | { readonly kind: 'loading' }
  | { readonly kind: 'unsupported'; readonly reason: string }
  | { readonly kind: 'welcome' } // no vault on this browser
  | {
      readonly kind: 'prove-kit'
      readonly accountId: string
      readonly words: readonly string[] | null
      readonly positions: readonly number[]
    } // 0-based
  | { readonly kind: 'open'; readonly accountId: string; readonly deviceName: string }

export type Connection = 'online' | 'offline' | 'syncing'

export interface EngineView {
  readonly backend: 'webgpu' | 'wasm' | 'cpu'
  readonly workers: number
  /** Decoded megapixels per second on the probe tile, per worker. */
  readonly megapixelsPerSecond: number
  readonly modelId: string
}

/** A trouble that concerns the whole vault, in a person's words. */
export interface VaultNotice {
  readonly kind:
    | 'history-mismatch'
    | 'history-damaged'
    | 'records-damaged'
    | 'storage-full'
    | 'session-ended'
    | 'device-copied'
    | 'other-weights'
  readonly text: string
}

export type VaultEvent =
  | { readonly type: 'phase'; readonly phase: VaultPhase }
  | { readonly type: 'connection'; readonly connection: Connection }
  | { readonly type: 'engine'; readonly engine: EngineView }
  | { readonly type: 'photos'; readonly photos: readonly PhotoView[] } // newest first
  | { readonly type: 'imports'; readonly imports: readonly ImportItem[] }
  | { readonly type: 'notice'; readonly notice: VaultNotice }

export interface ImportChoices {
  readonly keepOriginal: boolean
  readonly quality: number
}

/** The verbs of the product. Every promise rejects with an error whose message is a sentence for a person. */
export interface VaultService {
  /** Events start with the current phase, connection, engine, photos and imports. Returns an unsubscribe function. */
  subscribe(listener: (event: VaultEvent) => void): () => void

  /** Makes keys and shows the kit: phase becomes 'prove-kit' with the 24 words. */
  createVault(): Promise<void>
  /** Words typed back for the asked positions; false if any is wrong. On true the phase becomes 'open'. */
  proveKit(words: readonly string[]): Promise<boolean>
  /** Joins an existing vault with the 24 words of its kit. */
  openWithWords(words: string, deviceName: string): Promise<void>

  importFiles(files: readonly File[], choices: ImportChoices): void
  cancelImport(importId: string): void
  retryImport(importId: string): void
  clearFinishedImports(): void

  /** Object URL of a small restored picture; the caller revokes it. */
  thumbnailUrl(id: PhotoId): Promise<string>
  openPhoto(
    id: PhotoId,
    options: { signal: AbortSignal; onProgress?: (fraction: number) => void },
  ): Promise<OpenedPhoto>
  viewArtifact(id: PhotoId, options: { signal: AbortSignal }): Promise<ArtifactView>
  /** RGB rows at the steps of a schedule, along one fresh noise path, made on the engine's backend. */
  makePath(
    rgb: Uint8Array,
    schedule: PathName,
    options: { signal: AbortSignal },
  ): Promise<readonly PathStateView[]>
  /** Whether the engine computes what every other device computes. */
  checkDevice(): Promise<DeviceCheck>
  /** The exact original file where it was kept, else the restored photo as PNG. */
  downloadPhoto(id: PhotoId): Promise<File>
  deletePhoto(id: PhotoId): Promise<void>
  /** Forgets this device's copy of the vault: keys, caches, queue. The vault keeps its artifacts. */
  forgetDevice(): Promise<void>
}
