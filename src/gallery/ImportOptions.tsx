import { useEffect, useId, useRef } from 'react'
import { QUALITY_CHOICES, setImportChoices, useImportChoices } from '../state/import-choices'
import { bytesText, countText } from './format'
import { Icon } from './Icon'

interface ImportOptionsProps {
  readonly open: boolean
  readonly onOpen: (open: boolean) => void
  /** Files dropped or chosen while the options are open: they wait here for the choice. */
  readonly staged: readonly File[]
  readonly onChooseFiles: () => void
  readonly onImport: () => void
}

/** How new photos are kept: quality, and whether the exact file is sealed beside the artifact. */
export function ImportOptions({ open, onOpen, staged, onChooseFiles, onImport }: ImportOptionsProps) {
  const choices = useImportChoices()
  const id = useId()
  const details = useRef<HTMLDetailsElement>(null)
  const summary = useRef<HTMLElement>(null)
  const cost = bytesText(staged.reduce((sum, file) => sum + file.size, 0))

  useEffect(() => {
    if (!open || staged.length > 0) return
    const outside = (event: PointerEvent) => {
      if (event.target instanceof Node && details.current?.contains(event.target) === false) onOpen(false)
    }
    document.addEventListener('pointerdown', outside)
    return () => document.removeEventListener('pointerdown', outside)
  }, [open, staged, onOpen])

  return (
    <details
      ref={details}
      className="import-options"
      open={open}
      onToggle={(event) => onOpen(event.currentTarget.open)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        onOpen(false)
        summary.current?.focus()
      }}
    >
      <summary ref={summary} className="button quiet">
        <Icon name="options" />
        <span className="on-wide">Options</span>
      </summary>
      <div className="popover" role="group" aria-label="Options for new photos">
        <fieldset>
          <legend>Quality</legend>
          {QUALITY_CHOICES.map(({ quality, label, hint }) => (
            <label key={quality} className="choice">
              <input
                type="radio"
                name={`${id}-quality`}
                checked={choices.quality === quality}
                onChange={() => setImportChoices({ quality })}
              />
              <span>
                {label}
                <small>{hint}</small>
              </span>
            </label>
          ))}
        </fieldset>
        <label className="choice">
          <input
            type="checkbox"
            checked={choices.keepOriginal}
            onChange={(event) => setImportChoices({ keepOriginal: event.target.checked })}
          />
          <span>
            Keep exact original
            <small>
              Seals the file itself too, bit for bit.{' '}
              {staged.length === 0
                ? 'Adds the full size of each file.'
                : `For ${staged.length === 1 ? 'this file' : 'these files'} it adds ${cost}.`}
            </small>
          </span>
        </label>
        <div className="popover-foot" aria-live="polite">
          {staged.length === 0 ? (
            <button type="button" className="button" onClick={onChooseFiles}>
              Choose and weigh photos
            </button>
          ) : (
            <>
              <p>
                {countText(staged.length, 'file')}, {cost}
              </p>
              <button type="button" className="button primary" onClick={onImport}>
                Develop {countText(staged.length, 'file')}
              </button>
            </>
          )}
        </div>
      </div>
    </details>
  )
}
