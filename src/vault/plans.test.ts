import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAccount } from '../crypto/account'
import { CryptoError } from '../crypto/errors'
import { StorageError } from '../storage/errors'
import { planBands, poolSize, rowsForBand } from '../workers/band-plan'
import { FIRST_DELAY_MS, LONGEST_DELAY_MS, retryDelayMs } from './backoff'
import { psnrDb } from './develop-photo'
import { isPassing, toDamageError, toPersonError, VaultError } from './errors'
import { kitIsProven, startAccount } from './join'
import { sourceItem } from './import-queue'

describe('retrying', () => {
  it('waits longer with every failure, within bounds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (n, chance) => {
          const delay = retryDelayMs(n, chance)
          expect(delay).toBeGreaterThanOrEqual(FIRST_DELAY_MS / 2)
          expect(delay).toBeLessThanOrEqual(LONGEST_DELAY_MS)
          expect(retryDelayMs(n + 1, chance)).toBeGreaterThanOrEqual(delay)
        },
      ),
    )
    expect(retryDelayMs(3, 0)).toBe(2000)
  })
})

describe('cutting photos into bands', () => {
  const side = fc.integer({ min: 1, max: 20_000 })

  it('covers every row once, in whole tile rows, with the halo inside the photo', () => {
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 8 }), (width, height, workers) => {
        const bands = planBands(width, height, workers)
        expect(bands[0]!.y0).toBe(0)
        expect(bands.at(-1)!.y1).toBe(height)
        bands.slice(1).forEach((band, i) => expect(band.y0).toBe(bands[i]!.y1))
        for (const band of bands) {
          expect(band.y0 % 512).toBe(0)
          expect(band.y1).toBeGreaterThan(band.y0)
          const rows = rowsForBand(band, height)
          expect(rows).toEqual({ y0: Math.max(0, band.y0 - 64), y1: Math.min(height, band.y1 + 64) })
        }
      }),
    )
  })

  it('bounds the pixels of a band and uses the workers there are', () => {
    expect(planBands(4000, 3000, 3)).toHaveLength(3)
    for (const { y0, y1 } of planBands(8700, 5800, 1)) expect(8700 * (y1 - y0)).toBeLessThanOrEqual(9_000_000)
    expect([1, 2, 4, 16].map((cores) => poolSize(cores, 'wasm'))).toEqual([1, 1, 3, 4])
    expect([0.5, 2, 4, 8].map((gigabytes) => poolSize(16, 'wasm', gigabytes))).toEqual([1, 1, 2, 4])
    expect(poolSize(16, 'webgpu')).toBe(1)
  })
})

describe('errors for a person', () => {
  it('keep what is about the file, name what is damaged, and hide what is neither', () => {
    const truncated = Object.assign(new Error('This file is cut off.'), { code: 'truncated' })
    expect(toPersonError(truncated)).toMatchObject({ code: 'file', message: 'This file is cut off.' })
    const wrongKey = new CryptoError('wrong-key-or-model', 'detail')
    expect(toDamageError(wrongKey)).toMatchObject({ code: 'wrong-key-or-model' })
    for (const code of ['damaged', 'wrong-object'] as const)
      expect(toDamageError(new CryptoError(code, 'detail'))).toMatchObject({ code: 'damaged' })
    expect(toPersonError(new StorageError('full'))).toMatchObject({ code: 'device-full' })
    const odd = toPersonError(new TypeError('holiday.jpg is odd'))
    expect(odd).toMatchObject({ code: 'internal' })
    expect(odd.message).not.toContain('holiday')
    const abort = new DOMException('stop', 'AbortError')
    expect(toPersonError(abort)).toBe(abort)
  })

  it('tell what passes by itself', () => {
    expect(isPassing(new VaultError('offline'))).toBe(true)
    expect(isPassing(new VaultError('history-mismatch'))).toBe(false)
  })
})

describe('proving the kit', () => {
  it('asks for three different words and takes only those', async () => {
    const proof = await startAccount()
    expect(new Set(proof.positions).size).toBe(3)
    const right = proof.positions.map((position) => proof.account.words[position]!)
    expect(kitIsProven(proof, right)).toBe(true)
    expect(
      kitIsProven(
        proof,
        right.map((word) => ` ${word.toUpperCase()} `),
      ),
    ).toBe(true)
    expect(kitIsProven(proof, right.slice(1))).toBe(false)
    expect(kitIsProven(proof, [...right.slice(0, 2), right[2] === 'zoo' ? 'zone' : 'zoo'])).toBe(false)
    expect(kitIsProven(proof, [])).toBe(false)
  })

  it('never makes one account twice', async () => {
    const [a, b] = await Promise.all([createAccount(), createAccount()])
    expect(a.roster.accountId).not.toBe(b.roster.accountId)
    expect(a.words).not.toEqual(b.words)
  })
})

describe('measures and items', () => {
  it('gives PSNR in dB', () => {
    expect(psnrDb(0, 10)).toBe(Infinity)
    expect(psnrDb(3 * 10, 10)).toBeCloseTo(48.13, 2)
  })

  it('shows a file that failed for good as failed after a reload', () => {
    const file = new File(['x'], 'a.txt')
    const row = { importId: 'i', file, addedAt: 1, keepOriginal: false, quality: 42, problem: null }
    expect(sourceItem(row)).toMatchObject({ stage: 'queued', name: 'a.txt', bytes: 1 })
    expect(sourceItem({ ...row, problem: 'A sentence.' })).toMatchObject({ stage: 'failed', canRetry: false })
  })
})
