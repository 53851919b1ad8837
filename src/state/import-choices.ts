/** What the person chose for the next photos; remembered on this device, nothing secret. */
import { create } from 'zustand'
import { persist } from 'zustand/middleware'
import type { ImportChoices } from '../vault/types'

/** Numbers of the codec's scale, 0..63. */
export const QUALITY_CHOICES = [
  { quality: 24, label: 'Smaller', hint: 'For sharing and screens' },
  { quality: 34, label: 'Default', hint: 'Looks the same as the photo' },
  { quality: 48, label: 'Finest', hint: 'For editing later' },
] as const

export const useImportChoices = create<ImportChoices>()(
  persist((): ImportChoices => ({ keepOriginal: false, quality: 34 }), { name: 'safelight-import-choices' }),
)

export function setImportChoices(change: Partial<ImportChoices>): void {
  useImportChoices.setState(change)
}
