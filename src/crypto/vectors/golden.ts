/**
 * A whole vault as plain text, to be committed: a roster of two devices and a kit, an epoch that began when one of them
 * was removed, signed chains, records and artifacts, and the 24 words that open it all. What was sealed once must open
 * for ever. sealGoldenVault draws new keys and is run by `npm run vectors` alone; openGoldenVault opens what was kept.
 */
import { SECTION } from '../../format/artifact'
import { isNewer, emptyChainView, missingAtEnd, walkChains, type ChainView } from '../../format/chain'
import type { ChainEntry } from '../../format/chain-entry'
import { sha256 } from '../../format/hash'
import { accountIds, artifactIds, modelIds, type DeviceId, type RecordId } from '../../format/ids'
import type { PADDING_RULE } from '../../format/padding'
import { photoRecord, type PhotoRecord } from '../../format/record'
import { assert, present } from '../../lib/assert'
import { equalBytes, parseBase64url, toBase64url, type Bytes } from '../../lib/bytes'
import { closeKit, createAccount, joinWithKit, openKit, recover } from '../account'
import { sealArtifact, type ArtifactNames, type Mask, type Section } from '../artifact'
import { wrapDataKey } from '../artifact-keys'
import { readChainEntry, writeChainEntry } from '../chain'
import { duplicateHash } from '../dedupe'
import type { DeviceKeys } from '../device'
import { sealGrant, sealPreviousVaultKey } from '../grant'
import { newArtifactId, newRecordId, randomBytes } from '../random'
import { openRecord, sealRecord } from '../record'
import { followRoster, removalEntry } from '../roster'

/** Bytes are base64url. */
export interface GoldenVault {
  readonly accountId: string
  readonly words: string
  readonly kitShare: string
  readonly roster: readonly string[]
  readonly grants: readonly string[]
  /** In the order of the feed. */
  readonly chain: readonly string[]
  readonly records: readonly { readonly version: number; readonly sealed: string }[]
  readonly artifacts: Readonly<Record<string, string>>
}

/** One photo as a device would seal it. */
export interface GoldenPicture {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly quality: number
  readonly paddingRule: keyof typeof PADDING_RULE
  readonly image: Uint8Array
  readonly thumbnail: Uint8Array
  readonly original: { readonly bytes: Uint8Array; readonly mediaType: string } | null
}

/** What pictures become under one account's model secret. */
export interface CodedPictures {
  readonly modelId: Uint8Array
  readonly weightsHash: Uint8Array
  readonly pictures: readonly GoldenPicture[]
}

const MODEL_GENERATION = 1
const TAKEN_AT = '2026-06-21T21:04:05'
const MODIFIED_AT = '2026-06-22T07:08:09.123Z'

/**
 * Makes the account, seals every picture and ends with a new version of the first record, and a photo that was deleted.
 * The second device writes every second photo until it is removed, before the last two.
 */
export async function sealGoldenVault(
  mask: Mask,
  code: (modelSecret: Uint8Array) => Promise<CodedPictures>,
): Promise<GoldenVault> {
  const account = await createAccount()
  const { modelSecret } = account.secrets
  const { accountId } = account.roster
  const entries = [account.request.genesis, account.request.kit]
  const words = account.words.join(' ')
  const kit = await openKit(words)
  const vault = { share: account.request.kitShare, entries, grants: [account.request.grants[1]!] }
  const second = await joinWithKit(kit, await recover(kit, accountId, vault))
  entries.push(second.request.entry)
  const oldKey = account.secrets.vaultKeys[0]!.key
  const newKey = randomBytes(32)
  const link = await sealPreviousVaultKey(newKey, 2, oldKey)
  const removed = present(
    second.roster.members.get(second.device.deviceId),
    'The second device is no member.',
  )
  entries.push(await removalEntry(second.roster, removed, account.device, modelSecret, link))
  const roster = await followRoster(second.roster, entries.at(-1)!, modelSecret)
  const kitMember = present(roster.members.get(kit.keys.deviceId), 'The kit is no member.')
  const grant = await sealGrant(roster, kitMember, account.device, modelSecret, newKey)
  closeKit(kit)

  const { modelId, weightsHash, pictures } = await code(modelSecret)
  const model = { modelId: modelIds.fromBytes(modelId), modelGeneration: MODEL_GENERATION }
  const chain: Bytes[] = []
  const records: { version: number; sealed: Bytes }[] = []
  const artifacts = new Map<string, Bytes>()
  let view: ChainView = emptyChainView

  async function write(
    device: DeviceKeys,
    change: { recordId: RecordId; version: number; epoch: number; photo: PhotoRecord; isDeletion?: boolean },
  ): Promise<void> {
    const { recordId, version, epoch, photo, isDeletion = false } = change
    const sealed = isDeletion
      ? null
      : await sealRecord({
          names: { accountId, recordId, version },
          epoch,
          ...model,
          modelSecret,
          vaultKey: epoch === 1 ? oldKey : newKey,
          body: photo,
        })
    if (sealed !== null) records.push({ version, sealed })
    const written = await writeChainEntry(view, accountId, device, {
      action: isDeletion ? 'delete' : 'put',
      recordId,
      version,
      epoch,
      record: sealed,
      artifact: { id: photo.artifact.id, sha256: present(parseBase64url(photo.artifact.sha256), 'no hash') },
    })
    chain.push(written.entry)
    view = written.view
  }

  async function sealPicture(picture: GoldenPicture, epoch: number): Promise<PhotoRecord> {
    const { name, width, height, quality, paddingRule, image, thumbnail, original } = picture
    const vaultKey = epoch === 1 ? oldKey : newKey
    const names = { accountId, artifactId: newArtifactId(), ...model }
    const sections: Section[] = [
      { id: SECTION.image, bytes: image },
      { id: SECTION.thumbnail, bytes: thumbnail },
    ]
    if (original !== null) sections.push({ id: SECTION.original, bytes: original.bytes })
    const sealed = await sealArtifact({
      names,
      lock: { modelSecret, weightsHash },
      mask,
      sections,
      picture: { width, height, quality, paddingRule },
    })
    const header = { ...names, process: mask.processId, nonce: sealed.nonce }
    artifacts.set(names.artifactId, sealed.bytes)
    return {
      kind: 'photo',
      name,
      width,
      height,
      takenAt: TAKEN_AT,
      addedAt: MODIFIED_AT,
      fileModifiedAt: original === null ? null : MODIFIED_AT,
      originalBytes: original?.bytes.length ?? 0,
      psnrDb: null,
      keptOriginal: original !== null,
      originalMediaType: original?.mediaType ?? 'image/png',
      duplicateHash: toBase64url(await duplicateHash(modelSecret, original?.bytes ?? image)),
      unknown: { kept: [1, null, 'Föhn'] },
      artifact: {
        id: names.artifactId,
        bytes: sealed.bytes.length,
        sha256: toBase64url(await sha256(sealed.bytes)),
        epoch,
        wrappedKey: toBase64url(await wrapDataKey(vaultKey, { accountId, header }, sealed.dataKey)),
        weightsHash: toBase64url(weightsHash),
      },
    }
  }

  const first = { recordId: newRecordId(), photo: null as PhotoRecord | null }
  for (const [i, picture] of pictures.entries()) {
    const epoch = i < pictures.length - 2 ? 1 : 2
    const photo = await sealPicture(picture, epoch)
    const recordId = i === 0 ? first.recordId : newRecordId()
    first.photo ??= photo
    await write(epoch === 1 && i % 2 === 1 ? second.device : account.device, {
      recordId,
      version: 1,
      epoch,
      photo,
    })
  }
  const deleted = { recordId: newRecordId(), photo: await sealPicture(pictures[0]!, 2) }
  await write(account.device, { ...deleted, version: 1, epoch: 2 })
  await write(account.device, { ...deleted, version: 2, epoch: 2, isDeletion: true })
  artifacts.delete(deleted.photo.artifact.id)
  const edited = { ...present(first.photo, 'There is no picture.'), caption: 'a second version' }
  await write(account.device, { recordId: first.recordId, photo: edited, version: 2, epoch: 2 })

  return {
    accountId,
    words,
    kitShare: toBase64url(account.request.kitShare),
    roster: entries.map(toBase64url),
    grants: [toBase64url(grant)],
    chain: chain.map(toBase64url),
    records: records.map(({ version, sealed }) => ({ version, sealed: toBase64url(sealed) })),
    artifacts: Object.fromEntries([...artifacts].map(([id, bytes]) => [id, toBase64url(bytes)])),
  }
}

function bytesOf(text: string): Bytes {
  return present(parseBase64url(text), 'A golden file is not base64url.')
}

/** A photo that the vault still has, with what opens its artifact. */
export interface GoldenPhoto {
  readonly photo: PhotoRecord
  readonly version: number
  readonly names: ArtifactNames
  readonly modelSecret: Bytes
  readonly vaultKey: Bytes
  readonly artifact: Bytes
}

/** Opens everything but the artifacts, from the words alone, as a new device would; throws what opening throws. */
export async function openGoldenVault(golden: GoldenVault): Promise<{
  readonly photos: readonly GoldenPhoto[]
  readonly modelSecret: Bytes
  readonly entries: readonly ChainEntry[]
}> {
  const accountId = accountIds.fromBytes(bytesOf(golden.accountId))
  const kit = await openKit(golden.words)
  const { roster, modelSecret, vaultKeys } = await recover(kit, accountId, {
    share: bytesOf(golden.kitShare),
    entries: golden.roster.map(bytesOf),
    grants: golden.grants.map(bytesOf),
  })
  const vaultKeyOf = (epoch: number) => vaultKeys.find((known) => known.epoch === epoch)?.key ?? null
  closeKit(kit)

  const walk = walkChains(emptyChainView)
  const newest = new Map<
    string,
    { readonly entry: ChainEntry; readonly version: number; readonly hash: Bytes }
  >()
  const entries: ChainEntry[] = []
  for (const encoded of golden.chain) {
    const { entry, hash, step } = await readChainEntry(walk, bytesOf(encoded), roster, 'nobody' as DeviceId)
    assert(step.kind === 'ok', `A golden chain entry is a ${step.kind}.`)
    entries.push(entry)
    const candidate = { entry, version: entry.version, hash }
    const known = newest.get(entry.recordId)
    if (known === undefined || isNewer(candidate, known)) newest.set(entry.recordId, candidate)
  }
  assert(missingAtEnd(walk.view()) === null, 'A golden chain is not whole.')

  const sealedRecords = new Map<string, Bytes>()
  for (const { sealed } of golden.records) {
    const bytes = bytesOf(sealed)
    sealedRecords.set(toBase64url(await sha256(bytes)), bytes)
  }
  const photos: GoldenPhoto[] = []
  for (const { entry } of newest.values()) {
    if (entry.action === 'delete') continue
    const { recordId, version } = entry
    const hash = toBase64url(present(entry.recordHash, 'A golden write names no record.'))
    const sealed = present(sealedRecords.get(hash), 'A golden record is missing.')
    const { body } = await openRecord(sealed, { accountId, recordId, version }, modelSecret, vaultKeyOf)
    const photo = photoRecord.parse(body)
    const artifact = bytesOf(present(golden.artifacts[photo.artifact.id], 'A golden artifact is missing.'))
    assert(
      equalBytes(await sha256(artifact), present(entry.artifactHash, 'no hash')),
      'A golden artifact is not the one in its chain.',
    )
    photos.push({
      photo,
      version,
      names: {
        accountId,
        artifactId: artifactIds.fromBytes(bytesOf(photo.artifact.id)),
        modelId: modelIds.fromBytes(artifact.subarray(16, 48)),
        modelGeneration: MODEL_GENERATION,
      },
      modelSecret,
      vaultKey: present(vaultKeyOf(photo.artifact.epoch), 'A golden epoch has no key.'),
      artifact,
    })
  }
  return { photos, modelSecret, entries }
}
