/** HMAC-SHA-256 (RFC 2104). */
import { equalBytes, unsharedBytes, type Bytes } from '../lib/bytes'

export async function hmac(key: Uint8Array, message: Uint8Array): Promise<Bytes> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', unsharedBytes(key), algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, unsharedBytes(message)))
}

export async function verifyHmac(key: Uint8Array, message: Uint8Array, mac: Uint8Array): Promise<boolean> {
  return equalBytes(await hmac(key, message), mac)
}
