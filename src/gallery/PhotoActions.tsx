import { useRef, useState } from 'react'
import { vaultService, type PhotoView } from '../state/vault-store'
import { Icon } from './Icon'
import { sentenceOf } from './sentence'

/** Longest that a browser takes to start a download from an object URL, with room. */
const URL_LIFE_MS = 60_000

export function PhotoActions({ photo, onDeleted }: { photo: PhotoView; onDeleted: () => void }) {
  const confirm = useRef<HTMLDialogElement>(null)
  const [trouble, setTrouble] = useState<{ readonly id: string; readonly text: string } | null>(null)
  const report = (error: unknown) => setTrouble({ id: photo.id, text: sentenceOf(error) })

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
        setTimeout(() => URL.revokeObjectURL(url), URL_LIFE_MS)
      }, report)
  }
  const remove = () => {
    confirm.current?.close()
    vaultService().deletePhoto(photo.id).then(onDeleted, report)
  }

  return (
    <>
      <button type="button" className="button quiet round" onClick={download}>
        <Icon name="download" />
        <span className="visually-hidden">Download</span>
      </button>
      <button type="button" className="button quiet round" onClick={() => confirm.current?.showModal()}>
        <Icon name="remove" />
        <span className="visually-hidden">Delete</span>
      </button>
      {trouble?.id === photo.id && (
        <p className="viewer-trouble" role="alert">
          {trouble.text}
        </p>
      )}
      <dialog
        ref={confirm}
        className="confirm"
        aria-label={`Delete ${photo.name}`}
        onClose={(event) => event.stopPropagation()}
      >
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
