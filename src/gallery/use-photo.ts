/** Photos and their small pictures for components; what arrives after leaving is dropped. */
import { useEffect, useState } from 'react'
import { vaultService, type OpenedPhoto } from '../state/vault-store'
import { sentenceOf } from './sentence'

export type Developed =
  | { readonly kind: 'developing'; readonly progress: number }
  | { readonly kind: 'ready'; readonly photo: OpenedPhoto }
  | { readonly kind: 'failed'; readonly text: string }

const START: Developed = { kind: 'developing', progress: 0 }

/** Restores a photo; leaving it stops the work. */
export function useDeveloped(id: string): Developed {
  const [state, setState] = useState<{ id: string; developed: Developed }>({ id, developed: START })
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    const show = (developed: Developed) => {
      if (!signal.aborted) setState({ id, developed })
    }
    vaultService()
      .openPhoto(id, { signal, onProgress: (progress) => show({ kind: 'developing', progress }) })
      .then(
        (photo) => show({ kind: 'ready', photo }),
        (error: unknown) => show({ kind: 'failed', text: sentenceOf(error, 'It could not be restored.') }),
      )
    return () => controller.abort()
  }, [id])
  return state.id === id ? state.developed : START
}

/** Object URL of the small picture, null until there is one or where there is none. */
export function useThumbnail(id: string): string | null {
  const [made, setMade] = useState<{ id: string; url: string } | null>(null)
  useEffect(() => {
    const life = { ended: false, url: null as string | null }
    vaultService()
      .thumbnailUrl(id)
      .then(
        (url) => {
          if (life.ended) URL.revokeObjectURL(url)
          else {
            life.url = url
            setMade({ id, url })
          }
        },
        () => undefined, // the viewer says what is wrong with the photo itself
      )
    return () => {
      life.ended = true
      if (life.url !== null) URL.revokeObjectURL(life.url)
    }
  }, [id])
  return made?.id === id ? made.url : null
}
