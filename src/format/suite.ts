/** Ids of formats, suites and processes. Append-only: a published id never changes meaning. */

/** Version of every object and container written by this release. */
export const FORMAT_VERSION = 1

/** X-Wing, HKDF-SHA-256, AES-256-GCM, Ed25519. 0 and 0xffff are never valid. */
export const SUITE_1 = 1

/** What was done to the padded bytes of a section before sealing. */
export const PROCESS = {
  /** Nothing: records. */
  none: 0,
  /** Torus forward process, 32 steps, AES-256-CTR plus neural keystream v1. */
  torus32: 1,
  /** AES-256-CTR alone: artifacts of development builds. */
  aesCtrDevelopment: 0x8001,
} as const

export type ProcessId = (typeof PROCESS)[keyof typeof PROCESS]

export const LABEL_PREFIX = 'safelight/v1/'
