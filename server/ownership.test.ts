/** Account A can neither see nor alter what is B's, route by route; and the roster and the chains keep their order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accountIds, recordIds } from '../src/format/ids'
import { toBase64url } from '../src/lib/bytes'
import {
  artifactBytes,
  grantFor,
  newAccount,
  newArtifactId,
  newDevice,
  postChain,
  put,
  random,
  rosterEntry,
  sha256,
  signIn,
  write,
  type Account,
} from './testing/client'
import { codeOf, jsonOf, startVault, type TestVault } from './testing/vault'

let vault: TestVault
let a: Account
let b: Account
let cookieA: string
let cookieB: string
beforeAll(async () => {
  vault = await startVault()
  ;[a, b] = [await newAccount(vault), await newAccount(vault)]
  ;[cookieA, cookieB] = [await signIn(vault, a), await signIn(vault, b)]
})
afterAll(() => vault.end())

const addDevice = async (account: Account, cookie: string) => {
  const device = await newDevice()
  const entry = rosterEntry(account.head, 'add-device', device, account.device)
  const json = {
    entry: toBase64url(entry),
    grants: [toBase64url(grantFor(account.id, account.head.epoch, account.device, device))],
  }
  const answer = await vault.call({ method: 'POST', path: '/api/roster', json, cookie })
  if (answer.status === 201) account.head = { ...account.head, n: account.head.n + 1, hash: sha256(entry) }
  return { device, answer, json }
}

describe('what belongs to another account', () => {
  it('cannot be read, replaced or deleted as an artifact', async () => {
    const id = newArtifactId()
    const bytes = artifactBytes(id)
    expect((await put(vault, cookieB, id, bytes)).status).toBe(201)
    const path = `/api/artifacts/${id}`
    for (const method of ['GET', 'HEAD', 'DELETE'])
      expect((await vault.call({ method, path, cookie: cookieA })).status).toBe(404)
    expect(jsonOf(await vault.call({ path: '/api/artifacts', cookie: cookieA }))).toEqual({
      items: [],
      next: null,
    })
    // The same id is free in A's own account, and B's bytes stay.
    const other = artifactBytes(id)
    expect((await put(vault, cookieA, id, other)).status).toBe(201)
    expect(Buffer.compare((await vault.call({ path, cookie: cookieB })).body, bytes)).toBe(0)
    // A's signed deletion of that id ends A's bytes alone.
    const own = await newAccount(vault)
    const session = await signIn(vault, own)
    const deletion = write(own, own.device, null, 0, null, { artifactId: id, artifactHash: sha256(bytes) })
    expect((await postChain(vault, session, deletion)).status).toBe(201)
    expect((await vault.call({ method: 'DELETE', path, cookie: session })).status).toBe(404)
    expect((await vault.call({ method: 'DELETE', path, cookie: cookieB })).status).toBe(403)
    expect(Buffer.compare((await vault.call({ path, cookie: cookieB })).body, bytes)).toBe(0)
  })

  it('cannot be read or written as a record or a chain', async () => {
    const record = random(1024)
    const recordId = recordIds.fromBytes(random(16))
    const first = write(b, b.device, null, 0, record, { recordId })
    expect((await postChain(vault, cookieB, first)).status).toBe(201)
    const own = await vault.call({ path: `/api/records/${recordId}`, cookie: cookieB })
    expect(Buffer.compare(own.body, record)).toBe(0)
    for (const path of [`/api/records/${recordId}`, `/api/records/${recordId}/1`])
      expect((await vault.call({ path, cookie: cookieA })).status).toBe(404)
    expect(jsonOf(await vault.call({ path: '/api/chain', cookie: cookieA }))).toEqual({
      entries: [],
      next: 0,
    })
    // Neither B's own signed entry nor one that A signs in B's name is taken from A.
    const second = write(b, b.device, first.entry, 1, record)
    expect(codeOf(await postChain(vault, cookieA, second))).toBe('not-allowed')
    expect(codeOf(await postChain(vault, cookieA, write(b, a.device, null, 0, record)))).toBe('not-allowed')
    const posed = write(a, b.device, null, 0, record)
    expect(codeOf(await postChain(vault, cookieB, posed))).toBe('not-allowed')
    // A deletion in A's account leaves B's record of the same id.
    expect((await postChain(vault, cookieA, write(a, a.device, null, 0, null, { recordId }))).status).toBe(
      201,
    )
    expect((await vault.call({ path: `/api/records/${recordId}`, cookie: cookieB })).status).toBe(200)
  })

  it('cannot be read or extended as a roster, grants or a kit share', async () => {
    const rosterOf = async (cookie: string) =>
      (jsonOf(await vault.call({ path: '/api/roster', cookie })) as { entries: string[] }).entries
    const before = await rosterOf(cookieB)
    expect(accountIds.fromBytes(sha256(Buffer.from(before[0]!, 'base64url')))).toBe(b.id)
    expect(await rosterOf(cookieA)).not.toContain(before[0])
    const device = await newDevice()
    for (const signer of [a.device, b.device]) {
      const json = { entry: toBase64url(rosterEntry(b.head, 'add-device', device, signer)), grants: [] }
      expect(codeOf(await vault.call({ method: 'POST', path: '/api/roster', json, cookie: cookieA }))).toBe(
        'conflict',
      )
    }
    const json = { entry: toBase64url(rosterEntry(b.head, 'add-device', device, a.device)), grants: [] }
    expect(codeOf(await vault.call({ method: 'POST', path: '/api/roster', json, cookie: cookieB }))).toBe(
      'not-allowed',
    )
    expect(await rosterOf(cookieB)).toEqual(before)
    const grants = async (cookie: string) =>
      (jsonOf(await vault.call({ path: '/api/grants', cookie })) as { grants: string[] }).grants
    const kitSession = await signIn(vault, b, b.kit)
    const [ofDevice, ofKit, ofA] = [await grants(cookieB), await grants(kitSession), await grants(cookieA)]
    expect([ofDevice, ofKit, ofA].map(({ length }) => length)).toEqual([1, 1, 1])
    expect(new Set([...ofDevice, ...ofKit, ...ofA]).size).toBe(3)
    expect(codeOf(await vault.call({ path: '/api/kit-share', cookie: cookieB }))).toBe('not-allowed')
    const share = (session: string) => vault.call({ path: '/api/kit-share', cookie: session })
    const ownShare = jsonOf(await share(kitSession))
    expect(ownShare).toEqual({ share: (b.request as { kitShare: string }).kitShare })
    expect(jsonOf(await share(await signIn(vault, a, a.kit)))).not.toEqual(ownShare)
  })

  it('gives no session, whatever account is named', async () => {
    const { challenge, claim } = await import('./testing/client')
    const nonce = await challenge(vault, b, b.device)
    const json = { ...(claim(a, a.device, nonce) as object), accountId: b.id }
    expect(codeOf(await vault.call({ method: 'POST', path: '/api/sessions', json }))).toBe('sign-in-failed')
  })
})

describe('the roster', () => {
  it('takes one entry per number, whoever comes first', async () => {
    const account = await newAccount(vault)
    const cookie = await signIn(vault, account)
    const head = account.head
    const entries = await Promise.all(
      Array.from({ length: 4 }, async () =>
        rosterEntry(head, 'add-device', await newDevice(), account.device),
      ),
    )
    const answers = await Promise.all(
      entries.map((entry) =>
        vault.call({
          method: 'POST',
          path: '/api/roster',
          json: { entry: toBase64url(entry), grants: [] },
          cookie,
        }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409])
  })

  it('takes grants of its own epoch only', async () => {
    const account = await newAccount(vault)
    const cookie = await signIn(vault, account)
    const device = await newDevice()
    const entry = toBase64url(rosterEntry(account.head, 'add-device', device, account.device))
    for (const epoch of [0, 2]) {
      const grants = [toBase64url(grantFor(account.id, epoch, account.device, device))]
      const answer = await vault.call({
        method: 'POST',
        path: '/api/roster',
        json: { entry, grants },
        cookie,
      })
      expect(codeOf(answer)).toBe('stale-epoch')
    }
  })

  it('ends the sessions of a device it removes at once, and refuses the epoch before', async () => {
    const account = await newAccount(vault)
    const cookie = await signIn(vault, account)
    const { device, answer } = await addDevice(account, cookie)
    expect(answer.status).toBe(201)
    const session = await signIn(vault, account, device)
    expect((await vault.call({ path: '/api/grants', cookie: session })).status).toBe(200)
    const removal = rosterEntry(account.head, 'remove', device, account.device)
    const json = { entry: toBase64url(removal), grants: [] }
    expect((await vault.call({ method: 'POST', path: '/api/roster', json, cookie })).status).toBe(201)
    expect(codeOf(await vault.call({ path: '/api/grants', cookie: session }))).toBe('not-signed-in')
    await expect(signIn(vault, account, device)).rejects.toThrow()
    const record = random(512)
    expect(codeOf(await postChain(vault, cookie, write(account, account.device, null, 0, record)))).toBe(
      'stale-epoch',
    )
    account.head = { n: account.head.n + 1, hash: sha256(removal), epoch: 2 }
    expect((await postChain(vault, cookie, write(account, account.device, null, 0, record))).status).toBe(201)
  })
})

describe('a chain', () => {
  it('has no gap, fork, false signature or false hash', async () => {
    const account = await newAccount(vault)
    const cookie = await signIn(vault, account)
    const { device } = account
    const record = random(2048)
    const first = write(account, device, null, 0, record)
    expect(jsonOf(await postChain(vault, cookie, first))).toEqual({ seq: 1 })
    expect(jsonOf(await postChain(vault, cookie, first))).toEqual({ seq: 1 }) // the answer was lost: asked again
    const refused = async (entry: ReturnType<typeof write>, code: string) =>
      expect(codeOf(await postChain(vault, cookie, entry))).toBe(code)
    await refused(write(account, device, null, 0, record), 'conflict')
    await refused(write(account, device, first.entry, 2, record), 'conflict')
    await refused(write(account, device, random(50), 1, record), 'conflict')
    await refused(write(account, device, first.entry, 1, record, { epoch: 0 }), 'stale-epoch')
    await refused(write(account, device, first.entry, 1, record, { recordHash: random(32) }), 'bad-request')
    await refused(
      write(account, device, first.entry, 1, record, {
        artifactId: newArtifactId(),
        artifactHash: random(32),
      }),
      'precondition-failed',
    )
    const forged = write(account, device, first.entry, 1, record)
    const bytes = Buffer.from(forged.entry)
    bytes[bytes.length - 1]! ^= 1
    const json = { ...(forged.request as object), entry: bytes.toString('base64url') }
    expect(codeOf(await vault.call({ method: 'POST', path: '/api/chain', json, cookie }))).toBe(
      'bad-signature',
    )
    expect((await postChain(vault, cookie, forged)).status).toBe(201)
    const feed = jsonOf(await vault.call({ path: '/api/chain?since=1', cookie }))
    expect(feed).toEqual({ entries: [{ seq: 2, entry: toBase64url(forged.entry) }], next: 2 })
  })

  it('keeps every version of a record until its deletion, and nothing after', async () => {
    const account = await newAccount(vault)
    const cookie = await signIn(vault, account)
    const { device } = account
    const recordId = recordIds.fromBytes(random(16))
    const versions = [random(512), random(512)]
    const get = async (tail: string) => vault.call({ path: `/api/records/${recordId}${tail}`, cookie })
    let last: ReturnType<typeof write> | null = null
    for (const [n, record] of versions.entries()) {
      last = write(account, device, last?.entry ?? null, n, record, { recordId, version: n + 1 })
      expect((await postChain(vault, cookie, last)).status).toBe(201)
    }
    const stale = write(account, device, last!.entry, 2, random(512), { recordId, version: 2 })
    expect(codeOf(await postChain(vault, cookie, stale))).toBe('conflict')
    expect(Buffer.compare((await get('')).body, versions[1]!)).toBe(0)
    expect(Buffer.compare((await get('/1')).body, versions[0]!)).toBe(0)
    const deletion = write(account, device, last!.entry, 2, null, { recordId, version: 3 })
    expect((await postChain(vault, cookie, deletion)).status).toBe(201)
    for (const tail of ['', '/1', '/2', '/3']) expect((await get(tail)).status).toBe(404)
    const revival = write(account, device, deletion.entry, 3, random(512), { recordId, version: 4 })
    expect(codeOf(await postChain(vault, cookie, revival))).toBe('deleted')
  })
})
