import { useId } from 'react'
import { QUALITY_CHOICES, setImportChoices, useImportChoices } from '../state/import-choices'

/** How new photos are kept: quality, and whether the exact file is sealed beside the artifact. */
export function ImportOptions() {
  const choices = useImportChoices()
  const id = useId()
  return (
    <details className="import-options">
      <summary className="button quiet">Options</summary>
      <div className="popover">
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
            <small>Seals the file itself too. Adds the full size of each file.</small>
          </span>
        </label>
      </div>
    </details>
  )
}
