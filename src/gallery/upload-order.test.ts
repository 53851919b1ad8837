import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ImportItem } from '../state/vault-store'
import { canCancel, uploadOrder } from './upload-order'

const STAGES = ['queued', 'encrypting', 'checking', 'waiting', 'uploading', 'safe', 'failed'] as const

const item = (stage: ImportItem['stage'], n: number): ImportItem => ({
  importId: String(n),
  name: `photo-${n}.jpg`,
  bytes: 1,
  stage,
  progress: 0,
  photoId: null,
  problem: null,
  canRetry: false,
})

it('shows failures first and what is safe last, each in the order of the drop', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...STAGES), { maxLength: 60 }), (stages) => {
      const imports = stages.map(item)
      const shown = uploadOrder(imports)
      expect(new Set(shown)).toEqual(new Set(imports))
      const ranks = shown.map(({ stage }) => (stage === 'failed' ? 0 : stage === 'safe' ? 2 : 1))
      expect(ranks).toEqual([...ranks].sort((a, b) => a - b))
      for (const stage of STAGES) {
        const ids = shown.filter((upload) => upload.stage === stage).map(({ importId }) => Number(importId))
        expect(ids).toEqual([...ids].sort((a, b) => a - b))
      }
    }),
  )
})

it('offers to cancel only what is not sealed yet', () => {
  expect(STAGES.filter((stage) => canCancel(item(stage, 0)))).toEqual(['queued', 'encrypting', 'checking'])
})
