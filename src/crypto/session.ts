/** Signing in (PROTOCOL §6). */
import { SESSION_NONCE_BYTES, sessionSignedBytes, type SessionClaim } from '../format/session'
import type { Bytes } from '../lib/bytes'
import type { DeviceKeys } from './device'
import { randomBytes } from './random'
import { sign } from './sign'

export interface SessionProof {
  readonly clientNonce: Bytes
  readonly signature: Bytes
}

/** `claim.rosterHead` is the hash of the newest roster entry this device knows; the client nonce is drawn here. */
export function signSession(
  device: DeviceKeys,
  claim: Omit<SessionClaim, 'clientNonce' | 'device'>,
): SessionProof {
  const clientNonce = randomBytes(SESSION_NONCE_BYTES)
  const message = sessionSignedBytes({ ...claim, device: device.deviceId, clientNonce })
  return { clientNonce, signature: sign(device.signSeed, message) }
}
