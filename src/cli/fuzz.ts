/**
 *     npm run fuzz -- codec [--seconds 60] [--seed N]
 *
 * Throws mutations of the golden streams at the codec until the time is over. Anything but a picture or a typed refusal
 * ends the run with the bytes that did it.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { makeVictim, mutate } from '../codec/testing'
import { makePrng } from '../lib/prng'
import { readModel } from './node-codec'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
})
if (positionals[0] !== 'codec') throw new Error('What can be fuzzed: codec.')

const file = new URL('../codec/vectors/streams.json', import.meta.url)
const { streams } = JSON.parse(await readFile(file, 'utf8')) as { streams: { bitstream: string }[] }
const sound = streams.map(({ bitstream }) => new Uint8Array(Buffer.from(bitstream, 'base64')))
const victim = await makeVictim((await readModel()).weights)
const prng = makePrng(Number(values.seed))
const end = performance.now() + 1000 * Number(values.seconds)
const outcomes: Record<string, number> = {}
let slowestMs = 0
let count = 0
while (performance.now() < end) {
  const bytes = mutate(prng, sound)
  const start = performance.now()
  try {
    const outcome = victim(bytes)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  } catch (error) {
    console.error(`Mutation ${count} of seed ${values.seed}: ${Buffer.from(bytes).toString('base64')}`)
    throw error
  }
  slowestMs = Math.max(slowestMs, performance.now() - start)
  count++
}
console.log(`${count} mutations, none escaped`, outcomes, `slowest ${slowestMs.toFixed(1)} ms`)
