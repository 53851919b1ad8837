import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { copyBytes } from '../lib/bytes'
import { makePrng } from '../lib/prng'
import { formatTargets, type GoldenBytes } from './testing'

const file = new URL('../crypto/vectors/vault-v1.json', import.meta.url)
const { vault } = JSON.parse(readFileSync(file, 'utf8')) as { vault: GoldenBytes }
const targets = await formatTargets(vault)

const MEGABYTE = 2 ** 20

it.each(targets.map((target) => [target.name, target] as const))(
  'reads 1,000 mutations of the %s as what it writes, or refuses them by type',
  async (_, { sound, mutate, read }) => {
    for (const bytes of sound) expect(await read(copyBytes(bytes))).toBe('read')
    const prng = makePrng(20_261_121)
    const before = process.memoryUsage().arrayBuffers
    let peak = before
    const outcomes = new Map<string, number>()
    for (let n = 0; n < 1000; n++) {
      const outcome = await read(mutate(prng, () => sound[prng.nextBelow(sound.length)]!))
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      if (n % 50 === 0) peak = Math.max(peak, process.memoryUsage().arrayBuffers)
    }
    expect(peak - before).toBeLessThan(100 * MEGABYTE)
    expect(outcomes.get('read')).toBeGreaterThan(10)
    expect(outcomes.get('read')).toBeLessThan(900)
  },
)
