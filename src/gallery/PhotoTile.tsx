import { useEffect, useRef, useState } from 'react'
import { vaultService, type PhotoView } from '../state/vault-store'

/** One photo in the grid; its small picture is restored when it comes near the screen. */
export function PhotoTile({ photo, onOpen }: { photo: PhotoView; onOpen: (id: string) => void }) {
  const button = useRef<HTMLButtonElement>(null)
  const [url, setUrl] = useState<string | null>(null)
  const [failed, setFailed] = useState(false)

  useEffect(() => {
    const element = button.current
    if (element === null) return
    const life = { ended: false, url: null as string | null }
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return
        observer.disconnect()
        vaultService()
          .thumbnailUrl(photo.id)
          .then(
            (made) => {
              if (life.ended) URL.revokeObjectURL(made)
              else {
                life.url = made
                setUrl(made)
              }
            },
            () => {
              if (!life.ended) setFailed(true)
            },
          )
      },
      { rootMargin: '600px' },
    )
    observer.observe(element)
    return () => {
      life.ended = true
      observer.disconnect()
      if (life.url !== null) URL.revokeObjectURL(life.url)
    }
  }, [photo.id])

  return (
    <button
      ref={button}
      type="button"
      className="tile"
      style={{ '--ratio': String(photo.width / photo.height) } as React.CSSProperties}
      onClick={() => onOpen(photo.id)}
      aria-label={photo.name}
    >
      {url !== null && <img src={url} alt="" decoding="async" />}
      {failed && <span className="tile-note">Not readable here</span>}
      {!photo.inVault && <span className="tile-badge">On this device only</span>}
    </button>
  )
}
