/**
 * The mask: the torus process at its endpoint, one keyed addition for every byte of a section (PROTOCOL §2).
 *
 *     c_i = x_i + a_i + f_i   mod 256
 *
 * a is AES-256-CTR under one key, f the neural keystream under another, fed by its own ciphertext. For every f, a
 * hostile one included, c is as secret as AES-CTR: a_i is uniform and independent of everything that f has seen.
 * The converse is not claimed. Processes have fixed numbers: 1 is this one, 0x8001 is AES-256-CTR alone, for studies:
 * no artifact may carry it (src/format/artifact refuses it).
 */
import { openAesKeystream } from './aes-keystream'
import { addBytes, subtractBytes } from './byte-addition'
import { DiffusionError, requireArgument } from './errors'
import { referenceEngine } from './keystream-reference'
import { loadWasmEngine } from './keystream-wasm'
import { CHUNK_BYTES, expandNetwork, wipeNetwork } from './neural-keystream'
import type { Direction, KeystreamEngine } from './neural-keystream'

/** torus-32 sampled at its endpoint, with AES-256-CTR and the neural keystream v1 as its noise. */
export const PROCESS_TORUS_NEURAL = 1
/** The same with AES-256-CTR alone: for studies and comparisons, never in an artifact. */
export const PROCESS_TORUS_AES = 0x8001

export type ProcessId = typeof PROCESS_TORUS_NEURAL | typeof PROCESS_TORUS_AES

/** Two keys of 32 bytes, used for this one section and never again. */
export interface MaskKeys {
  readonly aes: Uint8Array
  readonly net: Uint8Array
}

/** Results are fresh arrays; arguments are left as they were. Errors: DiffusionError 'bad-argument'. */
export interface Mask<Id extends ProcessId = ProcessId> {
  readonly processId: Id
  apply(keys: MaskKeys, section: number, plaintext: Uint8Array): Promise<Uint8Array>
  remove(keys: MaskKeys, section: number, masked: Uint8Array): Promise<Uint8Array>
  /** Chunk `chunkIndex` of a section alone: at most 65,536 bytes, fewer only at the section's end. */
  removeChunk(keys: MaskKeys, section: number, chunkIndex: number, masked: Uint8Array): Promise<Uint8Array>
}

export interface MaskOptions {
  /** The engine of the neural keystream; by default WebAssembly SIMD, else plain TypeScript. */
  readonly engine?: KeystreamEngine
}

/** Bytes masked at a time, so that the noise in memory stays small. */
const GROUP_BYTES = 64 * CHUNK_BYTES

type Keystream = (direction: Direction, firstChunk: number, bytes: Uint8Array) => Promise<Uint8Array>

/** Applies `work` to groups of whole chunks. */
async function byGroups(
  bytes: Uint8Array,
  firstChunk: number,
  work: (group: Uint8Array, firstChunk: number) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (bytes.length <= GROUP_BYTES) return work(bytes, firstChunk)
  const out = new Uint8Array(bytes.length)
  for (let start = 0; start < bytes.length; start += GROUP_BYTES)
    out.set(await work(bytes.subarray(start, start + GROUP_BYTES), firstChunk + start / CHUNK_BYTES), start)
  return out
}

async function withKeystream(
  { keys, section, engine }: { keys: MaskKeys; section: number; engine: KeystreamEngine | null },
  use: (keystream: Keystream) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (engine === null) return use((_direction, _firstChunk, bytes) => Promise.resolve(bytes))
  const network = await expandNetwork(keys.net)
  try {
    return await use((direction, firstChunk, bytes) =>
      engine.run(network, { direction, section, firstChunk, bytes }),
    )
  } finally {
    wipeNetwork(network)
  }
}

export async function defaultEngine(): Promise<KeystreamEngine> {
  return (await loadWasmEngine()) ?? referenceEngine
}

function maskWith<Id extends ProcessId>(
  processId: Id,
  findEngine: () => Promise<KeystreamEngine | null>,
): Mask<Id> {
  async function run(
    direction: Direction,
    keys: MaskKeys,
    section: number,
    firstChunk: number,
    bytes: Uint8Array,
  ): Promise<Uint8Array> {
    requireArgument(
      Number.isInteger(section) && section >= 0 && section < 2 ** 16,
      'A section number is a 16-bit integer.',
    )
    const aes = await openAesKeystream(keys.aes)
    return withKeystream({ keys, section, engine: await findEngine() }, (keystream) =>
      byGroups(bytes, firstChunk, async (group, chunk) => {
        const noise = await aes.read(chunk * CHUNK_BYTES, group.length)
        return direction === 'add'
          ? keystream('add', chunk, addBytes(group, noise))
          : subtractBytes(await keystream('remove', chunk, group), noise)
      }),
    )
  }
  return {
    processId,
    apply: (keys, section, plaintext) => run('add', keys, section, 0, plaintext),
    remove: (keys, section, masked) => run('remove', keys, section, 0, masked),
    async removeChunk(keys, section, chunkIndex, masked) {
      requireArgument(
        Number.isInteger(chunkIndex) && chunkIndex >= 0 && chunkIndex < 2 ** 32,
        'A chunk number is a 32-bit integer.',
      )
      requireArgument(masked.length <= CHUNK_BYTES, 'A chunk has at most 65,536 bytes.')
      return run('remove', keys, section, chunkIndex, masked)
    },
  }
}

/** The mask of a process number from an artifact's header; throws 'unknown-process' for one this version lacks. */
export function createMask(
  processId?: typeof PROCESS_TORUS_NEURAL,
  options?: MaskOptions,
): Mask<typeof PROCESS_TORUS_NEURAL>
export function createMask(processId: number, options?: MaskOptions): Mask
export function createMask(processId: number = PROCESS_TORUS_NEURAL, options: MaskOptions = {}): Mask {
  const { engine } = options
  switch (processId) {
    case PROCESS_TORUS_NEURAL:
      return maskWith(PROCESS_TORUS_NEURAL, () => (engine ? Promise.resolve(engine) : defaultEngine()))
    case PROCESS_TORUS_AES:
      return maskWith(PROCESS_TORUS_AES, () => Promise.resolve(null))
    default:
      throw new DiffusionError(
        'unknown-process',
        'This version does not know the artifact’s forward process.',
      )
  }
}
