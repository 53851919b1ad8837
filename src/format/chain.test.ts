import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { u32, type Bytes } from '../lib/bytes'
import { emptyChainView, walkChains, type ChainView, type ChainWalk } from './chain'
import type { ChainEntry } from './chain-entry'
import { accountIds, deviceIds, recordIds, type DeviceId } from './ids'

const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value)
const devices = [1, 2, 3].map((value) => deviceIds.fromBytes(fill(32, value)))
const nobody = deviceIds.fromBytes(fill(32, 9))

/** A stand-in for SHA-256: the number and device, 32 bytes. */
function hashOf(device: DeviceId, n: number): Bytes {
  const hash = fill(32, devices.indexOf(device) + 1)
  hash.set(u32(n))
  return hash
}

function entryOf(device: DeviceId, n: number, heads: ChainEntry['heads'] = []): ChainEntry {
  return {
    account: accountIds.fromBytes(fill(32, 5)),
    device,
    n,
    prevHash: n === 0 ? fill(32, 0) : hashOf(device, n - 1),
    heads,
    action: 'put',
    recordId: recordIds.fromBytes(fill(16, 6)),
    version: 1,
    epoch: 1,
    recordHash: fill(32, 7),
    artifactId: null,
    artifactHash: null,
    signature: fill(64, 8),
  }
}

const take = (walk: ChainWalk, entry: ChainEntry) =>
  walk.take(entry, hashOf(entry.device, entry.n), nobody).kind

/** Feeds of whole chains, interleaved, whose entries name heads of the others, seen or not. */
const feeds = fc
  .array(fc.record({ device: fc.constantFrom(...devices), ahead: fc.nat(2) }), { maxLength: 60 })
  .map((picks) => {
    const lengths = new Map<DeviceId, number>()
    return picks.map(({ device, ahead }) => {
      const n = lengths.get(device) ?? 0
      lengths.set(device, n + 1)
      const other = devices[(devices.indexOf(device) + 1) % devices.length]!
      const named = (lengths.get(other) ?? 0) + ahead
      return entryOf(device, n, [{ device: other, n: named, hash: hashOf(other, named) }])
    })
  })

describe('walking chains', () => {
  it('ends with one view, however the feed is cut into walks', () => {
    fc.assert(
      fc.property(feeds, fc.nat(60), (feed, cut) => {
        const whole = walkChains(emptyChainView)
        for (const entry of feed) expect(take(whole, entry)).toBe('ok')
        let view: ChainView = emptyChainView
        for (const part of [feed.slice(0, cut), feed.slice(cut)]) {
          const walk = walkChains(view)
          for (const entry of part) expect(take(walk, entry)).toBe('ok')
          view = walk.view()
        }
        expect(view).toEqual(whole.view())
      }),
    )
  })

  it('leaves its start and every view given before as they were, and a problem changes nothing', () => {
    const walk = walkChains(emptyChainView)
    take(walk, entryOf(devices[0]!, 0))
    const before = walk.view()
    const copy = structuredClone(before)
    expect(take(walk, entryOf(devices[0]!, 2))).toBe('gap')
    expect(walk.take(entryOf(devices[0]!, 0), fill(32, 77), nobody).kind).toBe('fork')
    expect(walk.take({ ...entryOf(devices[0]!, 1), prevHash: fill(32, 3) }, fill(32, 4), nobody).kind).toBe(
      'fork',
    )
    const lying = [{ device: devices[0]!, n: 0, hash: fill(32, 66) }]
    expect(take(walk, entryOf(devices[1]!, 0, lying))).toBe('fork')
    expect(walk.take(entryOf(devices[0]!, 1), hashOf(devices[0]!, 1), devices[0]!).kind).toBe('copied-device')
    expect(walk.view()).toEqual(copy)
    expect(take(walk, entryOf(devices[0]!, 0))).toBe('seen')
    expect(take(walk, entryOf(devices[0]!, 1))).toBe('ok')
    expect(before).toEqual(copy)
    expect(emptyChainView).toEqual({ chains: {}, awaited: [] })
  })

  it('takes a history of 50,000 entries', () => {
    const walk = walkChains(emptyChainView)
    for (let n = 0; n < 50_000; n++) expect(take(walk, entryOf(devices[0]!, n))).toBe('ok')
    expect(walk.view().chains[devices[0]!]!.length).toBe(50_000)
  })

  it('takes chains one after another that name each other at every step, and awaits each head once', () => {
    const [first, second] = [devices[0]!, devices[1]!]
    const walk = walkChains(emptyChainView)
    const length = 20_000
    for (let n = 0; n < length; n++) {
      const head = { device: second, n, hash: hashOf(second, n) }
      expect(take(walk, entryOf(first, n, [head, head]))).toBe('ok')
    }
    expect(walk.view().awaited.length).toBe(length)
    for (let n = 0; n < length; n++) expect(take(walk, entryOf(second, n))).toBe('ok')
    expect(walk.view().awaited).toEqual([])
  })

  it('names a fork where two heads, or a head and its entry, differ', () => {
    const [first, second, third] = [devices[0]!, devices[1]!, devices[2]!]
    const walk = walkChains(emptyChainView)
    const head = { device: second, n: 1, hash: hashOf(second, 1) }
    expect(take(walk, entryOf(first, 0, [head]))).toBe('ok')
    const before = walk.view()
    const other = { ...head, hash: fill(32, 44) }
    expect(take(walk, entryOf(third, 0, [other]))).toBe('fork')
    expect(walk.view()).toEqual(before)
    expect(take(walk, entryOf(second, 0))).toBe('ok')
    expect(walk.take(entryOf(second, 1), fill(32, 45), nobody).kind).toBe('fork')
    expect(take(walk, entryOf(second, 1))).toBe('ok')
    expect(walk.view().awaited).toEqual([])
  })
})
