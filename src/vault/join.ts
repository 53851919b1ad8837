/** Becoming a device: of a new account, or of an existing one through the 24 words of its kit (PROTOCOL §4). */
import { closeKit, createAccount, joinWithKit, openKit, recover, type NewAccount } from '../crypto/account'
import { CryptoError } from '../crypto/errors'
import { normalizeWords } from '../crypto/words'
import { accountIds } from '../format/ids'
import { PAGE_ITEMS } from '../format/wire'
import { copyBytes, type Bytes } from '../lib/bytes'
import type { DeviceRow } from '../storage/schema'
import { sealForThisBrowser } from './device-keys'
import { codeOf, VaultError } from './errors'
import { accountBody, createVaultApi, findAccountOfKit, type VaultApi } from './vault-api'

/** Words asked back before the first upload. */
const PROOF_WORDS = 3
/** Two devices may join at one moment. */
const JOIN_ATTEMPTS = 3

export interface NewDevice {
  readonly row: DeviceRow
  readonly roster: readonly Bytes[]
}

export interface KitProof {
  readonly account: NewAccount
  /** 0-based, rising. */
  readonly positions: readonly number[]
}

export async function startAccount(): Promise<KitProof> {
  const account = await createAccount()
  const positions = new Set<number>()
  while (positions.size < PROOF_WORDS)
    positions.add(crypto.getRandomValues(new Uint32Array(1))[0]! % account.words.length)
  return { account, positions: [...positions].sort((a, b) => a - b) }
}

export function kitIsProven({ account, positions }: KitProof, words: readonly string[]): boolean {
  return (
    words.length === positions.length &&
    positions.every((position, i) => normalizeWords(words[i] ?? '').join(' ') === account.words[position])
  )
}

export async function firstDevice({ account }: KitProof, deviceName: string): Promise<NewDevice> {
  const { roster, device, secrets, request } = account
  const sealed = await sealForThisBrowser(secrets)
  const { accountId } = roster
  const registration = accountBody(request)
  const row = { accountId, deviceId: device.deviceId, deviceName, registration, ...sealed }
  return { row, roster: [request.genesis, request.kit] }
}

export async function joinWithWords(words: string, deviceName: string): Promise<NewDevice> {
  const kit = await openKit(words).catch((cause: unknown) => {
    throw cause instanceof CryptoError ? new VaultError('bad-words', { cause }) : cause
  })
  try {
    const accountId = await findAccountOfKit(kit.keys.deviceId)
    if (accountId === null) throw new VaultError('unknown-kit')
    // The kit knows one roster entry from the account id alone: the first.
    const genesisHash = accountIds.toBytes(accountId)
    const api = createVaultApi({ accountId, keys: kit.keys, rosterHead: () => genesisHash })
    await api.signIn()
    const [share, grants] = await Promise.all([api.kitShare(), api.grants()])
    for (let attempt = 1; ; attempt++) {
      const entries = (await wholeRoster(api)).map(copyBytes)
      const recovered = await recover(kit, accountId, { share, entries, grants })
      const { device, secrets, request } = await joinWithKit(kit, recovered)
      const sealed = await sealForThisBrowser(secrets)
      try {
        await api.appendRoster(request)
      } catch (error) {
        if (codeOf(error) === 'conflict' && attempt < JOIN_ATTEMPTS) continue
        throw error
      }
      const row = { accountId, deviceId: device.deviceId, deviceName, registration: null, ...sealed }
      return { row, roster: [...entries, request.entry] }
    }
  } finally {
    closeKit(kit)
  }
}

async function wholeRoster(api: VaultApi): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = []
  for (;;) {
    const page = await api.rosterFrom(entries.length)
    entries.push(...page)
    if (page.length < PAGE_ITEMS) return entries
  }
}
