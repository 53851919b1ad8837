import { useState } from 'react'
import { vaultService } from '../state/vault-store'
import { DarkroomScene } from './DarkroomScene'
import { EnterWords } from './EnterWords'
import { Limits } from './Limits'
import { sentenceOf } from './sentence'
import './first-run.css'

/** The first screen of a browser that holds no vault. */
export function EnterWordsOrWelcome() {
  const [entering, setEntering] = useState(false)
  return entering ? (
    <EnterWords onBack={() => setEntering(false)} />
  ) : (
    <Welcome onWords={() => setEntering(true)} />
  )
}

function Welcome({ onWords }: { onWords: () => void }) {
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<string | null>(null)
  const create = () => {
    setBusy(true)
    setTrouble(null)
    vaultService()
      .createVault()
      .catch((error: unknown) => {
        setTrouble(sentenceOf(error))
        setBusy(false)
      })
  }
  return (
    <main className="welcome">
      <div className="welcome-scene">
        <DarkroomScene prints="developing" />
      </div>
      <div className="welcome-text">
        <h1>Your photos, developed only where you trust</h1>
        <p className="lead">
          On this device each photo becomes an artifact: noise to anybody without your keys. The vault keeps
          artifacts and sealed notes, nothing else. Your keys stay on devices you trust.
        </p>
        <div className="actions">
          <button type="button" className="button primary" disabled={busy} onClick={create}>
            {busy ? 'Making keys' : 'Make a new vault'}
          </button>
          <button type="button" className="button" onClick={onWords}>
            I have 24 words
          </button>
        </div>
        {trouble !== null && (
          <p role="alert" className="trouble">
            {trouble}
          </p>
        )}
        <p className="fine">No e-mail, no password, nothing to sign up for.</p>
        <details className="limits-more">
          <summary>What it cannot protect you from</summary>
          <Limits />
        </details>
      </div>
    </main>
  )
}
