/** One question for a backend before it is trusted: does it compute the neural keystream to the bit? */
import { runReference } from './keystream-reference'
import { tensorEngine } from './keystream-tensor'
import { networkFromBytes, WEIGHT_BYTES } from './neural-keystream'
import type { Direction, KeystreamEngine } from './neural-keystream'

/** Two steps of every lane and a ragged end. */
const CHECKED_BYTES = 8200

/** Bytes in which `engine` differs from the reference, both ways; 0 is the only good answer. */
export async function countKeystreamMismatches(engine: KeystreamEngine = tensorEngine): Promise<number> {
  const network = networkFromBytes(
    Uint8Array.from({ length: WEIGHT_BYTES }, (_, i) => (i * i * 31 + i * 7) >> 3),
  )
  const bytes = Uint8Array.from({ length: CHECKED_BYTES }, (_, i) => i * 11)
  let mismatches = 0
  for (const direction of ['add', 'remove'] satisfies Direction[]) {
    const job = { direction, section: 1, firstChunk: 2, bytes }
    const expected = runReference(network, job)
    const made = await engine.run(network, job)
    for (let i = 0; i < expected.length; i++) if (made[i] !== expected[i]) mismatches += 1
  }
  return mismatches
}
