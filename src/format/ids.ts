/**
 * Names of things. Each is a byte string of fixed length, held as canonical base64url text, so that it can be a map
 * key, a database key and a part of an address; the brand keeps one kind from being passed for another.
 */
import { z } from 'zod'
import { parseBase64url, toBase64url, type Bytes } from '../lib/bytes'
import { FormatError } from './errors'
import { sha256 } from './hash'

declare const brand: unique symbol
type Id<Kind extends string> = string & { readonly [brand]: Kind }

/** 16 random bytes: one sealed artifact. */
export type ArtifactId = Id<'artifact'>
/** 16 random bytes: one photo's record through all its versions. */
export type RecordId = Id<'record'>
/** SHA-256 of the genesis entry of the roster. */
export type AccountId = Id<'account'>
/** SHA-256 of a device's public keys, see deviceIdOf. A recovery kit is a device too. */
export type DeviceId = Id<'device'>
/** SHA-256 of a released model. */
export type ModelId = Id<'model'>

type AnyId = ArtifactId | RecordId | AccountId | DeviceId | ModelId

export interface IdKind<T extends AnyId> {
  readonly name: string
  readonly bytes: number
  /** Text from outside; null where it is not an id of this kind. */
  parse(text: string): T | null
  /** FormatError 'bad-field' where the length is wrong. */
  fromBytes(bytes: Uint8Array): T
  toBytes(id: T): Bytes
  readonly schema: z.ZodType<T, string>
}

function idKind<T extends AnyId>(name: string, length: number): IdKind<T> {
  const textLength = Math.ceil((length * 4) / 3)
  const isId = (text: string): text is T =>
    text.length === textLength && parseBase64url(text)?.length === length
  return {
    name,
    bytes: length,
    parse: (text) => (isId(text) ? text : null),
    fromBytes(bytes) {
      const text = toBase64url(bytes)
      if (!isId(text)) throw new FormatError('bad-field', `The ${name} id must have ${length} bytes.`)
      return text
    },
    toBytes: idBytes,
    schema: z.string().refine(isId, { error: `not a ${name} id` }),
  }
}

export const artifactIds = idKind<ArtifactId>('artifact', 16)
export const recordIds = idKind<RecordId>('record', 16)
export const accountIds = idKind<AccountId>('account', 32)
export const deviceIds = idKind<DeviceId>('device', 32)
export const modelIds = idKind<ModelId>('model', 32)

export function idBytes(id: AnyId): Bytes {
  const bytes = parseBase64url(id)
  if (bytes === null) throw new FormatError('bad-field', 'An id is not base64url text.')
  return bytes
}

/** `entry` is the encoded genesis entry of the roster. */
export async function accountIdOf(entry: Uint8Array): Promise<AccountId> {
  return accountIds.fromBytes(await sha256(entry))
}
