import { useState } from 'react'
import { vaultService } from '../state/vault-store'
import { splitWords } from './kit-words'
import { sentenceOf } from './sentence'

const KIT_LENGTH = 24

/** Joins a vault with the words of its kit. */
export function EnterWords({ onBack }: { onBack: () => void }) {
  const [text, setText] = useState('')
  const [name, setName] = useState(guessDeviceName)
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<string | null>(null)
  const words = splitWords(text)

  const open = (event: React.SyntheticEvent) => {
    event.preventDefault()
    if (words.length !== KIT_LENGTH) {
      setTrouble(`A recovery kit has 24 words; ${wordsHere(words.length)}.`)
      return
    }
    setBusy(true)
    setTrouble(null)
    vaultService()
      .openWithWords(words.join(' '), name.trim() === '' ? guessDeviceName() : name.trim())
      .catch((error: unknown) => {
        setTrouble(sentenceOf(error))
        setBusy(false)
      })
  }
  return (
    <main className="first-run">
      <form onSubmit={open}>
        <h1>Open your vault here</h1>
        <p className="lead">
          Type or paste the words of your recovery kit, in order. They stay on this device.
        </p>
        <label htmlFor="kit-words">Your 24 words</label>
        <textarea
          id="kit-words"
          className="words"
          rows={5}
          value={text}
          autoFocus
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-describedby="kit-count"
          onChange={(event) => setText(event.target.value)}
        />
        <div id="kit-count" className={words.length === KIT_LENGTH ? 'word-count full' : 'word-count'}>
          <progress value={Math.min(words.length, KIT_LENGTH)} max={KIT_LENGTH} aria-label="Words entered" />
          {words.length} of {KIT_LENGTH}
        </div>
        <label htmlFor="device-name">A name for this device</label>
        <input
          id="device-name"
          type="text"
          maxLength={60}
          autoComplete="off"
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

function wordsHere(count: number): string {
  return count === 0 ? 'there are none yet' : count === 1 ? 'this is one' : `these are ${count}`
}

function guessDeviceName(): string {
  const agent = navigator.userAgent
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac', 'Linux'].find((name) => agent.includes(name))
  return system === undefined ? 'This browser' : `Browser on ${system}`
}
