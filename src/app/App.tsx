import { useVault } from '../state/vault-store'
import { ConnectionBadge } from '../gallery/ConnectionBadge'
import { EnterWordsOrWelcome } from '../gallery/Welcome'
import { Library } from '../gallery/Library'
import { NoticeBanner } from '../gallery/NoticeBanner'
import { RecoveryKit } from '../gallery/RecoveryKit'
import { SettingsDialog } from '../gallery/SettingsDialog'
import { UpdatePrompt } from './UpdatePrompt'
import './app.css'

export function App() {
  const phase = useVault((state) => state.phase)
  return (
    <>
      <header className="app-header">
        <span className="brand">
          <img src="/icon.svg" alt="" />
          Safelight
        </span>
        {phase.kind === 'open' && (
          <>
            <ConnectionBadge />
            <SettingsDialog />
          </>
        )}
      </header>
      <UpdatePrompt />
      <NoticeBanner />
      <Phase />
    </>
  )
}

function Phase() {
  const phase = useVault((state) => state.phase)
  switch (phase.kind) {
    case 'loading':
      return (
        <main className="app-loading">
          <img className="warming" src="/icon.svg" alt="" />
          <p role="status">Opening your darkroom</p>
        </main>
      )
    case 'unsupported':
      return (
        <main className="app-loading">
          <h1>The lamp stays off here</h1>
          <p role="alert">{phase.reason}</p>
        </main>
      )
    case 'welcome':
      return <EnterWordsOrWelcome />
    case 'prove-kit':
      return <RecoveryKit accountId={phase.accountId} words={phase.words} positions={phase.positions} />
    case 'open':
      return <Library />
  }
}
