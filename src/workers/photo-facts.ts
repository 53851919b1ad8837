/** What a photo's metadata says, for the sealed record only. Unreadable metadata is no error: a photo needs none. */
import ExifReader from 'exifreader'

export interface PhotoFacts {
  /** ISO 8601 without zone unless the camera stored one, or null. */
  readonly takenAt: string | null
  readonly camera: string | null
  /** Degrees, north and east positive. */
  readonly place: { readonly latitude: number; readonly longitude: number } | null
}

const NO_FACTS: PhotoFacts = { takenAt: null, camera: null, place: null }

/** EXIF's "2024:05:06 07:08:09" as ISO 8601, or null where it is no date. */
export function exifDateToIso(date: string, offset: string | null): string | null {
  const match = /^(\d{4})[:-](\d{2})[:-](\d{2})[ T](\d{2}):(\d{2}):(\d{2})/.exec(date)
  if (match === null) return null
  const [, year, month, day, hour, minute, second] = match
  const zone = offset !== null && /^[+-]\d{2}:\d{2}$/.test(offset) ? offset : ''
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`
  return Number.isNaN(Date.parse(iso)) ? null : iso
}

export function readPhotoFacts(bytes: Uint8Array<ArrayBuffer>): PhotoFacts {
  try {
    const { exif, gps } = ExifReader.load(bytes.buffer, {
      expanded: true,
      includeTags: { exif: true, gps: true },
    })
    const text = (tag: { description: string } | undefined) => {
      const value = tag?.description.trim() ?? ''
      return value === '' ? null : value.slice(0, 200)
    }
    const date = text(exif?.DateTimeOriginal) ?? text(exif?.DateTime)
    const latitude = gps?.Latitude
    const longitude = gps?.Longitude
    const located =
      latitude !== undefined &&
      longitude !== undefined &&
      Math.abs(latitude) <= 90 &&
      Math.abs(longitude) <= 180
    return {
      takenAt: date === null ? null : exifDateToIso(date, text(exif?.OffsetTimeOriginal)),
      camera: text(exif?.Model),
      place: located ? { latitude, longitude } : null,
    }
  } catch {
    return NO_FACTS
  }
}
