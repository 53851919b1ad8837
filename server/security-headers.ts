/**
 * Headers of every response, whatever it is. One table; the sentence beside each says what it stops.
 * Secrets live in the page that this server hands out, so the page may load, run and talk to nothing but this origin.
 */
import type { RequestHandler } from 'express'

const POLICY: Readonly<Record<string, string>> = {
  'default-src': "'none'", // whatever is not named below is refused
  'script-src': "'self' 'wasm-unsafe-eval'", // own files; compiling WebAssembly, but never eval
  'worker-src': "'self'",
  'style-src': "'self'",
  'font-src': "'self'",
  'img-src': "'self' blob: data:", // restored photos are blobs; small icons are inlined by the build
  'media-src': "'self' blob:",
  'connect-src': "'self' blob:", // the vault, and the app reading back its own blobs
  'manifest-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

/**
 * Trusted Types: no string becomes code. Workers and the service worker are started from script URLs, so the app
 * makes one policy named `default` (or `safelight`) that lets same-origin script URLs through and nothing else.
 */
const TRUSTED_TYPES = "require-trusted-types-for 'script'; trusted-types default safelight"

const directives = Object.entries(POLICY).map(([name, value]) => `${name} ${value}`)

export const PAGE_POLICY = [...directives, TRUSTED_TYPES].join('; ')

/** For the service worker file, whose own `importScripts` takes plain strings; it has no document to inject into. */
export const SERVICE_WORKER_POLICY = directives.join('; ')

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': PAGE_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin', // no window of another site shares our process; with COEP: threads
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin', // no other site loads what we serve
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'X-DNS-Prefetch-Control': 'off',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'Permissions-Policy': [
    'accelerometer',
    'autoplay',
    'browsing-topics',
    'camera',
    'display-capture',
    'encrypted-media',
    'geolocation',
    'gyroscope',
    'hid',
    'idle-detection',
    'magnetometer',
    'microphone',
    'midi',
    'payment',
    'serial',
    'usb',
    'xr-spatial-tracking',
  ]
    .map((feature) => `${feature}=()`)
    .join(', '),
}

export function securityHeaders(origin: string): RequestHandler {
  const headers = origin.startsWith('https:')
    ? { ...HEADERS, 'Strict-Transport-Security': 'max-age=63072000; includeSubDomains' }
    : HEADERS
  return (_req, res, next) => {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
    next()
  }
}
