/**
 * Codecs of a worker's models, each under the personal weights that the model secret gives. The newest model's stays as
 * long as the engine. An older one is made when a photo first needs it, one at a time, and dropped a minute after its
 * last use: it takes some tens of megabytes.
 */
import { createCodec } from '../codec/codec'
import { CodecError } from '../codec/errors'
import type { Codec } from '../codec/types'
import type { Secret } from '../crypto/kdf'
import { personalModelSeed } from '../crypto/model-seed'
import { modelIds, type ModelId } from '../format/ids'
import { wipeBytes, type Bytes } from '../lib/bytes'
import { loadBaseModel, type BaseModel } from '../model/base-model'
import { personalModel, type PersonalModel } from '../model/personal-model'
import { probe } from './engine'
import { DarkroomError } from './errors'

const KEEP_OLDER_MS = 60_000

/** The three files of a released model, see model/base-model. */
export interface ModelBlobs {
  readonly description: Blob
  readonly weights: Blob
  readonly tables: Blob
}

export interface ModelOnDevice {
  readonly id: ModelId
  readonly files: ModelBlobs
}

export interface PersonalCodec {
  readonly codec: Codec
  /** SHA-256 of the personal weights: what artifacts made with them are bound to. */
  readonly weightsHash: Bytes
}

/** Throws CodecError 'wrong-model' where the files are not those of the model they are given for. */
export async function readModel({ id, files }: ModelOnDevice): Promise<BaseModel> {
  const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer())
  const [description, weights, tables] = await Promise.all([
    bytesOf(files.description),
    bytesOf(files.weights),
    bytesOf(files.tables),
  ])
  const model = await loadBaseModel({ description, weights, tables })
  if (modelIds.fromBytes(model.id) !== id)
    throw new CodecError('wrong-model', 'The model files are not those of the model that was asked for.')
  return model
}

export async function personalModelOf(base: BaseModel, modelSecret: Secret): Promise<PersonalModel> {
  const seed = await personalModelSeed(modelSecret, base.id)
  try {
    return await personalModel(base.weights, seed)
  } finally {
    wipeBytes(seed)
  }
}

/** Throws DarkroomError 'no-engine' where the backend does not restore this model's stored tile. */
export async function codecOf(model: ModelOnDevice, modelSecret: Secret): Promise<PersonalCodec> {
  const base = await readModel(model)
  if ((await probe(base)) === null) throw new DarkroomError('no-engine')
  const { weights, weightsHash } = await personalModelOf(base, modelSecret)
  return { codec: createCodec(weights), weightsHash }
}

export interface ModelCodecs {
  /** Lends the codec of a model until `work` is done. One call at a time, as a worker answers. */
  use<Result>(model: ModelOnDevice, work: (personal: PersonalCodec) => Promise<Result>): Promise<Result>
  dispose(): void
}

export function createModelCodecs(
  newest: PersonalCodec & { readonly id: ModelId },
  make: (model: ModelOnDevice) => Promise<PersonalCodec>,
  keepOlderMs = KEEP_OLDER_MS,
): ModelCodecs {
  let older: (PersonalCodec & { readonly id: ModelId }) | null = null
  let idleTimer: ReturnType<typeof setTimeout> | undefined

  function dropOlder(): void {
    clearTimeout(idleTimer)
    older?.codec.dispose()
    older = null
  }

  return {
    async use(model, work) {
      if (model.id === newest.id) return work(newest)
      clearTimeout(idleTimer)
      if (older?.id !== model.id) {
        dropOlder()
        older = { id: model.id, ...(await make(model)) }
      }
      try {
        return await work(older)
      } finally {
        idleTimer = setTimeout(dropOlder, keepOlderMs)
      }
    },
    dispose() {
      dropOlder()
      newest.codec.dispose()
    },
  }
}
