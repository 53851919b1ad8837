import { useState } from 'react'
import { vaultService, type DeviceCheck as Answer } from '../state/vault-store'
import { sentenceOf } from './sentence'

type Check =
  | { readonly kind: 'idle' | 'running' }
  | { readonly kind: 'done'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly text: string }

/** Has the engine compute what is known: the keystream to the bit, and a picture there and back. */
export function DeviceCheck() {
  const [check, setCheck] = useState<Check>({ kind: 'idle' })
  const run = () => {
    setCheck({ kind: 'running' })
    vaultService()
      .checkDevice()
      .then(
        (answer) => setCheck({ kind: 'done', answer }),
        (error: unknown) => setCheck({ kind: 'failed', text: sentenceOf(error) }),
      )
  }
  return (
    <div className="device-check">
      <button type="button" className="button" disabled={check.kind === 'running'} onClick={run}>
        Check this device
      </button>
      <p role="status">
        {check.kind === 'running' && 'Checking'}
        {check.kind === 'failed' && check.text}
        {check.kind === 'done' && sentences(check.answer)}
      </p>
    </div>
  )
}

function sentences({ backend, keystreamMismatches, codecWorks }: Answer): string {
  const keystream =
    keystreamMismatches === 0
      ? `On ${backend} the keystream is right to the bit`
      : `On ${backend} the keystream differs in ${keystreamMismatches} bytes`
  const picture = codecWorks
    ? 'the test picture comes back at more than 40 dB.'
    : 'the test picture does not come back well: use another browser.'
  return `${keystream}, and ${picture}`
}
