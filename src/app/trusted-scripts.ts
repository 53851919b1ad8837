/**
 * Trusted Types (the server's policy demands them): only script addresses of this origin may start workers and the
 * service worker, and no string ever becomes markup or code. Import this before anything that starts a worker.
 */
import { config } from 'zod'

// zod would try to compile its schemas with the Function constructor, which the policy refuses.
config({ jitless: true })

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): unknown
}

const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes
factory?.createPolicy('default', {
  createScriptURL: (url) => {
    const address = new URL(url, document.baseURI)
    if (address.origin !== location.origin) throw new TypeError('Scripts come from this address only.')
    return address.href
  },
})
