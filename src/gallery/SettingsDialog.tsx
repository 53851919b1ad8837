import { useEffect, useRef, useState } from 'react'
import { currentTheme, setTheme, type Theme } from '../state/theme'
import { useVault, vaultService } from '../state/vault-store'
import { bytesText } from './format'

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]

/** This device: the engine that develops, what is stored, the look, and forgetting it all. */
export function SettingsDialog() {
  const dialog = useRef<HTMLDialogElement>(null)
  const [open, setOpen] = useState(false)
  const show = () => {
    setOpen(true)
    dialog.current?.showModal()
  }
  return (
    <>
      <button type="button" className="button quiet" onClick={show}>
        This device
      </button>
      <dialog ref={dialog} className="settings" aria-label="This device" onClose={() => setOpen(false)}>
        {open && <Settings onClose={() => dialog.current?.close()} />}
      </dialog>
    </>
  )
}

function Settings({ onClose }: { onClose: () => void }) {
  const engine = useVault((state) => state.engine)
  const phase = useVault((state) => state.phase)
  const [theme, choose] = useState(currentTheme)
  const space = useSpace()
  return (
    <>
      <header>
        <h2>{phase.kind === 'open' ? phase.deviceName : 'This device'}</h2>
        <button type="button" className="button quiet" onClick={onClose}>
          Close
        </button>
      </header>
      <dl>
        <dt>Engine</dt>
        <dd>
          {engine === null ? (
            'Starting'
          ) : (
            <>
              <span>{engine.backend}</span>
              <small>
                {engine.workers === 1 ? '1 worker' : `${engine.workers} workers`}, restores{' '}
                {engine.megapixelsPerSecond.toFixed(1)} megapixels a second each on its probe
              </small>
            </>
          )}
        </dd>
        <dt>Model</dt>
        <dd className="model-id">{engine === null ? 'Loading' : engine.modelId.slice(0, 16)}</dd>
        <dt>Stored here</dt>
        <dd>{space}</dd>
      </dl>
      <fieldset>
        <legend>Look</legend>
        {THEMES.map(([value, label]) => (
          <label key={value}>
            <input
              type="radio"
              name="theme"
              checked={theme === value}
              onChange={() => {
                setTheme(value)
                choose(value)
              }}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <p className="fine">
        Your keys lie in this browser's profile. Whoever copies the profile, or uses this device unlocked, can
        open your photos.
      </p>
      <ForgetDevice />
    </>
  )
}

function ForgetDevice() {
  const [asking, setAsking] = useState(false)
  const [trouble, setTrouble] = useState<string | null>(null)
  if (!asking)
    return (
      <button type="button" className="button danger" onClick={() => setAsking(true)}>
        Forget this device
      </button>
    )
  const forget = () => {
    vaultService()
      .forgetDevice()
      .catch((error: unknown) => setTrouble(error instanceof Error ? error.message : 'That did not work.'))
  }
  return (
    <div role="group" aria-label="Forget this device">
      <p>
        Keys, copies and waiting uploads are removed from this browser. The vault keeps its artifacts; you
        need another trusted device or your 24 words to open them.
      </p>
      {trouble !== null && <p role="alert">{trouble}</p>}
      <div className="confirm-actions">
        <button type="button" className="button" onClick={() => setAsking(false)}>
          Keep
        </button>
        <button type="button" className="button danger" onClick={forget}>
          Forget
        </button>
      </div>
    </div>
  )
}

function useSpace(): string {
  const [text, setText] = useState('Counting')
  useEffect(() => {
    const life = { ended: false }
    void Promise.all([navigator.storage.estimate(), navigator.storage.persisted()]).then(
      ([{ usage }, kept]) => {
        const kind = kept ? 'the browser keeps it' : 'the browser may clear it when space is short'
        if (!life.ended) setText(`${bytesText(usage ?? 0)}; ${kind}`)
      },
    )
    return () => {
      life.ended = true
    }
  }, [])
  return text
}
