import { useState } from 'react'
import { vaultService } from '../state/vault-store'
import './first-run.css'

interface RecoveryKitProps {
  /** null after a reload: the words were never stored. */
  readonly words: readonly string[] | null
  /** Asked positions, from 0. */
  readonly positions: readonly number[]
}

/** The 24 words on a sheet to print or copy, then three of them typed back. */
export function RecoveryKit({ words, positions }: RecoveryKitProps) {
  const [proving, setProving] = useState(words === null)
  if (words !== null && !proving) return <KitSheet words={words} onWritten={() => setProving(true)} />
  return <KitProof positions={positions} onBack={words === null ? null : () => setProving(false)} />
}

function KitSheet({ words, onWritten }: { words: readonly string[]; onWritten: () => void }) {
  return (
    <main className="first-run kit">
      <h1>Your recovery kit</h1>
      <p>
        These 24 words open your vault on any device. Without them and without a trusted device your photos
        are gone; whoever finds them has your photos. Write them on paper now.
      </p>
      <section className="sheet">
        <header>
          <strong>Safelight recovery kit. This is not a cryptocurrency wallet.</strong>
          <span>{location.origin}</span>
        </header>
        <ol aria-label="The 24 words">
          {words.map((word, i) => (
            <li key={i}>
              <span aria-hidden="true">{i + 1}</span> {word}
            </li>
          ))}
        </ol>
      </section>
      <div className="actions">
        <button type="button" className="button primary" onClick={onWritten}>
          I have written them down
        </button>
        <button type="button" className="button" onClick={() => window.print()}>
          Print
        </button>
      </div>
    </main>
  )
}

function KitProof({ positions, onBack }: { positions: readonly number[]; onBack: (() => void) | null }) {
  const [answers, setAnswers] = useState<readonly string[]>(() => positions.map(() => ''))
  const [trouble, setTrouble] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const check = (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setTrouble(null)
    vaultService()
      .proveKit(answers.map((answer) => answer.trim().toLowerCase()))
      .then(
        (right) => {
          if (!right)
            setTrouble(
              'These are not the words of your kit at those places. Look at your paper and try again.',
            )
        },
        (error: unknown) =>
          setTrouble(error instanceof Error ? error.message : 'That did not work. Try again.'),
      )
      .finally(() => setBusy(false))
  }
  return (
    <main className="first-run">
      <form onSubmit={check}>
        <h1>Prove your kit</h1>
        <p>Type three of the words from your paper. Nothing is kept in the vault before this works.</p>
        {positions.map((position, i) => (
          <div key={position} className="proof-word">
            <label htmlFor={`word-${position}`}>Word {position + 1}</label>
            <input
              id={`word-${position}`}
              type="text"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              value={answers[i] ?? ''}
              onChange={(event) => setAnswers(answers.map((old, n) => (n === i ? event.target.value : old)))}
            />
          </div>
        ))}
        {trouble !== null && (
          <p role="alert" className="trouble">
            {trouble}
          </p>
        )}
        <div className="actions">
          <button type="submit" className="button primary" disabled={busy}>
            {busy ? 'Checking' : 'Check the words'}
          </button>
          {onBack !== null && (
            <button type="button" className="button quiet" onClick={onBack}>
              Show them again
            </button>
          )}
        </div>
      </form>
    </main>
  )
}
