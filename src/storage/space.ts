/** How much this browser lets us keep. */

const FALLBACK_BYTES = 512 * 1024 * 1024

/** Asks the browser not to drop our storage under pressure; false where it declines. */
export async function askToPersist(): Promise<boolean> {
  try {
    return (await navigator.storage.persisted()) || (await navigator.storage.persist())
  } catch {
    return false
  }
}

/** Bytes of artifacts to keep: half of what the browser offers, so that the queue always has space. */
export async function artifactBudget(): Promise<number> {
  try {
    const { quota } = await navigator.storage.estimate()
    return quota === undefined ? FALLBACK_BYTES : Math.floor(quota / 2)
  } catch {
    return FALLBACK_BYTES
  }
}
