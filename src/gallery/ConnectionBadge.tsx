import { useVault } from '../state/vault-store'
import './banners.css'

const TEXTS = { online: 'Vault in reach', syncing: 'Syncing', offline: 'Offline' } as const

/** Whether the vault is in reach. */
export function ConnectionBadge() {
  const connection = useVault((state) => state.connection)
  return (
    <span
      className={`connection ${connection}`}
      role="status"
      title={
        connection === 'offline'
          ? 'Photos seen here before still open; new ones wait on this device.'
          : undefined
      }
    >
      <span className="dot" aria-hidden="true" />
      <span className="connection-text">{TEXTS[connection]}</span>
    </span>
  )
}
