import type { PhotoView } from '../state/vault-store'
import { bytesText, dateText, psnrText, ratioText } from './format'

/** What is known of a photo, measured rather than promised. */
export function InfoPanel({ photo }: { photo: PhotoView }) {
  const rows: readonly (readonly [string, string])[] = [
    ['Taken', photo.takenAt === null ? 'Not known' : dateText(photo.takenAt)],
    ['Added', dateText(photo.addedAt)],
    ['Size', `${photo.width} × ${photo.height}`],
    ['Original file', bytesText(photo.originalBytes)],
    ['Artifact', `${bytesText(photo.artifactBytes)}, ${ratioText(photo.artifactBytes, photo.originalBytes)}`],
    ['Restored at', psnrText(photo.psnrDb)],
    ['Exact original', photo.keptOriginal ? 'Kept, sealed' : 'Not kept'],
    ['In the vault', photo.inVault ? 'Yes' : 'Not yet'],
    ['Opens offline', photo.onDevice ? 'Yes' : 'Once it was opened here'],
  ]
  return (
    <aside className="info" aria-label="About this photo">
      <h3>{photo.name}</h3>
      <dl>
        {rows.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </aside>
  )
}
