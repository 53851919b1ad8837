/** The golden hashes of personal weights (`npm run vectors` writes them): what every artifact's key is bound to. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { CodecWeights } from '../codec/weights'
import { present } from '../lib/assert'
import { toHex } from '../lib/bytes'
import { WEIGHTS_HASHES } from '../training/golden-files'
import { readModel } from '../training/node-model'
import { hashWeights, personalModel } from './personal-model'
import { RELEASED_MODELS } from './released-models'
import { tinyModel } from './testing'

interface GoldenHashes {
  /** Seed of a drawn model, or id and name of a released one. */
  readonly tiny?: number
  readonly model?: string
  readonly modelName?: string
  readonly base: string
  readonly personal: readonly { readonly seed: string; readonly weightsHash: string }[]
}

const golden = JSON.parse(readFileSync(WEIGHTS_HASHES, 'utf8')) as readonly GoldenHashes[]

async function weightsOf({ tiny, model, modelName }: GoldenHashes): Promise<CodecWeights> {
  if (tiny !== undefined) return tinyModel(tiny)
  const { id, weights } = await readModel(present(modelName, 'no model'))
  expect(toHex(id)).toBe(model)
  return weights
}

/** The canonical bytes again, value by value. */
function plainHash({ config, tensors, integers, tables }: CodecWeights): string {
  const hash = createHash('sha256').update('safelight weights\0')
  const part = (name: string, values: ArrayLike<number>, put: 'setUint32' | 'setInt32' | 'setFloat32') => {
    const view = new DataView(new ArrayBuffer(4 + 4 * values.length))
    view.setUint32(0, values.length, true)
    for (let i = 0; i < values.length; i++) view[put](4 + 4 * i, values[i]!, true)
    hash.update(`${name}\0`).update(view)
  }
  for (const name of Object.keys(config).sort())
    part(name, [config[name as keyof typeof config]!], 'setUint32')
  for (const name of [...tensors.keys()].sort()) part(name, tensors.get(name)!, 'setFloat32')
  for (const name of [...integers.keys()].sort()) part(name, integers.get(name)!, 'setInt32')
  tables.forEach((table, i) => part(`table ${i}`, table, 'setUint32'))
  return hash.digest('hex')
}

describe('hashes of weights', () => {
  it('are there for drawn models and for every released one', () => {
    expect(golden.filter(({ tiny }) => tiny !== undefined)).not.toHaveLength(0)
    for (const { id } of RELEASED_MODELS) expect(golden.filter(({ model }) => model === id)).toHaveLength(1)
    const all = golden.flatMap(({ base, personal }) => [base, ...personal.map((p) => p.weightsHash)])
    expect(new Set(all).size).toBe(all.length)
  })

  it.each(golden)('are the golden ones, $#', async (vector) => {
    const weights = await weightsOf(vector)
    expect(toHex(await hashWeights(weights))).toBe(vector.base)
    for (const { seed, weightsHash } of vector.personal) {
      const personal = await personalModel(weights, Buffer.from(seed, 'hex'))
      expect(toHex(personal.weightsHash)).toBe(weightsHash)
      expect(plainHash(personal.weights)).toBe(weightsHash)
    }
  })

  it('see every tensor, every table and the architecture', async () => {
    const { weights, weightsHash } = await personalModel(tinyModel(3), new Uint8Array(32))
    const { tensors, integers, tables, config } = weights
    const touched = <T extends Float32Array | Int32Array | Uint32Array>(values: T): T => {
      const copy = values.slice() as T
      copy[copy.length - 1]! += 1
      return copy
    }
    const changes: Partial<CodecWeights>[] = [
      ...[...tensors].map(([name, v]) => ({ tensors: new Map(tensors).set(name, touched(v)) })),
      ...[...integers].map(([name, v]) => ({ integers: new Map(integers).set(name, touched(v)) })),
      ...tables.map((table, i) => ({ tables: tables.with(i, touched(table)) })),
      ...Object.entries(config).map(([name, n]) => ({ config: { ...config, [name]: (n as number) + 1 } })),
    ]
    const hashes = new Set([toHex(weightsHash)])
    for (const change of changes) hashes.add(toHex(await hashWeights({ ...weights, ...change })))
    expect(hashes.size).toBe(changes.length + 1)
  })

  it('see no negative zero', async () => {
    const base = tinyModel(1)
    expect([...base.tensors.values()].some((values) => values.some((v) => Object.is(v, -0)))).toBe(true)
    const { weights } = await personalModel(base, new Uint8Array(32))
    for (const [name, values] of weights.tensors)
      expect(
        values.some((v) => Object.is(v, -0)),
        name,
      ).toBe(false)
  })
})
