import { useState } from 'react'
import { vaultService } from '../state/vault-store'
import { splitWords, spreadPaste, wrongAnswers } from './kit-words'
import { sentenceOf } from './sentence'
import './first-run.css'

const KIT_LENGTH = 24

interface RecoveryKitProps {
  readonly accountId: string
  /** null after a reload: the words were never stored. */
  readonly words: readonly string[] | null
  /** Asked positions, from 0. */
  readonly positions: readonly number[]
}

/** The 24 words on a sheet to print or copy, then three of them typed back. */
export function RecoveryKit({ accountId, words, positions }: RecoveryKitProps) {
  const [proving, setProving] = useState(words === null)
  if (words !== null && !proving)
    return <KitSheet accountId={accountId} words={words} onWritten={() => setProving(true)} />
  return (
    <KitProof words={words} positions={positions} onBack={words === null ? null : () => setProving(false)} />
  )
}

interface KitSheetProps {
  readonly accountId: string
  readonly words: readonly string[]
  readonly onWritten: () => void
}

function KitSheet({ accountId, words, onWritten }: KitSheetProps) {
  return (
    <main className="first-run kit">
      <p className="step-of">Step 1 of 2</p>
      <h1>Your recovery kit</h1>
      <p className="lead">
        These 24 words open your vault on any device. Lose them and every device, and your photos are gone;
        whoever finds them has your photos. Print this sheet or copy it by hand, and keep it on paper.
      </p>
      <section className="sheet" aria-labelledby="sheet-title">
        <header>
          <h2 id="sheet-title">Safelight recovery kit</h2>
          <p className="not-a-wallet">This is not a cryptocurrency wallet</p>
        </header>
        <ol aria-label="The 24 words">
          {words.map((word, i) => (
            <li key={i}>
              <span aria-hidden="true">{i + 1}</span> {word}
            </li>
          ))}
        </ol>
        <footer>
          <p>
            Opens photos at <strong>{location.origin}</strong>
          </p>
          <p className="account">
            Vault <code>{accountId}</code>
          </p>
          <p>Made {new Date().toLocaleDateString(undefined, { dateStyle: 'long' })}</p>
          <p className="on-paper">
            Open the address, choose “I have 24 words”, and type them in this order. Keep this sheet where you
            keep passports. Do not photograph it.
          </p>
        </footer>
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

interface KitProofProps extends Omit<RecoveryKitProps, 'accountId'> {
  readonly onBack: (() => void) | null
}

function KitProof({ words, positions, onBack }: KitProofProps) {
  const [answers, setAnswers] = useState<readonly string[]>(() => positions.map(() => ''))
  const [wrong, setWrong] = useState<readonly number[]>([])
  const [trouble, setTrouble] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  const answer = (index: number, text: string) => {
    setAnswers(answers.map((old, n) => (n === index ? text : old)))
    setWrong(wrong.filter((n) => n !== index))
  }
  const paste = (event: React.ClipboardEvent) => {
    const spread = spreadPaste(event.clipboardData.getData('text'), positions, KIT_LENGTH)
    if (spread === null) return
    event.preventDefault()
    setAnswers(spread)
    setWrong([])
  }
  const refuse = () => {
    const found = wrongAnswers(answers, positions, words)
    setWrong(found ?? positions.map((_, i) => i))
    const names = found?.map((i) => `word ${positions[i]! + 1}`).join(' and ')
    setTrouble(
      names === undefined || found?.length === positions.length
        ? 'These are not the words of your kit at those places. Look at your paper and try again.'
        : `Not quite: ${names} reads differently on your sheet. Look at your paper and try again.`,
    )
  }
  const check = (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setTrouble(null)
    vaultService()
      .proveKit(answers.map((text) => splitWords(text).join(' ')))
      .then(
        (right) => {
          if (!right) refuse()
        },
        (error: unknown) => setTrouble(sentenceOf(error)),
      )
      .finally(() => setBusy(false))
  }
  return (
    <main className="first-run">
      <form onSubmit={check}>
        <p className="step-of">Step 2 of 2</p>
        <h1>Prove your kit</h1>
        <p className="lead">
          Type three of the words from your paper. Nothing is kept in the vault before this works.
        </p>
        <div className="proof">
          {positions.map((position, i) => (
            <div key={position} className="proof-word">
              <label htmlFor={`word-${position}`}>Word {position + 1}</label>
              <input
                id={`word-${position}`}
                className="words"
                type="text"
                autoFocus={i === 0}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                aria-invalid={wrong.includes(i)}
                value={answers[i] ?? ''}
                onPaste={paste}
                onChange={(event) => answer(i, event.target.value)}
              />
            </div>
          ))}
        </div>
        {trouble !== null && (
          <p role="alert" className="trouble">
            {trouble}
          </p>
        )}
        <div className="actions">
          <button
            type="submit"
            className="button primary"
            disabled={busy || answers.some((text) => text.trim() === '')}
          >
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
