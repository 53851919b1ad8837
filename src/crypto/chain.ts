/** Writing and checking this account's chains (PROTOCOL §3); gaps, forks and rollbacks are found by format/chain. */
import { chainEntryMessage, type ChainEntry } from '../format/chain-entry'
import {
  chainLength,
  headsToVouch,
  walkChains,
  type ChainStep,
  type ChainView,
  type ChainWalk,
} from '../format/chain'
import { FormatError } from '../format/errors'
import { HASH_BYTES, sha256 } from '../format/hash'
import type { AccountId, ArtifactId, DeviceId, RecordId } from '../format/ids'
import { signKeyIn, type Roster } from '../format/roster'
import { assert, present } from '../lib/assert'
import { parseBase64url, type Bytes } from '../lib/bytes'
import type { DeviceKeys } from './device'
import { CryptoError } from './errors'
import { sign, verify } from './sign'

export interface Write {
  readonly action: ChainEntry['action']
  readonly recordId: RecordId
  readonly version: number
  readonly epoch: number
  /** The sealed record; null in a deletion. */
  readonly record: Uint8Array | null
  readonly artifact: { readonly id: ArtifactId; readonly sha256: Uint8Array } | null
}

/**
 * The next entry of this device, and the view with it. Store both before sending: an entry that was sent and forgotten
 * would look like a copied device. One call at a time: two from one view would fork the own chain.
 */
export async function writeChainEntry(
  view: ChainView,
  accountId: AccountId,
  device: DeviceKeys,
  write: Write,
): Promise<{ readonly entry: Bytes; readonly view: ChainView }> {
  const n = chainLength(view, device.deviceId)
  const before = view.chains[device.deviceId]?.[n - 1]
  const body = {
    account: accountId,
    device: device.deviceId,
    n,
    prevHash:
      before === undefined
        ? new Uint8Array(HASH_BYTES)
        : present(parseBase64url(before), 'A chain view holds a hash that is not base64url.'),
    heads: headsToVouch(view, device.deviceId),
    action: write.action,
    recordId: write.recordId,
    version: write.version,
    epoch: write.epoch,
    recordHash: write.record === null ? null : await sha256(write.record),
    artifactId: write.artifact?.id ?? null,
    artifactHash: write.artifact === null ? null : new Uint8Array(write.artifact.sha256),
  }
  const signature = sign(device.signSeed, chainEntryMessage.signedBytes(body, 'signature'))
  const entry = chainEntryMessage.encode({ ...body, signature })
  const walk = walkChains(view)
  const step = walk.take({ ...body, signature }, await sha256(entry), device.deviceId, true)
  assert(step.kind === 'ok', 'An own chain entry did not follow.')
  return { entry, view: walk.view() }
}

/**
 * Verifies one entry of the feed and takes it into the walk. Throws CryptoError 'wrong-object' for another account and
 * FormatError 'not-allowed' or 'bad-signature' for one that no member, present or former, signed.
 */
export async function readChainEntry(
  walk: ChainWalk,
  encoded: Uint8Array,
  roster: Roster,
  self: DeviceId,
): Promise<{ readonly entry: ChainEntry; readonly hash: Bytes; readonly step: ChainStep }> {
  const entry = chainEntryMessage.decode(encoded)
  if (entry.account !== roster.accountId)
    throw new CryptoError('wrong-object', 'This history entry is of another account.')
  const signKey = signKeyIn(roster, entry.device, entry.epoch)
  if (signKey === null) throw new FormatError('not-allowed', 'A history entry is signed by no member.')
  if (!verify(signKey, chainEntryMessage.signedBytes(entry, 'signature'), entry.signature))
    throw new FormatError('bad-signature', 'A history entry has a signature that does not verify.')
  const hash = await sha256(encoded)
  return { entry, hash, step: walk.take(entry, hash, self) }
}
