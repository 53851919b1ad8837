/**
 * What an operator can set, read once from the environment. Every number has its unit in its name.
 * A wrong value is a ConfigError whose message is a sentence for the operator.
 */
import { resolve } from 'node:path'

export interface VaultConfig {
  /** scheme://host[:port], exactly as browsers send it in Origin; part of every sign-in signature. */
  readonly origin: string
  /** The built app, or null to serve the API alone. */
  readonly appDir: string | null
  readonly maxArtifactBytes: number
  /** Artifacts and records of one account together. */
  readonly quotaBytes: number
  readonly maxUploadsPerAccount: number
  /** At most one hour. */
  readonly sessionMs: number
  readonly challengeMs: number
  readonly accountsPerHourPerAddress: number
  readonly challengesPerMinutePerAddress: number
  /** A JSON request that takes longer is ended; uploads are bounded by the server's idle timeout instead. */
  readonly jsonTimeoutMs: number
  /** Reverse proxies in front, for the client's address in rate limits. */
  readonly proxyHops: number
}

export interface ListenConfig {
  readonly host: string
  readonly port: number
  readonly dataDir: string
}

export class ConfigError extends Error {
  readonly code = 'bad-setting'
}

const MiB = 2 ** 20
const GiB = 2 ** 30
const MINUTE_MS = 60_000

export const DEFAULTS = {
  maxArtifactBytes: 1 * GiB,
  quotaBytes: 100 * GiB,
  maxUploadsPerAccount: 16,
  sessionMs: 60 * MINUTE_MS,
  challengeMs: 1 * MINUTE_MS,
  accountsPerHourPerAddress: 60,
  challengesPerMinutePerAddress: 120,
  jsonTimeoutMs: 30_000,
  proxyHops: 0,
} satisfies Partial<VaultConfig>

type Environment = Readonly<Record<string, string | undefined>>

function wholeNumber(env: Environment, name: string, fallback: number, most: number): number {
  const text = env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > most)
    throw new ConfigError(`${name} must be a whole number from 0 to ${most}.`)
  return value
}

function originFrom(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw new ConfigError('SAFELIGHT_ORIGIN must be an address such as https://photos.example.org.', {
      cause,
    })
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new ConfigError('SAFELIGHT_ORIGIN must begin with https:// or http://.')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '')
    throw new ConfigError('SAFELIGHT_ORIGIN must be an origin alone, without a path.')
  return url.origin
}

export function readListenConfig(env: Environment): ListenConfig {
  return {
    host: env['HOST'] === undefined || env['HOST'] === '' ? '127.0.0.1' : env['HOST'],
    port: wholeNumber(env, 'PORT', 8787, 65535),
    dataDir: resolve(
      env['SAFELIGHT_DATA'] === undefined || env['SAFELIGHT_DATA'] === '' ? 'data' : env['SAFELIGHT_DATA'],
    ),
  }
}

/** `port` is the one really listened on, which differs from PORT when that is 0. */
export function readVaultConfig(env: Environment, port: number, appDir: string | null): VaultConfig {
  return {
    ...DEFAULTS,
    origin: originFrom(env['SAFELIGHT_ORIGIN'] ?? `http://localhost:${port}`),
    appDir,
    maxArtifactBytes:
      wholeNumber(env, 'SAFELIGHT_MAX_ARTIFACT_MIB', DEFAULTS.maxArtifactBytes / MiB, 65536) * MiB,
    quotaBytes: wholeNumber(env, 'SAFELIGHT_QUOTA_GIB', DEFAULTS.quotaBytes / GiB, 2 ** 20) * GiB,
    proxyHops: wholeNumber(env, 'SAFELIGHT_PROXY_HOPS', DEFAULTS.proxyHops, 10),
  }
}
