import { useCallback, useEffect, useRef, useState } from 'react'
import type { PhotoView } from '../state/vault-store'
import { ArtifactCompare } from './ArtifactCompare'
import { Icon } from './Icon'
import { InfoPanel } from './InfoPanel'
import { NoisePath } from './NoisePath'
import { PhotoActions } from './PhotoActions'
import { PhotoStage } from './PhotoStage'
import { useDeveloped, useThumbnail } from './use-photo'
import './viewer.css'

interface ViewerProps {
  readonly photos: readonly PhotoView[]
  readonly id: string
  readonly onShow: (id: string) => void
  readonly onClose: () => void
}

/** One photo, full screen: restored on opening, shown only when every byte was verified. */
export function Viewer({ photos, id, onShow, onClose }: ViewerProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const index = photos.findIndex((photo) => photo.id === id)
  const photo = photos[index]
  const developed = useDeveloped(id)
  const [look, setLook] = useState<'photo' | 'artifact' | 'path'>('photo')
  const [info, setInfo] = useState(false)

  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  useEffect(() => {
    if (photo === undefined) onClose()
  }, [photo, onClose])

  const step = useCallback(
    (by: number) => {
      const next = photos[index + by]
      if (next !== undefined) onShow(next.id)
    },
    [photos, index, onShow],
  )
  const onKey = (event: React.KeyboardEvent) => {
    const inside = event.target instanceof Element ? event.target.closest('dialog') : null
    if (inside !== dialog.current || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.target instanceof HTMLInputElement && event.target.type === 'range') return
    if (event.target instanceof HTMLSelectElement) return
    if (event.key === 'ArrowRight') step(1)
    else if (event.key === 'ArrowLeft') step(-1)
    else if (event.key === 'i') setInfo((shown) => !shown)
  }
  if (photo === undefined) return null

  return (
    <dialog ref={dialog} className="viewer" aria-label={photo.name} onClose={onClose} onKeyDown={onKey}>
      <header className="viewer-bar">
        <button type="button" className="button quiet round" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
          <span className="visually-hidden">Close</span>
        </button>
        <h2>{photo.name}</h2>
        <button
          type="button"
          className="button quiet round"
          aria-pressed={info}
          onClick={() => setInfo(!info)}
        >
          <Icon name="info" />
          <span className="visually-hidden">Info</span>
        </button>
        <PhotoActions photo={photo} onDeleted={() => dialog.current?.close()} />
      </header>
      <div className="viewer-body">
        <div className="viewer-stage">
          {developed.kind === 'developing' && <Developing photo={photo} progress={developed.progress} />}
          {developed.kind === 'failed' && (
            <div className="not-shown" role="alert">
              <h3>This photo is not shown</h3>
              <p>{developed.text}</p>
            </div>
          )}
          {developed.kind === 'ready' &&
            (look === 'artifact' ? (
              <ArtifactCompare key={id} photo={photo} opened={developed.photo} />
            ) : look === 'path' ? (
              <NoisePath key={id} photo={photo} opened={developed.photo} />
            ) : (
              <PhotoStage key={id} photo={developed.photo} name={photo.name} onSwipe={step} />
            ))}
          {index > 0 && (
            <button
              type="button"
              className="button quiet round step previous"
              onClick={() => step(-1)}
              aria-label="Previous photo"
            >
              <Icon name="previous" />
            </button>
          )}
          {index < photos.length - 1 && (
            <button
              type="button"
              className="button quiet round step next"
              onClick={() => step(1)}
              aria-label="Next photo"
            >
              <Icon name="next" />
            </button>
          )}
        </div>
        {info && <InfoPanel photo={photo} />}
      </div>
      <footer className="viewer-tools">
        <label className="switch">
          <input
            type="checkbox"
            role="switch"
            checked={look === 'artifact'}
            onChange={(event) => setLook(event.target.checked ? 'artifact' : 'photo')}
          />
          What the vault holds
        </label>
        <label className="switch">
          <input
            type="checkbox"
            role="switch"
            checked={look === 'path'}
            onChange={(event) => setLook(event.target.checked ? 'path' : 'photo')}
          />
          From photo to noise
        </label>
      </footer>
    </dialog>
  )
}

/** The small picture under the lamp while the photo is restored behind it. */
function Developing({ photo, progress }: { photo: PhotoView; progress: number }) {
  const url = useThumbnail(photo.id)
  return (
    <>
      {url !== null && (
        <img
          className="latent"
          src={url}
          alt=""
          style={{ opacity: 0.15 + 0.55 * progress, filter: `blur(${18 - 12 * progress}px)` }}
        />
      )}
      <div className="developing" role="status">
        <p>Developing</p>
        <progress value={progress} max={1} aria-label={`Developing ${photo.name}`} />
      </div>
    </>
  )
}
