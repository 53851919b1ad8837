/** What tabs of one browser tell each other. */
import type { Connection, ImportItem } from './types'

const CHANNEL = 'safelight'

export type TabMessage =
  | { readonly kind: 'hello' }
  | { readonly kind: 'photos-changed' }
  | { readonly kind: 'imports'; readonly imports: readonly ImportItem[] }
  | { readonly kind: 'connection'; readonly connection: Connection }
  | { readonly kind: 'work' }
  | { readonly kind: 'ask'; readonly verb: 'cancel' | 'retry' | 'clear'; readonly importId: string | null }
  | { readonly kind: 'forgotten' }

export interface Tabs {
  say(message: TabMessage): void
  close(): void
}

export function openTabs(onMessage: (message: TabMessage) => void): Tabs {
  const channel = new BroadcastChannel(CHANNEL)
  let isOpen = true
  channel.addEventListener('message', (event: MessageEvent<TabMessage>) => onMessage(event.data))
  return {
    say(message) {
      if (isOpen) channel.postMessage(message)
    },
    close() {
      isOpen = false
      channel.close()
    },
  }
}
