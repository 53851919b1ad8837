/**
 * The built app. Hashed assets may be cached for ever; everything else is asked for again each time (with an ETag),
 * so that a new build is seen at once. Only a navigation gets the index page in place of a missing file.
 */
import { join } from 'node:path'
import express, { Router, type Request } from 'express'
import { VaultError } from '../errors'
import { SERVICE_WORKER_POLICY } from '../security-headers'

/** Vite writes `assets/name-HASH.ext`; whatever lies there never changes under its name. */
const HASHED_ASSET = /[\\/]assets[\\/][^\\/]+-[\w-]{8,}\.\w+$/
const SERVICE_WORKER = /[\\/](?:sw|service-worker)\.js$/

function isNavigation(req: Request): boolean {
  if (req.method !== 'GET' && req.method !== 'HEAD') return false
  const mode = req.get('Sec-Fetch-Mode')
  if (mode !== undefined) return mode === 'navigate'
  return req.get('Accept')?.includes('text/html') === true && !/\.\w+$/.test(req.path)
}

/** On one's own machine 127.0.0.1 and localhost are two origins; sign-in knows one of them, so pages move there. */
function loopbackDetour(req: Request, origin: string): string | null {
  const configured = new URL(origin)
  const host = req.get('Host') ?? ''
  if (configured.hostname !== 'localhost' || host === configured.host) return null
  return /^(?:127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host) ? configured.origin : null
}

export function appFiles(appDir: string, origin: string): Router {
  const router = Router()
  router.use((req, res, next) => {
    const detour = isNavigation(req) ? loopbackDetour(req, origin) : null
    if (detour === null) next()
    else res.redirect(307, `${detour}${req.path.replace(/^\/{2,}/, '/')}`)
  })
  router.use(
    express.static(appDir, {
      cacheControl: false,
      dotfiles: 'ignore',
      redirect: false,
      setHeaders(res, path) {
        res.setHeader(
          'Cache-Control',
          HASHED_ASSET.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
        )
        if (SERVICE_WORKER.test(path)) res.setHeader('Content-Security-Policy', SERVICE_WORKER_POLICY)
      },
    }),
  )
  router.use((req, res, next) => {
    if (!isNavigation(req)) {
      next(new VaultError('not-found', 'There is nothing at this address.'))
      return
    }
    res.setHeader('Cache-Control', 'no-cache')
    res.sendFile(join(appDir, 'index.html'), { cacheControl: false }, (error?: Error) => {
      if (error !== undefined)
        next(new VaultError('not-found', 'The app has not been built.', { cause: error }))
    })
  })
  return router
}
