import { useState } from 'react'
import { vaultService } from '../state/vault-store'
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
    <main className="first-run welcome">
      <div className="lamp" aria-hidden="true" />
      <h1>Your photos, developed only where you trust</h1>
      <p className="lead">
        Safelight turns each photo into an artifact on this device and keeps only that in the vault. An
        artifact is smaller than the photo and means nothing without your keys and your model, which stay on
        the devices you trust.
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
      <p className="fine">
        No e-mail and no password. What it cannot protect you from: somebody who uses this device unlocked,
        who finds your 24 words, or who changes the app that this address serves.
      </p>
    </main>
  )
}

function EnterWords({ onBack }: { onBack: () => void }) {
  const [words, setWords] = useState('')
  const [name, setName] = useState(() => guessDeviceName())
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<string | null>(null)
  const count = words.trim() === '' ? 0 : words.trim().split(/\s+/).length

  const open = (event: React.SyntheticEvent) => {
    event.preventDefault()
    if (count !== 24) {
      setTrouble(`A recovery kit has 24 words; these are ${count}.`)
      return
    }
    setBusy(true)
    setTrouble(null)
    vaultService()
      .openWithWords(words, name.trim() === '' ? guessDeviceName() : name.trim())
      .catch((error: unknown) => {
        setTrouble(sentenceOf(error))
        setBusy(false)
      })
  }
  return (
    <main className="first-run">
      <form onSubmit={open}>
        <h1>Open your vault here</h1>
        <p>Type or paste the words of your recovery kit, in order. They stay on this device.</p>
        <label htmlFor="kit-words">Your 24 words</label>
        <textarea
          id="kit-words"
          rows={4}
          value={words}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-describedby="kit-count"
          onChange={(event) => setWords(event.target.value)}
        />
        <p id="kit-count" className="fine">
          {count} of 24
        </p>
        <label htmlFor="device-name">A name for this device</label>
        <input
          id="device-name"
          type="text"
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        {trouble !== null && (
          <p role="alert" className="trouble">
            {trouble}
          </p>
        )}
        <div className="actions">
          <button type="submit" className="button primary" disabled={busy}>
            {busy ? 'Looking for your vault' : 'Open the vault'}
          </button>
          <button type="button" className="button quiet" onClick={onBack}>
            Back
          </button>
        </div>
      </form>
    </main>
  )
}

function guessDeviceName(): string {
  const agent = navigator.userAgent
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac', 'Linux'].find((name) => agent.includes(name))
  return system === undefined ? 'This browser' : `Browser on ${system}`
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : 'That did not work. Try again.'
}
