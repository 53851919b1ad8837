import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PhotoView } from '../state/vault-store'
import { bytesText, groupByMonth, psnrText, ratioText } from './format'
import { estimateMonthHeight } from './layout'
import { fitView, keepInside, zoomAbout } from './zoom'

const photo = (id: string, takenAt: string | null, addedAt = '2026-11-02T10:00:00Z'): PhotoView => ({
  id,
  name: `${id}.jpg`,
  width: 10,
  height: 10,
  takenAt,
  addedAt,
  originalBytes: 1,
  artifactBytes: 1,
  psnrDb: 40,
  keptOriginal: false,
  inVault: true,
  onDevice: true,
})

describe('grouping by month', () => {
  it('uses the date taken, else added, newest first, and loses nobody', () => {
    const groups = groupByMonth([
      photo('a', '2024-05-01T00:00:00Z'),
      photo('b', null),
      photo('c', '2024-05-30T00:00:00Z'),
    ])
    expect(groups.map((g) => g.key)).toEqual(['2026-11', '2024-05'])
    expect(groups[1]!.photos.map((p) => p.id)).toEqual(['c', 'a'])
  })
})

describe('the height of a month', () => {
  it('is one row for one photo, and grows by rows, not by photos', () => {
    const some = (count: number) => Array.from({ length: count }, (_, i) => photo(String(i), null))
    expect(estimateMonthHeight(some(1), 1200)).toBe(estimateMonthHeight(some(5), 1200))
    const rows = (count: number) => (estimateMonthHeight(some(count), 1200) - 64) / 206
    expect(rows(5)).toBe(1)
    expect(rows(6)).toBe(2)
    expect(rows(5000)).toBe(859)
  })
})

describe('texts', () => {
  it('reads as people write', () => {
    expect(bytesText(999)).toBe('999 bytes')
    expect(bytesText(1_234_000)).toBe('1.2 MB')
    expect(bytesText(56_000_000)).toBe('56 MB')
    expect(psnrText(Infinity)).toBe('identical')
    expect(ratioText(25, 100)).toBe('25 % of the original')
    expect(ratioText(150, 100)).toBe('1.5 times the original')
  })
})

describe('zooming', () => {
  const side = fc.integer({ min: 1, max: 9000 })
  const size = fc.record({ width: side, height: side })

  it('never shows less than fits or leaves the photo', () => {
    fc.assert(
      fc.property(
        size,
        size,
        fc.array(fc.double({ min: 0.2, max: 5, noNaN: true }), { maxLength: 8 }),
        (p, s, factors) => {
          let view = fitView(p, s)
          for (const factor of factors)
            view = zoomAbout(view, factor, { x: s.width / 3, y: -s.height / 4 }, p, s)
          expect(view.scale).toBeGreaterThanOrEqual(fitView(p, s).scale)
          expect(keepInside(view, p, s)).toEqual(view)
        },
      ),
    )
  })

  it('keeps the point under the pointer in place', () => {
    const p = { width: 4000, height: 3000 }
    const s = { width: 1000, height: 800 }
    const at = { x: 50, y: 40 }
    const before = zoomAbout(fitView(p, s), 4, { x: 0, y: 0 }, p, s)
    const after = zoomAbout(before, 1.5, at, p, s)
    expect((at.x - after.x) / after.scale).toBeCloseTo((at.x - before.x) / before.scale, 6)
  })
})
