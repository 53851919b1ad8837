/** The vault as an Express app over its stores. */
import express, { type Express } from 'express'
import { API_ROOT } from '../src/format/wire'
import type { VaultConfig } from './config'
import { errorHandler, VaultError } from './errors'
import { sameOriginWrites } from './requests'
import { createRosters } from './rosters'
import { accountRoutes } from './routes/accounts'
import { appFiles } from './routes/app-files'
import { artifactRoutes } from './routes/artifacts'
import { chainRoutes } from './routes/chain'
import { securityHeaders } from './security-headers'
import type { Shelf } from './shelf'
import type { BlobStore } from './stores/blob-store'
import type { RecordStore } from './stores/record-store'
import type { VaultParts } from './vault-parts'

export interface AppParts {
  readonly config: VaultConfig
  readonly records: RecordStore
  readonly blobs: BlobStore
  readonly shelf: Shelf
  readonly nowMs?: () => number
  readonly log?: (line: string) => void
}

export function createApp({
  config,
  records,
  blobs,
  shelf,
  nowMs = Date.now,
  log = console.error,
}: AppParts): Express {
  const parts: VaultParts = { config, records, blobs, shelf, rosters: createRosters(records), nowMs, log }
  const app = express()
  app.disable('x-powered-by')
  app.set('trust proxy', config.proxyHops)
  app.set('query parser', 'simple')
  app.use(securityHeaders(config.origin))
  app.use(API_ROOT, sameOriginWrites(config.origin))
  app.use(API_ROOT, (_req, res, next) => {
    res.setHeader('Cache-Control', 'no-store')
    next()
  })
  app.use(API_ROOT, accountRoutes(parts), artifactRoutes(parts), chainRoutes(parts))
  app.use(API_ROOT, () => {
    throw new VaultError('not-found', 'There is nothing at this address.')
  })
  if (config.appDir !== null) app.use(appFiles(config.appDir, config.origin))
  app.use(errorHandler(log))
  return app
}
