/** What is left of an artifact after a crash between any two steps, and what a sweep may and may not take. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordIds } from '../src/format/ids'
import { scrub } from './scrub'
import { blobKey } from './shelf'
import {
  artifactBytes,
  newAccount,
  newArtifactId,
  postChain,
  put,
  random,
  sha256,
  signIn,
  write,
  type Account,
} from './testing/client'
import { startVault, type TestVault } from './testing/vault'

let vault: TestVault
let account: Account
let cookie: string
beforeEach(async () => {
  vault = await startVault()
  account = await newAccount(vault)
  cookie = await signIn(vault, account)
})
afterEach(() => vault.end())

const statusOf = async (id: string) => (await vault.call({ path: `/api/artifacts/${id}`, cookie })).status
const sizeOf = (id: string) => vault.blobs.size(blobKey(account.id, id))

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

/** Writes a blob as an upload does, and stops before its row. */
async function blobAlone(id: string): Promise<void> {
  const staged = await vault.blobs.stage(once(random(1000)), { maxBytes: 1000, headBytes: 0 })
  await staged.commit(blobKey(account.id, id))
}

async function stored(): Promise<{ id: ReturnType<typeof newArtifactId>; hash: Uint8Array<ArrayBuffer> }> {
  const id = newArtifactId()
  const bytes = artifactBytes(id)
  expect((await put(vault, cookie, id, bytes)).status).toBe(201)
  return { id, hash: sha256(bytes) }
}

describe('after a crash', () => {
  it('between an upload’s note and its blob, nothing is left', async () => {
    const id = newArtifactId()
    vault.records.unsettle(account.id, id)
    expect(await vault.shelf.sweep()).toBe(1)
    expect(await vault.shelf.sweep()).toBe(0)
    expect((await put(vault, cookie, id, artifactBytes(id))).status).toBe(201)
    expect(await vault.shelf.sweep()).toBe(0)
    expect(await statusOf(id)).toBe(200)
  })

  it('between an upload’s blob and its row, the blob goes', async () => {
    const id = newArtifactId()
    vault.records.unsettle(account.id, id)
    await blobAlone(id)
    expect(await statusOf(id)).toBe(404)
    expect(await vault.shelf.sweep()).toBe(1)
    expect(await sizeOf(id)).toBeNull()
    expect((await put(vault, cookie, id, artifactBytes(id))).status).toBe(201)
  })

  it('before the sweep, the same upload succeeds and the sweep leaves it', async () => {
    const id = newArtifactId()
    vault.records.unsettle(account.id, id)
    await blobAlone(id)
    expect((await put(vault, cookie, id, artifactBytes(id))).status).toBe(201)
    expect(await vault.shelf.sweep()).toBe(0)
    expect(await statusOf(id)).toBe(200)
    expect(await scrub(vault.records, vault.blobs)).toEqual({ checked: 1, damaged: [], unknown: 0 })
  })

  it('between a removal’s row and its blob, the blob goes', async () => {
    const { id, hash } = await stored()
    const deletion = write(account, account.device, null, 0, null, { artifactId: id, artifactHash: hash })
    expect((await postChain(vault, cookie, deletion)).status).toBe(201)
    expect(vault.records.removeArtifact(account.id, id)).toBe(true)
    expect(await sizeOf(id)).toBe(5000)
    expect(await vault.shelf.sweep()).toBe(1)
    expect(await sizeOf(id)).toBeNull()
  })

  it('between a signed deletion and the removal, the artifact goes and its room is free', async () => {
    const { id, hash } = await stored()
    const deletion = write(account, account.device, null, 0, null, { artifactId: id, artifactHash: hash })
    expect((await postChain(vault, cookie, deletion)).status).toBe(201)
    expect(await vault.shelf.sweep()).toBe(1)
    expect([await sizeOf(id), await statusOf(id)]).toEqual([null, 404])
  })
})

describe('a sweep', () => {
  it('leaves an upload whose record is still on its way, over a restart too', async () => {
    const { id, hash } = await stored()
    expect(await vault.shelf.sweep()).toBe(0)
    await vault.restart()
    expect(await vault.shelf.sweep()).toBe(0)
    const entry = write(account, account.device, null, 0, random(512), { artifactId: id, artifactHash: hash })
    expect((await postChain(vault, cookie, entry)).status).toBe(201)
    expect(await statusOf(id)).toBe(200)
  })

  it('leaves an artifact that another record names, and takes all those of a deleted record', async () => {
    const [shared, old] = [await stored(), await stored()]
    const recordId = recordIds.fromBytes(random(16))
    const names = ({ id, hash }: typeof shared) => ({ artifactId: id, artifactHash: hash })
    const other = write(account, account.device, null, 0, random(512), names(shared))
    const first = write(account, account.device, other.entry, 1, random(512), { recordId, ...names(old) })
    const second = write(account, account.device, first.entry, 2, random(512), {
      ...{ recordId, version: 2 },
      ...names(shared),
    })
    const deletion = write(account, account.device, second.entry, 3, null, {
      ...{ recordId, version: 3 },
      ...names(shared),
    })
    for (const entry of [other, first, second, deletion])
      expect((await postChain(vault, cookie, entry)).status).toBe(201)
    const refused = await vault.call({ method: 'DELETE', path: `/api/artifacts/${shared.id}`, cookie })
    expect(refused.status).toBe(403)
    expect(await vault.shelf.sweep()).toBe(1)
    expect([await statusOf(shared.id), await statusOf(old.id)]).toEqual([200, 404])
  })

  it('leaves blobs that the database never knew, and the scrub counts them', async () => {
    const [id, { id: kept }] = [newArtifactId(), await stored()]
    await blobAlone(id)
    expect(await vault.shelf.sweep()).toBe(0)
    expect([await sizeOf(id), await sizeOf(kept)]).toEqual([1000, 5000])
    expect(await scrub(vault.records, vault.blobs)).toEqual({ checked: 1, damaged: [], unknown: 1 })
  })

  it('may run beside uploads and deletions', async () => {
    const rounds = Array.from({ length: 8 }, async (_, i) => {
      const id = newArtifactId()
      const bytes = artifactBytes(id, 2000 + i)
      const answers = await Promise.all([put(vault, cookie, id, bytes), put(vault, cookie, id, bytes)])
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 201])
    })
    const sweeps = Array.from({ length: 20 }, async () => {
      expect(await vault.shelf.sweep()).toBe(0)
      await new Promise((resolve) => setImmediate(resolve))
    })
    await Promise.all([...rounds, ...sweeps])
    expect(await scrub(vault.records, vault.blobs)).toEqual({ checked: 8, damaged: [], unknown: 0 })
  })
})
