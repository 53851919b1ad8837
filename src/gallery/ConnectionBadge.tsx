import { useVault } from '../state/vault-store'

const TEXTS = { online: 'Vault in reach', syncing: 'Syncing', offline: 'Offline' } as const

/** Whether the vault is in reach. */
export function ConnectionBadge() {
  const connection = useVault((state) => state.connection)
  return (
    <span className={`connection ${connection}`} role="status">
      <span className="dot" aria-hidden="true" />
      {TEXTS[connection]}
    </span>
  )
}
