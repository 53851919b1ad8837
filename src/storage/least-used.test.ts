import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leastUsed } from './device-store'

const use = (id: number, bytes: number, pinned: 0 | 1) => ({
  artifactId: String(id),
  bytes,
  usedAt: id,
  pinned,
})

describe('dropping cached artifacts', () => {
  it('drops the oldest first and no more than it must', () => {
    const uses = [use(1, 10, 0), use(2, 10, 0), use(3, 10, 0)]
    expect(leastUsed(uses, 30)).toEqual([])
    expect(leastUsed(uses, 29)).toEqual(['1'])
    expect(leastUsed(uses, 10)).toEqual(['1', '2'])
  })

  it('never drops what waits for upload, nor the newest', () => {
    const row = fc.record({ bytes: fc.nat(100), pinned: fc.constantFrom(0 as const, 1 as const) })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), fc.nat(1000), (rows, budget) => {
        const uses = rows.map(({ bytes, pinned }, i) => use(i, bytes, pinned))
        const dropped = new Set(leastUsed(uses, budget))
        for (const { artifactId, pinned } of uses) if (pinned === 1) expect(dropped).not.toContain(artifactId)
        expect(dropped).not.toContain(uses.at(-1)!.artifactId)
        const left = uses.filter(({ artifactId }) => !dropped.has(artifactId))
        const total = left.reduce((sum, { bytes }) => sum + bytes, 0)
        if (total > budget) expect(left.slice(0, -1).every(({ pinned }) => pinned === 1)).toBe(true)
      }),
    )
  })
})
