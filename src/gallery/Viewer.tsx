import { useCallback, useEffect, useRef, useState } from 'react'
import { vaultService, type OpenedPhoto, type PhotoView } from '../state/vault-store'
import { ArtifactCompare } from './ArtifactCompare'
import { InfoPanel } from './InfoPanel'
import { PhotoStage } from './PhotoStage'
import './viewer.css'

interface ViewerProps {
  readonly photos: readonly PhotoView[]
  readonly id: string
  readonly onShow: (id: string) => void
  readonly onClose: () => void
}

type Developed =
  | { readonly kind: 'developing'; readonly progress: number }
  | { readonly kind: 'ready'; readonly photo: OpenedPhoto }
  | { readonly kind: 'failed'; readonly text: string }

/** One photo, full screen: restored on opening, shown only when every byte was verified. */
export function Viewer({ photos, id, onShow, onClose }: ViewerProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const index = photos.findIndex((photo) => photo.id === id)
  const photo = photos[index]
  const developed = useDeveloped(id)
  const [comparing, setComparing] = useState(false)
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
    if (event.target instanceof HTMLInputElement) return
    if (event.key === 'ArrowRight') step(1)
    else if (event.key === 'ArrowLeft') step(-1)
    else if (event.key === 'i') setInfo((shown) => !shown)
  }
  if (photo === undefined) return null

  return (
    <dialog ref={dialog} className="viewer" aria-label={photo.name} onClose={onClose} onKeyDown={onKey}>
      <header className="viewer-bar">
        <button type="button" className="button quiet" onClick={() => dialog.current?.close()}>
          Close
        </button>
        <h2>{photo.name}</h2>
        <label className="switch">
          <input
            type="checkbox"
            role="switch"
            checked={comparing}
            onChange={(event) => setComparing(event.target.checked)}
          />
          What the vault holds
        </label>
        <button type="button" className="button quiet" aria-pressed={info} onClick={() => setInfo(!info)}>
          Info
        </button>
        <PhotoActions photo={photo} onDeleted={() => dialog.current?.close()} />
      </header>
      <div className="viewer-body">
        <div className="viewer-stage">
          {developed.kind === 'developing' && (
            <div className="developing" role="status">
              <p>Developing</p>
              <progress value={developed.progress} max={1} aria-label={`Developing ${photo.name}`} />
            </div>
          )}
          {developed.kind === 'failed' && (
            <div className="not-shown" role="alert">
              <h3>This photo is not shown</h3>
              <p>{developed.text}</p>
            </div>
          )}
          {developed.kind === 'ready' &&
            (comparing ? (
              <ArtifactCompare photo={photo} opened={developed.photo} />
            ) : (
              <PhotoStage key={id} photo={developed.photo} name={photo.name} />
            ))}
          <button
            type="button"
            className="button quiet step previous"
            disabled={index === 0}
            onClick={() => step(-1)}
            aria-label="Previous photo"
          >
            ‹
          </button>
          <button
            type="button"
            className="button quiet step next"
            disabled={index === photos.length - 1}
            onClick={() => step(1)}
            aria-label="Next photo"
          >
            ›
          </button>
        </div>
        {info && <InfoPanel photo={photo} />}
      </div>
    </dialog>
  )
}

/** Restores a photo; leaving it stops the work, and late results are dropped. */
function useDeveloped(id: string): Developed {
  const [state, setState] = useState<{ id: string; developed: Developed }>({ id, developed: START })
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    const show = (developed: Developed) => {
      if (!signal.aborted) setState({ id, developed })
    }
    vaultService()
      .openPhoto(id, { signal, onProgress: (progress) => show({ kind: 'developing', progress }) })
      .then(
        (photo) => show({ kind: 'ready', photo }),
        (error: unknown) =>
          show({
            kind: 'failed',
            text: error instanceof Error ? error.message : 'It could not be restored.',
          }),
      )
    return () => controller.abort()
  }, [id])
  return state.id === id ? state.developed : START
}

const START: Developed = { kind: 'developing', progress: 0 }

function PhotoActions({ photo, onDeleted }: { photo: PhotoView; onDeleted: () => void }) {
  const confirm = useRef<HTMLDialogElement>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  const report = (error: unknown) => setTrouble(error instanceof Error ? error.message : 'That did not work.')

  const download = () => {
    setTrouble(null)
    vaultService()
      .downloadPhoto(photo.id)
      .then((file) => {
        const url = URL.createObjectURL(file)
        const link = document.createElement('a')
        link.href = url
        link.download = file.name
        link.click()
        setTimeout(() => URL.revokeObjectURL(url), 60_000)
      }, report)
  }
  const remove = () => {
    confirm.current?.close()
    vaultService().deletePhoto(photo.id).then(onDeleted, report)
  }

  return (
    <>
      <button type="button" className="button quiet" onClick={download}>
        Download
      </button>
      <button type="button" className="button quiet" onClick={() => confirm.current?.showModal()}>
        Delete
      </button>
      {trouble !== null && (
        <p className="viewer-trouble" role="alert">
          {trouble}
        </p>
      )}
      <dialog ref={confirm} className="confirm" aria-label={`Delete ${photo.name}`}>
        <h3>Delete this photo?</h3>
        <p>It is removed from the vault and from every trusted device. This cannot be undone.</p>
        <div className="confirm-actions">
          <button type="button" className="button" onClick={() => confirm.current?.close()}>
            Keep it
          </button>
          <button type="button" className="button danger" onClick={remove}>
            Delete photo
          </button>
        </div>
      </dialog>
    </>
  )
}
