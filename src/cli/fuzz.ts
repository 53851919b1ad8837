/**
 *     npm run fuzz -- codec|format [--seconds 60] [--seed N]
 *
 *   codec    mutations of the golden streams, read up to the symbols
 *   format   mutations of what a golden vault holds, read by every parser of src/format
 *
 * Until the time is over. Anything but a sound value or a typed refusal ends the run with the bytes that did it.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { makeVictim, mutate } from '../codec/testing'
import { formatTargets, type GoldenBytes } from '../format/testing'
import { makePrng, type Prng } from '../lib/prng'
import { NEWEST_MODEL, RELEASED_MODELS } from '../model/released-models'
import { goldenStreamsOf, goldenVaultOf } from '../training/golden-files'
import { readModel } from '../training/node-model'

interface Attempt {
  readonly name: string
  readonly bytes: Uint8Array
  /** What came of it; rejects where it escaped. */
  readonly run: () => Promise<string>
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
})

const readJson = async (file: URL): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'))

/** Every released model in turn, each with its own streams. */
async function fuzzCodec(): Promise<(prng: Prng) => Attempt> {
  const targets = await Promise.all(
    RELEASED_MODELS.map(async (released) => {
      const { streams } = (await readJson(goldenStreamsOf(released))) as { streams: { bitstream: string }[] }
      const sound = streams.map(({ bitstream }) => new Uint8Array(Buffer.from(bitstream, 'base64')))
      return { sound, victim: await makeVictim((await readModel(released.name)).weights) }
    }),
  )
  return (prng) => {
    const { sound, victim } = targets[prng.nextBelow(targets.length)]!
    const bytes = mutate(prng, sound)
    return { name: 'bitstream', bytes, run: () => Promise.resolve(victim(bytes)) }
  }
}

async function fuzzFormat(): Promise<(prng: Prng) => Attempt> {
  const { vault } = (await readJson(goldenVaultOf(NEWEST_MODEL))) as { vault: GoldenBytes }
  const targets = await formatTargets(vault)
  return (prng) => {
    const { name, sound, mutate: change, read } = targets[prng.nextBelow(targets.length)]!
    const bytes = change(prng, () => sound[prng.nextBelow(sound.length)]!)
    return { name, bytes, run: () => read(bytes) }
  }
}

const rooms: Readonly<Record<string, () => Promise<(prng: Prng) => Attempt>>> = {
  codec: fuzzCodec,
  format: fuzzFormat,
}
const start = rooms[positionals[0] ?? '']
if (start === undefined) throw new Error(`What can be fuzzed: ${Object.keys(rooms).join(', ')}.`)
const next = await start()
const prng = makePrng(Number(values.seed))
const endMs = performance.now() + 1000 * Number(values.seconds)
const outcomes: Record<string, number> = {}
let slowestMs = 0
let count = 0
while (performance.now() < endMs) {
  const { name, bytes, run } = next(prng)
  const startMs = performance.now()
  try {
    const outcome = await run()
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  } catch (error) {
    console.error(
      `Mutation ${count} of seed ${values.seed}, ${name}: ${Buffer.from(bytes).toString('base64')}`,
    )
    throw error
  }
  slowestMs = Math.max(slowestMs, performance.now() - startMs)
  count++
}
console.log(`${count} mutations, none escaped`, outcomes, `slowest ${slowestMs.toFixed(1)} ms`)
