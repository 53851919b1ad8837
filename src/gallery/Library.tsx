import { useCallback, useMemo, useRef, useState } from 'react'
import { useImportChoices } from '../state/import-choices'
import { useVault, vaultService } from '../state/vault-store'
import { DropZone } from './DropZone'
import { groupByMonth } from './format'
import { ImportOptions } from './ImportOptions'
import { PhotoTile } from './PhotoTile'
import { UploadTray } from './UploadTray'
import { Viewer } from './Viewer'
import './library.css'

/** The open vault: everything in it, and the ways in. */
export function Library() {
  const photos = useVault((state) => state.photos)
  const [openId, setOpenId] = useState<string | null>(null)
  const months = useMemo(() => groupByMonth(photos), [photos])
  const ordered = useMemo(() => months.flatMap((month) => month.photos), [months])

  const addFiles = useCallback((files: readonly File[]) => {
    if (files.length > 0) vaultService().importFiles(files, useImportChoices.getState())
  }, [])

  return (
    <DropZone onFiles={addFiles}>
      <main className="library">
        <div className="library-bar">
          <h1>{photos.length === 1 ? '1 photo' : `${photos.length} photos`}</h1>
          <div className="library-actions">
            <ImportOptions />
            <AddButtons onFiles={addFiles} />
          </div>
        </div>
        {photos.length === 0 ? (
          <div className="empty">
            <div className="empty-lamp" aria-hidden="true" />
            <h2>Your darkroom is empty</h2>
            <p>
              Drop photos anywhere on this page. They are encrypted here, on this device, before anything
              leaves it.
            </p>
          </div>
        ) : (
          months.map((month) => (
            <section key={month.key} className="month" aria-label={month.title}>
              <h2>{month.title}</h2>
              <div className="grid">
                {month.photos.map((photo) => (
                  <PhotoTile key={photo.id} photo={photo} onOpen={setOpenId} />
                ))}
              </div>
            </section>
          ))
        )}
      </main>
      <UploadTray />
      {openId !== null && (
        <Viewer photos={ordered} id={openId} onShow={setOpenId} onClose={() => setOpenId(null)} />
      )}
    </DropZone>
  )
}

function AddButtons({ onFiles }: { onFiles: (files: readonly File[]) => void }) {
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const take = (event: React.ChangeEvent<HTMLInputElement>) => {
    onFiles([...(event.target.files ?? [])])
    event.target.value = ''
  }
  return (
    <>
      <input
        ref={files}
        type="file"
        multiple
        accept="image/*"
        hidden
        onChange={take}
        aria-label="Choose photos"
      />
      <input
        ref={folder}
        type="file"
        multiple
        hidden
        onChange={take}
        aria-label="Choose a folder"
        {...FOLDER}
      />
      <button type="button" className="button quiet add-folder" onClick={() => folder.current?.click()}>
        Add a folder
      </button>
      <button type="button" className="button primary" onClick={() => files.current?.click()}>
        Add photos
      </button>
    </>
  )
}

/** Not in the standard attributes that React knows. */
const FOLDER = { webkitdirectory: '' }
