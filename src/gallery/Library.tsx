import { useCallback, useMemo, useRef, useState } from 'react'
import { useImportChoices } from '../state/import-choices'
import { useVault, vaultService } from '../state/vault-store'
import { DarkroomScene } from './DarkroomScene'
import { DropZone } from './DropZone'
import { countText, groupByMonth } from './format'
import { Icon } from './Icon'
import { ImportOptions } from './ImportOptions'
import { estimateMonthHeight } from './layout'
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
  const [choosing, setChoosing] = useState(false)
  const [staged, setStaged] = useState<readonly File[]>([])
  const picker = useRef<HTMLInputElement>(null)

  const addFiles = useCallback(
    (files: readonly File[]) => {
      if (files.length === 0) return
      if (choosing) setStaged((waiting) => [...waiting, ...files])
      else importFiles(files)
    },
    [choosing],
  )
  const openOptions = useCallback((open: boolean) => {
    setChoosing(open)
    if (!open) setStaged([])
  }, [])

  return (
    <DropZone onFiles={addFiles}>
      <main className="library">
        <div className="library-bar">
          <h1>{countText(photos.length, 'photo')}</h1>
          <div className="library-actions">
            <ImportOptions
              open={choosing}
              onOpen={openOptions}
              staged={staged}
              onChooseFiles={() => picker.current?.click()}
              onImport={() => {
                importFiles(staged)
                openOptions(false)
              }}
            />
            <AddButtons picker={picker} onFiles={addFiles} />
          </div>
        </div>
        {photos.length === 0 ? (
          <EmptyDarkroom />
        ) : (
          months.map((month) => (
            <section
              key={month.key}
              className="month"
              aria-label={month.title}
              style={{
                containIntrinsicSize: `auto ${estimateMonthHeight(month.photos, window.innerWidth)}px`,
              }}
            >
              <h2>
                {month.title} <small>{month.photos.length}</small>
              </h2>
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

function EmptyDarkroom() {
  const developing = useVault(({ imports }) =>
    imports.some(({ stage }) => stage !== 'failed' && stage !== 'safe'),
  )
  return (
    <div className="empty">
      <DarkroomScene prints="blank" />
      {developing ? (
        <h2>Your first photos are developing</h2>
      ) : (
        <>
          <h2>Your darkroom is empty</h2>
          <p>
            Drop photos anywhere on this page, or paste one. They are encrypted here, on this device, before
            anything leaves it.
          </p>
        </>
      )}
    </div>
  )
}

function importFiles(files: readonly File[]): void {
  const { quality, keepOriginal } = useImportChoices.getState()
  vaultService().importFiles(files, { quality, keepOriginal })
}

interface AddButtonsProps {
  readonly picker: React.RefObject<HTMLInputElement | null>
  readonly onFiles: (files: readonly File[]) => void
}

function AddButtons({ picker, onFiles }: AddButtonsProps) {
  const folder = useRef<HTMLInputElement>(null)
  const take = (event: React.ChangeEvent<HTMLInputElement>) => {
    onFiles([...(event.target.files ?? [])])
    event.target.value = ''
  }
  return (
    <>
      <input
        ref={picker}
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
        <Icon name="folder" />
        <span className="on-wide">Add a folder</span>
      </button>
      <button type="button" className="button primary" onClick={() => picker.current?.click()}>
        <Icon name="add" />
        Add photos
      </button>
    </>
  )
}

/** Not in the standard attributes that React knows. */
const FOLDER = { webkitdirectory: '' }
