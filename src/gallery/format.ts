/** Numbers and dates for people. */
import type { PhotoView } from '../state/vault-store'

export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]!}`
}

/** "1 photo", "12 photos". */
export function countText(count: number, thing: string): string {
  return `${count.toLocaleString()} ${thing}${count === 1 ? '' : 's'}`
}

export function psnrText(db: number): string {
  return Number.isFinite(db) ? `${db.toFixed(1)} dB` : 'identical'
}

/** "12 % of the original" or "1.4 times the original". */
export function ratioText(artifactBytes: number, originalBytes: number): string {
  if (originalBytes <= 0) return ''
  const ratio = artifactBytes / originalBytes
  return ratio < 1 ? `${Math.round(ratio * 100)} % of the original` : `${ratio.toFixed(1)} times the original`
}

export function dateText(iso: string): string {
  return new Date(iso).toLocaleDateString(undefined, { year: 'numeric', month: 'long', day: 'numeric' })
}

export interface MonthGroup {
  /** "2026-11", for keys and order. */
  readonly key: string
  readonly title: string
  readonly photos: readonly PhotoView[]
}

/** Photos by month of when they were taken, else added; newest month first, order within a month kept. */
export function groupByMonth(photos: readonly PhotoView[]): MonthGroup[] {
  const groups = new Map<string, PhotoView[]>()
  const sorted = [...photos].sort((a, b) =>
    momentOf(a) < momentOf(b) ? 1 : momentOf(a) > momentOf(b) ? -1 : 0,
  )
  for (const photo of sorted) {
    const key = momentOf(photo).slice(0, 7)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [photo])
    else group.push(photo)
  }
  return [...groups].map(([key, members]) => ({ key, title: monthTitle(key), photos: members }))
}

const momentOf = (photo: PhotoView): string => photo.takenAt ?? photo.addedAt

function monthTitle(key: string): string {
  const date = new Date(`${key}-15T12:00:00Z`)
  return Number.isNaN(date.getTime())
    ? 'Undated'
    : date.toLocaleDateString(undefined, { year: 'numeric', month: 'long' })
}
