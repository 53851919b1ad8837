/** Devices of src/crypto and the vault understand each other: real keys, grants, kits and chains, as the app makes them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { createAccount, joinWithKit, openKit, recover } from '../src/crypto/account'
import { readChainEntry, writeChainEntry } from '../src/crypto/chain'
import type { DeviceKeys } from '../src/crypto/device'
import { signSession } from '../src/crypto/session'
import { emptyChainView, walkChains } from '../src/format/chain'
import { accountIds, recordIds, type AccountId } from '../src/format/ids'
import {
  accountRequest,
  chainFeed,
  chainReceipt,
  chainRequest,
  challengeResponse,
  grantsResponse,
  kitShareResponse,
  recoveryResponse,
  rosterRequest,
  rosterResponse,
  sessionRequest,
  storedBlob,
} from '../src/format/wire'
import type { Bytes } from '../src/lib/bytes'
import { artifactBytes, newArtifactId, put, random } from './testing/client'
import { jsonOf, ORIGIN, startVault, type Answer, type TestVault } from './testing/vault'

let vault: TestVault
beforeAll(async () => {
  vault = await startVault()
})
afterAll(() => vault.end())

const post = (path: string, json: unknown, cookie = '') =>
  vault.call({ method: 'POST', path: `/api/${path}`, json, cookie })

function read<Output>(answer: Answer, schema: z.ZodType<Output>): Output {
  expect(answer.status).toBeLessThan(300)
  return schema.parse(jsonOf(answer))
}

async function signIn(accountId: AccountId, device: DeviceKeys, rosterHead: Bytes): Promise<string> {
  const { deviceId } = device
  const asked = await post('sessions/challenge', { accountId, deviceId })
  const serverNonce = new Uint8Array(read(asked, challengeResponse).nonce)
  const proof = signSession(device, { origin: ORIGIN, account: accountId, serverNonce, rosterHead })
  const claim = { accountId, deviceId, serverNonce, rosterHead, ...proof }
  const answer = await post('sessions', z.encode(sessionRequest, claim))
  expect(answer.status).toBe(204)
  return answer.headers['set-cookie']![0]!.split(';')[0]!
}

it('a first device stores a photo, and a second one joins with the words and verifies its history', async () => {
  const first = await createAccount()
  const { accountId } = first.roster
  expect((await post('accounts', z.encode(accountRequest, first.request))).status).toBe(201)
  const cookie = await signIn(accountId, first.device, first.roster.head)

  const artifactId = newArtifactId()
  const stored = read(await put(vault, cookie, artifactId, artifactBytes(artifactId)), storedBlob)
  const record = random(512)
  const written = await writeChainEntry(emptyChainView, accountId, first.device, {
    action: 'put',
    recordId: recordIds.fromBytes(random(16)),
    version: 1,
    epoch: 1,
    record,
    artifact: { id: artifactId, sha256: stored.sha256 },
  })
  const body = z.encode(chainRequest, { entry: written.entry, record })
  expect(read(await post('chain', body, cookie), chainReceipt)).toEqual({ seq: 1 })

  const kit = await openKit(first.words.join(' '))
  const found = await post('recovery/lookup', { kitDeviceId: kit.keys.deviceId })
  expect(read(found, recoveryResponse).accountId).toBe(accountId)
  const asKit = await signIn(accountId, kit.keys, accountIds.toBytes(accountId))
  const get = (path: string, session: string) => vault.call({ path: `/api/${path}`, cookie: session })
  const recovered = await recover(kit, accountId, {
    share: read(await get('kit-share', asKit), kitShareResponse).share,
    entries: read(await get('roster', asKit), rosterResponse).entries,
    grants: read(await get('grants', asKit), grantsResponse).grants,
  })
  const second = await joinWithKit(kit, recovered)
  expect((await post('roster', z.encode(rosterRequest, second.request), asKit)).status).toBe(201)
  expect(second.secrets.modelSecret).toEqual(first.secrets.modelSecret)
  expect(second.secrets.vaultKeys).toEqual(first.secrets.vaultKeys)

  const session = await signIn(accountId, second.device, second.roster.head)
  const { entries } = read(await get('chain', session), chainFeed)
  const walk = walkChains(emptyChainView)
  const { entry, step } = await readChainEntry(walk, entries[0]!.entry, second.roster, second.device.deviceId)
  expect([entries.length, step.kind, entry.artifactId]).toEqual([1, 'ok', artifactId])
  const sealed = await get(`records/${entry.recordId}/${entry.version}`, session)
  expect(Buffer.compare(sealed.body, record)).toBe(0)
})
