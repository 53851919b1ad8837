import { readFile } from 'node:fs/promises'
import { expect, test } from '@playwright/test'
import { computeWeightsHashes, type WeightsHashes } from '../support/weights-page'

const GOLDEN = new URL('../../src/model/vectors/weights-hashes.json', import.meta.url)

test('personal weights have the golden hashes that Node gives them', async ({ page }) => {
  const golden = JSON.parse(await readFile(GOLDEN, 'utf8')) as WeightsHashes[]
  expect(golden.some(({ tiny }) => tiny !== undefined)).toBe(true)
  expect(golden.some(({ model }) => model !== undefined)).toBe(true)
  expect(await computeWeightsHashes(page, golden)).toEqual(golden)
})
