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
} as const
// 0x8001, AES-256-CTR alone, is the number of a study in src/diffusion: no artifact may carry it.

/** What the header of an artifact may name. */
export type ArtifactProcessId = typeof PROCESS.torus32

export const LABEL_PREFIX = 'safelight/v1/'
