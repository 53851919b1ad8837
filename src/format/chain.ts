/**
 * Following the devices' chains (PROTOCOL §3), as pure functions over what was seen so far. Signatures are checked by
 * the caller before. Every answer that is not 'ok' stops a sync, and nothing local is deleted for it.
 */
import { present } from '../lib/assert'
import { isZero, parseBase64url, toBase64url, toHex } from '../lib/bytes'
import { MAX_VOUCHED_HEADS, type ChainEntry, type ChainHead } from './chain-entry'
import type { DeviceId } from './ids'

/** Plain data, so that it can be stored and posted: base64url hash of every entry seen, by device and n. */
export interface ChainView {
  readonly chains: Readonly<Record<DeviceId, readonly string[]>>
  /** Heads that others named and we have not seen yet. */
  readonly awaited: readonly { readonly device: DeviceId; readonly n: number; readonly hash: string }[]
}

export type ChainProblem =
  | 'gap' // an entry is missing before this one
  | 'fork' // two entries with one number, or a wrong link
  | 'rollback' // older than what this or another device saw
  | 'copied-device' // somebody else writes with this device's keys

export type ChainStep =
  | { readonly kind: 'ok' }
  | { readonly kind: 'seen' } // known already, byte for byte
  | { readonly kind: ChainProblem; readonly device: DeviceId }

/** Entries taken one after another into a copy of a view: the cost of an entry does not grow with its chain. */
export interface ChainWalk {
  /**
   * Takes one entry. `hash` is SHA-256 of its encoding, `self` this device: its own entries are taken with
   * `isOwnWrite` when they are written, so that the vault can only ever repeat them. A problem changes nothing.
   */
  take(entry: ChainEntry, hash: Uint8Array, self: DeviceId, isOwnWrite?: boolean): ChainStep
  /** Everything taken so far. */
  view(): ChainView
}

export const emptyChainView: ChainView = { chains: {}, awaited: [] }

export function chainLength(view: ChainView, device: DeviceId): number {
  return view.chains[device]?.length ?? 0
}

export function walkChains(start: ChainView): ChainWalk {
  const chains = new Map<DeviceId, string[]>(
    Object.entries(start.chains).map(([device, chain]) => [device as DeviceId, [...chain]]),
  )
  // Which device, then n: a feed in any order costs the same an entry.
  const awaited = new Map<DeviceId, Map<number, string>>()
  const isPromised = (device: DeviceId, n: number, hash: string): boolean => {
    const promised = awaited.get(device)?.get(n)
    return promised === undefined || promised === hash
  }
  const wait = (device: DeviceId, n: number, hash: string): void => {
    const promises = awaited.get(device) ?? new Map<number, string>()
    awaited.set(device, promises.set(n, hash))
  }
  for (const { device, n, hash } of start.awaited) wait(device, n, hash)

  function take(entry: ChainEntry, hash: Uint8Array, self: DeviceId, isOwnWrite = false): ChainStep {
    const { device, n } = entry
    const chain = chains.get(device) ?? []
    const problem = device === self ? 'copied-device' : 'fork'
    const text = toBase64url(hash)
    if (n < chain.length) return chain[n] === text ? { kind: 'seen' } : { kind: problem, device }
    if (device === self && !isOwnWrite) return { kind: 'copied-device', device }
    if (n > chain.length) return { kind: 'gap', device }
    const before = chain[n - 1]
    const isLinked = before === undefined ? isZero(entry.prevHash) : toBase64url(entry.prevHash) === before
    if (!isLinked) return { kind: problem, device }
    if (!isPromised(device, n, text)) return { kind: 'fork', device }

    const unseen: { device: DeviceId; n: number; hash: string }[] = []
    for (const head of entry.heads) {
      const isThisEntry = head.device === device && head.n === n
      const seen = isThisEntry ? text : chains.get(head.device)?.[head.n]
      const hash = toBase64url(head.hash)
      const fits = seen === undefined ? isPromised(head.device, head.n, hash) : seen === hash
      if (!fits) return { kind: 'fork', device: head.device }
      if (seen === undefined) unseen.push({ device: head.device, n: head.n, hash })
    }
    chain.push(text)
    chains.set(device, chain)
    const promises = awaited.get(device)
    promises?.delete(n)
    if (promises?.size === 0) awaited.delete(device)
    for (const promise of unseen) wait(promise.device, promise.n, promise.hash)
    return { kind: 'ok' }
  }

  return {
    take,
    view: () => ({
      chains: Object.fromEntries([...chains].map(([device, chain]) => [device, [...chain]])),
      awaited: [...awaited].flatMap(([device, promises]) =>
        [...promises].map(([n, hash]) => ({ device, n, hash })),
      ),
    }),
  }
}

/** At the end of the feed: whom somebody vouched for and the vault did not show; null where nothing is missing. */
export function missingAtEnd(
  view: ChainView,
): { readonly kind: 'rollback'; readonly device: DeviceId } | null {
  const [first] = view.awaited
  return first === undefined ? null : { kind: 'rollback', device: first.device }
}

/**
 * After a feed was read again from its start into `fresh`: the device whose entries that we saw before are gone or
 * changed, or null. This is how a vault put back to an old copy is noticed.
 */
export function missingFrom(
  fresh: ChainView,
  before: ChainView,
): { readonly kind: 'rollback' | 'fork'; readonly device: DeviceId } | null {
  for (const [name, chain] of Object.entries(before.chains)) {
    const device = name as DeviceId
    const again = fresh.chains[device] ?? []
    if (again.length < chain.length) return { kind: 'rollback', device }
    if (chain.some((hash, n) => again[n] !== hash)) return { kind: 'fork', device }
  }
  return null
}

/** Of two entries for one record, the one that counts: the higher version, then the greater hash, on every device alike. */
export function isNewer(
  a: { readonly version: number; readonly hash: Uint8Array },
  b: { readonly version: number; readonly hash: Uint8Array },
): boolean {
  if (a.version !== b.version) return a.version > b.version
  return toHex(a.hash) > toHex(b.hash)
}

/** Heads to name in the next own entry: all chains but our own. */
export function headsToVouch(view: ChainView, self: DeviceId): readonly ChainHead[] {
  return Object.entries(view.chains)
    .filter(([device, chain]) => device !== self && chain.length > 0)
    .slice(0, MAX_VOUCHED_HEADS)
    .map(([device, chain]) => ({
      device: device as DeviceId,
      n: chain.length - 1,
      hash: present(parseBase64url(chain.at(-1)!), 'A chain view holds a hash that is not base64url.'),
    }))
}
