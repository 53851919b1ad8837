import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { overheadBytes } from './bitstream'
import { fillPadding, versionsFor } from './fill-padding'
import type { TileVersions } from './types'

const tile = (length: number) => new Uint8Array(length)
const padding = (step: number) => (bytes: number) => Math.ceil(bytes / step) * step
const versions = fc
  .array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 5 })
  .map((lengths) => lengths.sort((a, b) => a - b).map(tile) as [Uint8Array, ...Uint8Array[]])

describe('fillPadding', () => {
  it('stays within the padded length of the leanest versions, and keeps one version of each tile', () => {
    const pictures = fc.record({
      tiles: fc.array(versions, { minLength: 1, maxLength: 30 }),
      alpha: fc.option(fc.integer({ min: 0, max: 500 }).map(tile)),
      step: fc.integer({ min: 1, max: 9000 }),
    })
    fc.assert(
      fc.property(pictures, ({ tiles, alpha, step }) => {
        const overhead = overheadBytes(alpha, tiles.length)
        const filled = fillPadding(tiles, alpha, padding(step))
        filled.forEach((kept, i) => expect(tiles[i]).toContain(kept))
        const least = tiles.reduce((sum, [leanest]) => sum + leanest.length, overhead)
        const bytes = filled.reduce((sum, { length }) => sum + length, overhead)
        expect(bytes).toBeGreaterThanOrEqual(least)
        expect(padding(step)(bytes)).toBe(padding(step)(least))
      }),
    )
  })

  it('leaves no room that a richer version of some tile would fit in', () => {
    fc.assert(
      fc.property(fc.array(versions, { minLength: 1, maxLength: 12 }), (tiles) => {
        const whole = padding(3000)
        const filled = fillPadding(tiles, null, whole)
        const bytes = filled.reduce((sum, { length }) => sum + length, overheadBytes(null, tiles.length))
        const left = whole(bytes) - bytes
        tiles.forEach((all, i) => {
          const next = all[all.indexOf(filled[i]!) + 1]
          if (next !== undefined) expect(next.length - filled[i]!.length).toBeGreaterThan(left)
        })
      }),
      { numRuns: 300 },
    )
  })

  it('takes the leanest where nothing else fits, and a richer one that happens to be shorter', () => {
    const [lean, rich, short] = [tile(100), tile(101), tile(90)]
    const exact = (bytes: number) => bytes
    expect(fillPadding([[lean, rich]], null, exact)).toEqual([lean])
    expect(fillPadding([[lean, short]] satisfies TileVersions[], null, exact)).toEqual([short])
  })

  it('asks for more versions the fewer tiles there are', () => {
    expect([versionsFor(320, 213), versionsFor(1024, 768), versionsFor(4000, 3000)]).toEqual([5, 3, 2])
  })
})
