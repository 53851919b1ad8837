import { describe, expect, it } from 'vitest'
import type { VaultEvent } from '../vault/types'
import { reduceVault, useVault } from './vault-store'

const start = useVault.getInitialState()
const after = (...events: VaultEvent[]) => events.reduce(reduceVault, start)
const notice = (kind: 'history-mismatch' | 'storage-full', text: string): VaultEvent => ({
  type: 'notice',
  notice: { kind, text },
})

describe('view state of the vault', () => {
  it('starts by loading, with nothing to show', () => {
    expect(start).toMatchObject({ phase: { kind: 'loading' }, engine: null, photos: [], imports: [] })
  })

  it('takes each event into its own place and leaves the others', () => {
    const state = after(
      { type: 'connection', connection: 'offline' },
      { type: 'phase', phase: { kind: 'open', accountId: 'a', deviceName: 'b' } },
    )
    expect(state).toEqual({
      ...start,
      connection: 'offline',
      phase: { kind: 'open', accountId: 'a', deviceName: 'b' },
    })
  })

  it('keeps one notice of a kind, the latest, and the other kinds', () => {
    const state = after(
      notice('history-mismatch', 'first'),
      notice('storage-full', 'full'),
      notice('history-mismatch', 'second'),
    )
    expect(state.notices.map((n) => n.text)).toEqual(['full', 'second'])
  })

  it('changes no state in place', () => {
    const frozen = Object.freeze({ ...start, notices: Object.freeze([]) })
    expect(reduceVault(frozen, notice('storage-full', 'full')).notices).toHaveLength(1)
    expect(frozen.notices).toHaveLength(0)
  })

  it('is plain data that could be written down', () => {
    const state = after(notice('storage-full', 'full'))
    expect(JSON.parse(JSON.stringify(state))).toEqual(state)
  })
})
