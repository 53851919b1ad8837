import { dismissNotice, useVault } from '../state/vault-store'
import './banners.css'

/** Troubles that concern the whole vault, until they are read. */
export function NoticeBanner() {
  const notices = useVault((state) => state.notices)
  return notices.map((notice) => (
    <aside key={notice.kind} className="notice">
      <p role="alert">{notice.text}</p>
      <button type="button" className="button quiet" onClick={() => dismissNotice(notice.kind)}>
        Understood
      </button>
    </aside>
  ))
}
