/**
 * One write of one device (PROTOCOL §3): each device signs a chain of its own, and names the heads of the others that
 * it saw since. The hash of an entry is SHA-256 of its whole encoding. All integers little-endian; each field stands
 * behind its length in 4 bytes (message.ts), and a field that is null has length 0.
 *
 *   offset  bytes  signed
 *        0      6  type = 5 · version = 1 · suite = 1
 *       10     32  account
 *       46     32  device
 *       82      4  n
 *       90     32  hash of this device's entry before
 *      126      2  number of heads, then 80 bytes each: 4 · device 32 · 4 · n 4 · 4 · hash 32
 *     then      2  action: 1 put, 2 delete
 *               16  record id
 *                4  version
 *                4  epoch
 *          32 or 0  SHA-256 of the sealed record
 *          16 or 0  artifact id
 *          32 or 0  SHA-256 of the artifact
 *
 *               64  Ed25519 signature
 */
import {
  bytesField,
  choiceField,
  defineMessage,
  idField,
  listField,
  optionalBytes,
  optionalIdField,
  u32Field,
  type Values,
} from './message'
import { HASH_BYTES } from './hash'
import { accountIds, artifactIds, deviceIds, recordIds } from './ids'
import { SIGNATURE_BYTES } from './keys'
import { MESSAGE_TYPE } from './message-types'

export const CHAIN_ACTION = { put: 1, delete: 2 } as const
export const MAX_VOUCHED_HEADS = 64

const head = {
  device: idField(deviceIds),
  n: u32Field,
  hash: bytesField(HASH_BYTES),
}

/** The newest entry of a device's chain that somebody saw. */
export type ChainHead = Values<typeof head>

export const chainEntryMessage = defineMessage({
  type: MESSAGE_TYPE.chainEntry,
  name: 'chain-entry',
  body: {
    account: idField(accountIds),
    device: idField(deviceIds),
    /** From 0, without gaps. */
    n: u32Field,
    /** Hash of this device's entry n - 1; zeros in entry 0. */
    prevHash: bytesField(HASH_BYTES),
    heads: listField(head, MAX_VOUCHED_HEADS),
    action: choiceField(CHAIN_ACTION),
    recordId: idField(recordIds),
    /** From 1; greater than the version this write replaces. */
    version: u32Field,
    epoch: u32Field,
    /** SHA-256 of the sealed record; null in a deletion. */
    recordHash: optionalBytes(HASH_BYTES),
    /** The record's artifact, its current one or the one deleted, and SHA-256 of its bytes; both null where it has none. */
    artifactId: optionalIdField(artifactIds),
    artifactHash: optionalBytes(HASH_BYTES),
  },
  proofs: { signature: bytesField(SIGNATURE_BYTES) },
})

export type ChainEntry = ReturnType<typeof chainEntryMessage.decode>
