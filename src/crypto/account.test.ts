import { createPublicKey, verify as nodeVerify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { emptyChainView, missingAtEnd, missingFrom, walkChains, type ChainWalk } from '../format/chain'
import { chainEntryMessage } from '../format/chain-entry'
import type { DeviceId } from '../format/ids'
import { extendRoster } from '../format/roster'
import { rosterEntryMessage } from '../format/roster-entry'
import { sessionSignedBytes } from '../format/session'
import { accountRequest } from '../format/wire'
import { present } from '../lib/assert'
import { toHex } from '../lib/bytes'
import { closeKit, createAccount, joinWithKit, openKit, openVaultKeys, recover } from './account'
import { readChainEntry, writeChainEntry } from './chain'
import { sealGrant, sealPreviousVaultKey } from './grant'
import { newArtifactId, newRecordId, randomBytes } from './random'
import { followRoster, removalEntry, verifyRoster } from './roster'
import { newStoredKey, openDeviceSecrets, readUnlockers, sealDeviceSecrets } from './sealed-blob'
import { signSession } from './session'
import { codeOf, flipped } from './testing'

/** Ed25519 as the vault checks it. */
function nodeCheck(signKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(signKey).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return nodeVerify(null, message, key, signature)
}

async function joined() {
  const account = await createAccount()
  const entries = [account.request.genesis, account.request.kit]
  const kit = await openKit(account.words.join(' '))
  const vault = { share: account.request.kitShare, entries, grants: [account.request.grants[1]!] }
  const recovered = await recover(kit, account.roster.accountId, vault)
  const second = await joinWithKit(kit, recovered)
  closeKit(kit)
  return { account, second, entries: [...entries, second.request.entry] }
}

describe('an account', () => {
  it('is found again by its 24 words alone', async () => {
    const { account, second, entries } = await joined()
    expect(toHex(second.secrets.modelSecret)).toBe(toHex(account.secrets.modelSecret))
    expect(second.secrets.vaultKeys).toEqual(account.secrets.vaultKeys)
    const seen = await verifyRoster(
      entries,
      account.roster.accountId,
      account.secrets.modelSecret,
      account.roster,
    )
    expect(toHex(seen.head)).toBe(toHex(second.roster.head))
    expect([...seen.members.values()].map(({ isKit }) => isKit)).toEqual([false, true, false])
    const keys = await openVaultKeys(
      seen,
      entries,
      second.request.grants,
      second.device,
      second.secrets.modelSecret,
    )
    expect(keys).toEqual(account.secrets.vaultKeys)
  })

  it('keeps secrets and device keys apart, so that either can be wiped', async () => {
    const { account, second } = await joined()
    const before = toHex(second.secrets.vaultKeys[0]!.key)
    for (const { secrets } of [account, second]) {
      const { signSeed, kemSeed, modelSecret, vaultKeys } = secrets
      for (const secret of [signSeed, kemSeed, modelSecret]) secret.fill(0)
      if (secrets === account.secrets) vaultKeys[0]!.key.fill(0)
    }
    for (const { device } of [account, second])
      for (const seed of [device.signSeed, device.kemSeed]) expect(seed.some((byte) => byte !== 0)).toBe(true)
    expect(toHex(second.secrets.vaultKeys[0]!.key)).toBe(before)
    expect(before).not.toBe('00'.repeat(32))
  })

  it('is accepted by the vault with Node signatures and travels over the wire', async () => {
    const { account, second } = await joined()
    const wire = z.encode(accountRequest, account.request)
    const request = accountRequest.parse(JSON.parse(JSON.stringify(wire)))
    let roster = await extendRoster(null, request.genesis, nodeCheck)
    roster = await extendRoster(roster, request.kit, nodeCheck)
    roster = await extendRoster(roster, second.request.entry, nodeCheck)
    expect(roster.accountId).toBe(account.roster.accountId)
    const serverNonce = randomBytes(32)
    const claim = {
      origin: 'https://photos.example.org',
      account: roster.accountId,
      serverNonce,
      rosterHead: roster.head,
    }
    const { clientNonce, signature } = signSession(second.device, claim)
    const message = sessionSignedBytes({ ...claim, device: second.device.deviceId, clientNonce })
    expect(nodeCheck(second.device.signKey, message, signature)).toBe(true)
    const elsewhere = sessionSignedBytes({
      ...claim,
      origin: 'https://evil.example.org',
      device: second.device.deviceId,
      clientNonce,
    })
    expect(nodeCheck(second.device.signKey, elsewhere, signature)).toBe(false)
  })

  it('does not open with changed answers of the vault', async () => {
    const account = await createAccount()
    const { genesis, kit: kitEntry, grants, kitShare } = account.request
    const kit = await openKit(account.words.join(' '))
    const id = account.roster.accountId
    const good = { share: kitShare, entries: [genesis, kitEntry], grants: [grants[1]!] }
    const answer = (change: Partial<typeof good>) => codeOf(recover(kit, id, { ...good, ...change }))
    expect(await answer({})).toBe('opened')
    for (let at = 0; at < kitShare.length; at++)
      expect(await answer({ share: flipped(kitShare, at) })).not.toBe('opened')
    for (let at = 0; at < kitEntry.length; at += 29)
      expect(await answer({ entries: [genesis, flipped(kitEntry, at)] })).not.toBe('opened')
    for (let at = 0; at < grants[1]!.length; at += 29)
      expect(await answer({ grants: [flipped(grants[1]!, at)] })).not.toBe('opened')
    expect(await answer({ entries: [genesis] })).toBe('wrong-object')
    expect(await answer({ entries: [] })).toBe('truncated')
    expect(await answer({ grants: [] })).toBe('damaged')
    expect(await answer({ grants: [grants[0]!] })).toBe('wrong-object')
    const other = await createAccount()
    const strange = { entries: [other.request.genesis, other.request.kit] }
    expect(await answer(strange)).toBe('bad-mac')
    const otherKit = await openKit(other.words.join(' '))
    expect(await codeOf(recover(otherKit, id, good))).toBe('wrong-object')
  }, 20_000)
})

describe('the roster', () => {
  it('refuses an entry for every flipped byte', async () => {
    const { account, second } = await joined()
    const { entry } = second.request
    for (let at = 0; at < entry.length; at += 11)
      expect(
        await codeOf(followRoster(account.roster, flipped(entry, at), account.secrets.modelSecret)),
      ).not.toBe('opened')
  }, 20_000)

  it('cannot be extended by the vault, nor by a signature without modelSecret', async () => {
    const { account, second } = await joined()
    const decoded = rosterEntryMessage.decode(second.request.entry)
    const unmacked = rosterEntryMessage.encode({ ...decoded, mac: new Uint8Array(32) })
    await extendRoster(account.roster, unmacked, nodeCheck) // the vault cannot tell
    expect(await codeOf(followRoster(account.roster, unmacked, account.secrets.modelSecret))).toBe('bad-mac')
    expect(await codeOf(followRoster(null, second.request.entry, account.secrets.modelSecret))).toBe(
      'bad-order',
    )
    expect(await codeOf(followRoster(second.roster, second.request.entry, account.secrets.modelSecret))).toBe(
      'bad-order',
    )
  })

  it('is refused when older than what this device saw', async () => {
    const { account, second, entries } = await joined()
    const { accountId } = account.roster
    const secret = account.secrets.modelSecret
    expect(await codeOf(verifyRoster(entries.slice(0, 2), accountId, secret, second.roster))).toBe(
      'bad-order',
    )
    const other = { n: 1, head: randomBytes(32) }
    expect(await codeOf(verifyRoster(entries, accountId, secret, other))).toBe('bad-order')
  })

  it('begins an epoch when a device is removed, and keeps old keys reachable', async () => {
    const { account, second, entries } = await joined()
    const { modelSecret } = account.secrets
    const vaultKey = randomBytes(32)
    const link = await sealPreviousVaultKey(vaultKey, 2, account.secrets.vaultKeys[0]!.key)
    const removed = present(second.roster.members.get(second.device.deviceId), 'not a member')
    const entry = await removalEntry(second.roster, removed, account.device, modelSecret, link)
    const roster = await followRoster(second.roster, entry, modelSecret)
    expect(roster.epoch).toBe(2)
    expect(roster.members.has(removed.deviceId)).toBe(false)
    const self = present(roster.members.get(account.device.deviceId), 'not a member')
    const grant = await sealGrant(roster, self, account.device, modelSecret, vaultKey)
    const keys = await openVaultKeys(roster, [...entries, entry], [grant], account.device, modelSecret)
    expect(keys).toEqual([account.secrets.vaultKeys[0], { epoch: 2, key: vaultKey }])
    expect(await codeOf(sealGrant(roster, removed, account.device, modelSecret, vaultKey))).toBe(
      'not-allowed',
    )
    const kitMember = present(
      [...roster.members.values()].find(({ isKit }) => isKit),
      'no kit',
    )
    const noKit = await removalEntry(roster, kitMember, account.device, modelSecret, link)
    expect(await codeOf(followRoster(roster, noKit, modelSecret))).toBe('not-allowed')

    const write = {
      action: 'put',
      recordId: newRecordId(),
      version: 1,
      record: randomBytes(9),
      artifact: null,
    } as const
    const late = await writeChainEntry(emptyChainView, roster.accountId, second.device, {
      ...write,
      epoch: 2,
    })
    const early = await writeChainEntry(emptyChainView, roster.accountId, second.device, {
      ...write,
      epoch: 1,
    })
    const me = account.device.deviceId
    expect(await codeOf(readChainEntry(walkChains(emptyChainView), late.entry, roster, me))).toBe(
      'not-allowed',
    )
    expect(await codeOf(readChainEntry(walkChains(emptyChainView), early.entry, roster, me))).toBe('opened')
  })
})

describe('secrets at rest', () => {
  it('open with any unlocker and no other key', async () => {
    const { secrets } = await createAccount()
    const stored = await newStoredKey()
    const passkey = await newStoredKey()
    const blob = await sealDeviceSecrets(secrets, [
      { kind: 'stored-key', parameters: new Uint8Array(), kek: stored },
      { kind: 'passkey', parameters: Uint8Array.of(1, 2), kek: passkey },
    ])
    expect(readUnlockers(blob)).toEqual([
      { kind: 'stored-key', parameters: new Uint8Array() },
      { kind: 'passkey', parameters: Uint8Array.of(1, 2) },
    ])
    expect(await openDeviceSecrets(blob, 'stored-key', stored)).toEqual(secrets)
    expect(await openDeviceSecrets(blob, 'passkey', passkey)).toEqual(secrets)
    expect(await codeOf(openDeviceSecrets(blob, 'passkey', stored))).toBe('cannot-unlock')
    expect(await codeOf(openDeviceSecrets(blob, 'passphrase', stored))).toBe('cannot-unlock')
    expect(Buffer.from(blob).includes(Buffer.from(secrets.modelSecret))).toBe(false)
    for (let at = 0; at < blob.length; at++)
      expect(await codeOf(openDeviceSecrets(flipped(blob, at), 'stored-key', stored))).not.toBe('opened')
    await expect(crypto.subtle.exportKey('raw', stored)).rejects.toThrow()
  })
})

describe('the chains of two devices', () => {
  const write = (version: number) =>
    ({
      action: 'put',
      recordId: newRecordId(),
      version,
      epoch: 1,
      record: randomBytes(8),
      artifact: { id: newArtifactId(), sha256: randomBytes(32) },
    }) as const

  it('are followed, and every trick of the vault is named', async () => {
    const { account, second } = await joined()
    const { roster } = second
    const a = account.device
    const b = second.device
    const read = async (walk: ChainWalk, entry: Uint8Array, self: DeviceId) => {
      const { step } = await readChainEntry(walk, entry, roster, self)
      return step
    }
    const viewAfter = async (entries: readonly Uint8Array[], self: DeviceId, start = emptyChainView) => {
      const walk = walkChains(start)
      for (const entry of entries) {
        const step = await read(walk, entry, self)
        if (step.kind !== 'ok' && step.kind !== 'seen') return step
      }
      return walk.view()
    }
    const a0 = await writeChainEntry(emptyChainView, roster.accountId, a, write(1))
    const a1 = await writeChainEntry(a0.view, roster.accountId, a, write(1))
    const seenByB = await viewAfter([a0.entry, a1.entry], b.deviceId)
    if ('kind' in seenByB) expect.fail('b could not follow a')
    const b0 = await writeChainEntry(seenByB, roster.accountId, b, write(1))
    expect(chainEntryMessage.decode(b0.entry).heads.map(({ n }) => n)).toEqual([1])

    const me = a.deviceId
    expect(await viewAfter([b0.entry], me, a1.view)).toHaveProperty('chains')
    expect(await viewAfter([a0.entry, a1.entry, b0.entry], me, a1.view)).toHaveProperty('awaited', [])

    const kitOnly = 'somebody else' as DeviceId
    expect(await viewAfter([a1.entry], kitOnly)).toEqual({ kind: 'gap', device: me })
    const withheld = await viewAfter([b0.entry], kitOnly)
    if ('kind' in withheld) expect.fail('b0 follows')
    expect(missingAtEnd(withheld)).toEqual({ kind: 'rollback', device: me })
    const complete = await viewAfter([a0.entry, a1.entry], kitOnly, withheld)
    if ('kind' in complete) expect.fail('a follows')
    expect(missingAtEnd(complete)).toBeNull()

    const fork = await writeChainEntry(a0.view, roster.accountId, a, write(7))
    expect(await viewAfter([a0.entry, a1.entry, fork.entry], kitOnly)).toEqual({ kind: 'fork', device: me })
    expect(await viewAfter([a0.entry, fork.entry, b0.entry], kitOnly)).toEqual({ kind: 'fork', device: me })
    expect(await viewAfter([b0.entry, a0.entry, fork.entry], kitOnly)).toEqual({ kind: 'fork', device: me })
    expect(await viewAfter([fork.entry], me, a1.view)).toEqual({ kind: 'copied-device', device: me })
    expect(await viewAfter([a1.entry], me, a0.view)).toEqual({ kind: 'copied-device', device: me })

    const rolledBack = await viewAfter([a0.entry], kitOnly)
    if ('kind' in rolledBack) expect.fail('a0 follows')
    expect(missingFrom(rolledBack, complete)).toEqual({ kind: 'rollback', device: b.deviceId })
    expect(missingFrom(complete, rolledBack)).toBeNull()
    for (let at = 0; at < a0.entry.length; at++)
      expect(await codeOf(read(walkChains(emptyChainView), flipped(a0.entry, at), kitOnly))).not.toBe(
        'opened',
      )
  }, 20_000)
})
