import { useState } from 'react'
import { useVault, vaultService, type ImportItem } from '../state/vault-store'
import { bytesText } from './format'
import { Icon } from './Icon'
import { canCancel, uploadOrder } from './upload-order'
import './tray.css'

const STAGES: Record<ImportItem['stage'], string> = {
  queued: 'Waiting its turn',
  encrypting: 'Encrypting',
  checking: 'Checking',
  waiting: 'Waiting for the vault',
  uploading: 'Uploading',
  safe: 'Safe',
  failed: 'Not kept',
}

/** What is on its way into the vault, file by file. */
export function UploadTray() {
  const imports = useVault((state) => state.imports)
  const [open, setOpen] = useState(true)
  if (imports.length === 0) return null
  const finished = imports.filter((item) => item.stage === 'safe').length
  const failed = imports.filter((item) => item.stage === 'failed').length
  const waiting = imports.filter((item) => item.stage === 'waiting').length
  const busy = imports.length - finished - failed
  const progress =
    imports.reduce(
      (sum, item) => sum + (item.stage === 'safe' || item.stage === 'failed' ? 1 : item.progress),
      0,
    ) / imports.length
  const summary =
    busy === 0
      ? `${finished} of ${imports.length} safe${failed > 0 ? `, ${failed} not kept` : ''}`
      : waiting === busy
        ? `${waiting} waiting for the vault`
        : `Developing ${busy} of ${imports.length}`
  return (
    <section className="tray" aria-label="Uploads">
      <header>
        <h2 role="status">{summary}</h2>
        {busy === 0 && (
          <button
            type="button"
            className="button quiet"
            onClick={() => vaultService().clearFinishedImports()}
          >
            Clear
          </button>
        )}
        <button
          type="button"
          className="button quiet"
          aria-expanded={open}
          aria-label={open ? 'Hide the list of uploads' : 'Show the list of uploads'}
          onClick={() => setOpen(!open)}
        >
          <Icon name={open ? 'fold' : 'unfold'} />
        </button>
      </header>
      {busy > 0 && <progress value={progress} max={1} aria-label="All uploads" />}
      {open && (
        <ul>
          {uploadOrder(imports).map((item) => (
            <UploadRow key={item.importId} item={item} />
          ))}
        </ul>
      )}
    </section>
  )
}

function UploadRow({ item }: { item: ImportItem }) {
  const moving = item.stage === 'encrypting' || item.stage === 'checking' || item.stage === 'uploading'
  return (
    <li className={`upload ${item.stage}`}>
      <div className="upload-line">
        <span className="upload-name">{item.name}</span>
        <span className="upload-stage">{STAGES[item.stage]}</span>
      </div>
      {item.problem !== null && <p className="problem">{item.problem}</p>}
      <div className="upload-line">
        {moving ? (
          <progress value={item.progress} max={1} aria-label={item.name} />
        ) : (
          <small>{item.bytes > 0 && bytesText(item.bytes)}</small>
        )}
        {item.stage === 'failed' && item.canRetry && (
          <button
            type="button"
            className="button quiet"
            onClick={() => vaultService().retryImport(item.importId)}
          >
            Retry<span className="visually-hidden"> {item.name}</span>
          </button>
        )}
        {(canCancel(item) || item.stage === 'failed') && (
          <button
            type="button"
            className="button quiet"
            onClick={() => vaultService().cancelImport(item.importId)}
          >
            {item.stage === 'failed' ? 'Dismiss' : 'Cancel'}
            <span className="visually-hidden"> {item.name}</span>
          </button>
        )}
      </div>
    </li>
  )
}
