import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { dropFiles } from '../support/drop'
import { openStoredVault, type OpenedArtifact } from '../support/opened-vault'
import { picture } from '../support/pictures'
import { filesUnder } from '../support/search'
import { startTap, type Fate, type Tap, type Write } from '../support/tap'
import { test as base, expect } from '../support/test'
import { makeVaultServer, type VaultServer } from '../support/vault-server'

/** Each of them twice, in two drops at once. */
const DROP = ['first-snow.jpg', 'alpine-evening.jpg', 'river.webp', 'two-lakes.jpg'] as const

const test = base.extend<{ readonly tapped: { readonly tap: Tap; readonly server: VaultServer } }>({
  tapped: async ({ browserName }, use) => {
    const tap = await startTap()
    const server = await makeVaultServer(browserName, tap.origin)
    tap.forwardTo(server.port)
    await server.start()
    await use({ tap, server })
    await server.dispose()
    await tap.close()
  },
  server: ({ tapped }, use) => use(tapped.server),
})

/** The vault's artifacts by id. */
async function storedArtifacts(dataDir: string): Promise<Map<string, Buffer>> {
  const files = await filesUnder(join(dataDir, 'blobs'))
  const id = (file: string) => Buffer.from(basename(file), 'hex').toString('base64url')
  return new Map(await Promise.all(files.map(async (file) => [id(file), await readFile(file)] as const)))
}

/** Blocks of 16 bytes, as AES-CTR and AES-GCM make them, at their places; a short one at the end is left out. */
function blocksOf(stream: string): string[] {
  const hex = Buffer.from(stream, 'base64').toString('hex')
  return hex.match(/.{32}/g) ?? []
}

function expectNothingShared(artifacts: readonly OpenedArtifact[]): void {
  const distinct = (values: readonly string[], what: string) =>
    expect(new Set(values).size, `${what}: ${values.length} of them`).toBe(values.length)
  const sections = artifacts.flatMap(({ index, sections }) => [index, ...sections])
  distinct(
    artifacts.map(({ nonce }) => nonce),
    'nonces',
  )
  distinct(
    artifacts.map(({ dataKey }) => dataKey),
    'data keys',
  )
  distinct(
    sections.flatMap(({ maskKeys }) => maskKeys),
    'mask keys',
  )
  distinct(
    sections.flatMap(({ maskStream, sealStream }) => [...blocksOf(maskStream), ...blocksOf(sealStream)]),
    'blocks of key stream',
  )
}

test('retries, doubles and a killed tab share no nonce, key or key stream', async ({
  tapped: { tap, server },
  newDevice,
  page,
}) => {
  test.setTimeout(300_000)
  let app = await newDevice()
  await app.open()
  const words = await app.createVault()
  const broken = (kind: Write['kind'], fate: Fate) =>
    tap.writes.filter((write) => write.kind === kind && write.fate === fate).length
  const expectBroken = (kind: Write['kind'], fate: Fate) =>
    expect.poll(() => broken(kind, fate), { timeout: 120_000, intervals: [20] }).toBeGreaterThan(0)

  await test.step('every photo twice at once, with its original, while uploads break off', async () => {
    tap.setFates({ artifacts: 'cut', entries: 'passed' })
    await app.openImportOptions()
    await app
      .importOptions()
      .getByRole('checkbox', { name: /Keep exact original/ })
      .check()
    await app.page.keyboard.press('Escape')
    const paths = DROP.map(picture)
    await Promise.all([dropFiles(app.page, paths), dropFiles(app.page, paths)])
    await expectBroken('artifacts', 'cut')
  })

  await test.step('the tab dies while photos are encrypted, and the next one encrypts them anew', async () => {
    expect(await app.photos().count()).toBeLessThan(2 * DROP.length)
    app = await app.killTab()
    tap.setFates({ artifacts: 'unanswered', entries: 'passed' })
    await expectBroken('artifacts', 'unanswered')
    for (const entries of ['cut', 'unanswered'] as const) {
      tap.setFates({ artifacts: 'passed', entries })
      await expectBroken('entries', entries)
    }
    tap.setFates({ artifacts: 'passed', entries: 'passed' })
    await expect(app.photos()).toHaveCount(2 * DROP.length, { timeout: 120_000 })
  })

  await test.step('in the end the tab shows everything in the vault', async () => {
    await expect(app.photos().getByText('On this device only')).toHaveCount(0, { timeout: 120_000 })
  })

  await test.step('whatever was sent under one id is the very same artifact', async () => {
    const stored = await storedArtifacts(server.dataDir)
    expect(stored.size).toBe(2 * DROP.length)
    const sent = tap.writes.filter(({ kind }) => kind === 'artifacts')
    for (const { artifactId, bytes, fate } of sent) {
      const artifact = stored.get(artifactId)
      expect(artifact?.subarray(0, bytes.length).equals(bytes), `${artifactId}, ${fate}`).toBe(true)
      if (fate !== 'cut') expect(bytes.length).toBe(artifact?.length)
    }
    expect(new Set(sent.map(({ artifactId }) => artifactId))).toEqual(new Set(stored.keys()))
    expect(sent.length).toBeGreaterThan(stored.size)
  })

  await test.step('and so is the record that was sent again', () => {
    const sent = tap.writes.filter(({ kind }) => kind === 'entries')
    const whole = sent.filter(({ fate }) => fate !== 'cut').map(({ bytes }) => bytes.toString())
    expect(new Set(whole).size).toBe(2 * DROP.length)
    expect(whole.length).toBeGreaterThan(2 * DROP.length)
    for (const { bytes } of sent) expect(whole.some((body) => body.startsWith(bytes.toString()))).toBe(true)
  })

  await test.step('and artifacts under different ids share nothing', async () => {
    const artifacts = await openStoredVault(page, server.dataDir, words)
    expect(artifacts.map(({ name }) => name).sort()).toEqual([...DROP, ...DROP].sort())
    expectNothingShared(artifacts)
  })
})
