import { useEffect, useRef, useState } from 'react'
import { currentTheme, setTheme, type Theme } from '../state/theme'
import { useVault, vaultService } from '../state/vault-store'
import { DeviceCheck } from './DeviceCheck'
import { bytesText } from './format'
import { Icon } from './Icon'
import { Limits } from './Limits'
import { sentenceOf } from './sentence'
import './settings.css'

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'System'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]

const CONNECTIONS = {
  online: 'In reach',
  syncing: 'Syncing',
  offline: 'Out of reach. Photos seen here still open; new ones wait on this device.',
} as const

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
        <Icon name="device" />
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
  const connection = useVault((state) => state.connection)
  const space = useSpace()
  return (
    <>
      <header>
        <h2>{phase.kind === 'open' ? phase.deviceName : 'This device'}</h2>
        <button type="button" className="button quiet round" onClick={onClose}>
          <Icon name="close" />
          <span className="visually-hidden">Close</span>
        </button>
      </header>
      <dl>
        <div>
          <dt>Vault</dt>
          <dd>
            {CONNECTIONS[connection]}
            {phase.kind === 'open' && <small className="hex">{phase.accountId}</small>}
          </dd>
        </div>
        <div>
          <dt>Engine</dt>
          <dd>
            {engine === null ? (
              'Starting'
            ) : (
              <>
                <span>{engine.backend}</span>
                <small>
                  {engine.workers === 1 ? '1 worker' : `${engine.workers} workers`}; on its probe each
                  restores {engine.megapixelsPerSecond.toFixed(1)} megapixels a second
                </small>
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Model</dt>
          <dd className="hex">{engine === null ? 'Loading' : engine.modelId.slice(0, 16)}</dd>
        </div>
        <div>
          <dt>Stored here</dt>
          <dd>
            {space.used}
            <small>{space.kept}</small>
          </dd>
        </div>
      </dl>
      <DeviceCheck />
      <ThemeChoice />
      <h3>What this cannot protect</h3>
      <Limits />
      <ForgetDevice />
    </>
  )
}

function ThemeChoice() {
  const [theme, choose] = useState(currentTheme)
  return (
    <fieldset className="themes">
      <legend>Look</legend>
      <div>
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
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

function ForgetDevice() {
  const [asking, setAsking] = useState(false)
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<string | null>(null)
  if (!asking)
    return (
      <button type="button" className="button danger" onClick={() => setAsking(true)}>
        Forget this device
      </button>
    )
  const forget = () => {
    setBusy(true)
    vaultService()
      .forgetDevice()
      .catch((error: unknown) => {
        setTrouble(sentenceOf(error))
        setBusy(false)
      })
  }
  return (
    <div className="forget" role="group" aria-label="Forget this device">
      <p>
        Keys, copies and waiting uploads are removed from this browser. The vault keeps its artifacts; you
        need another trusted device or your 24 words to open them.
      </p>
      {trouble !== null && (
        <p role="alert" className="trouble">
          {trouble}
        </p>
      )}
      <div className="confirm-actions">
        <button type="button" className="button" autoFocus onClick={() => setAsking(false)}>
          Keep
        </button>
        <button type="button" className="button danger" disabled={busy} onClick={forget}>
          Forget
        </button>
      </div>
    </div>
  )
}

interface Space {
  readonly used: string
  readonly kept: string
}

function useSpace(): Space {
  const [space, setSpace] = useState<Space>({ used: 'Counting', kept: '' })
  useEffect(() => {
    const life = { ended: false }
    void Promise.all([navigator.storage.estimate(), navigator.storage.persisted()]).then(
      ([{ usage }, persisted]) => {
        if (life.ended) return
        setSpace({
          used: bytesText(usage ?? 0),
          kept: persisted
            ? 'The browser keeps it until you forget this device'
            : 'The browser may clear it when space is short',
        })
      },
    )
    return () => {
      life.ended = true
    }
  }, [])
  return space
}
