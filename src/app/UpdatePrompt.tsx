import { useRegisterSW } from 'virtual:pwa-register/react'

/** Registers the service worker, and says when a new version of the app is ready. */
export function UpdatePrompt() {
  const {
    needRefresh: [waiting, setWaiting],
    updateServiceWorker,
  } = useRegisterSW()
  if (!waiting) return null
  return (
    <aside className="update" role="status">
      A new version is ready.
      <button type="button" className="button primary" onClick={() => void updateServiceWorker(true)}>
        Reload
      </button>
      <button type="button" className="button quiet" onClick={() => setWaiting(false)}>
        Later
      </button>
    </aside>
  )
}
