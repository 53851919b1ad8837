/**
 * Writes procedural training crops as raw bytes, uint8 [count, size, size, 3]:
 *
 *     npx tsx src/cli/dump-crops.ts --seed 1 --count 6000 --size 256 --out FILE [--jobs 2]
 *
 * Scenes are at least 512 pixels wide and cut into crops. The result does not depend on the number of jobs. The file
 * appears under its name only when it is whole.
 */
import { fork } from 'node:child_process'
import { closeSync, openSync, renameSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { proceduralImage } from '../training/procedural-images'

const SCENE_SIDE = 512

interface Plan {
  readonly seed: number
  readonly count: number
  readonly size: number
  readonly file: string
  readonly jobs: number
  /** Which of the jobs this process does; -1 in the parent. */
  readonly job: number
}

function readPlan(): Plan {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '1000' },
      size: { type: 'string', default: '256' },
      out: { type: 'string' },
      jobs: { type: 'string', default: '1' },
      job: { type: 'string', default: '-1' },
    },
  })
  if (values.out === undefined) throw new Error('--out FILE is missing')
  const whole = (name: 'seed' | 'count' | 'size' | 'jobs' | 'job'): number => {
    const n = Number(values[name])
    if (!Number.isInteger(n)) throw new Error(`--${name} must be a whole number`)
    return n
  }
  return {
    seed: whole('seed'),
    count: whole('count'),
    size: whole('size'),
    file: values.out,
    jobs: whole('jobs'),
    job: whole('job'),
  }
}

/** Renders every jobs-th scene and writes its crops at their places. */
function writeCrops(plan: Plan): void {
  const side = Math.max(SCENE_SIDE, plan.size)
  const across = Math.floor(side / plan.size)
  const perScene = across * across
  const bytes = 3 * plan.size * plan.size
  const out = openSync(`${plan.file}.tmp`, 'r+')
  const crop = new Uint8Array(bytes)
  const started = Date.now()
  for (let scene = plan.job, done = 0; scene * perScene < plan.count; scene += plan.jobs, done++) {
    const image = proceduralImage(Math.imul(plan.seed, 1_000_003) + scene, side, side)
    for (let k = 0; k < perScene && scene * perScene + k < plan.count; k++) {
      const left = (k % across) * plan.size
      const top = Math.floor(k / across) * plan.size
      for (let y = 0; y < plan.size; y++) {
        const from = 3 * ((top + y) * side + left)
        crop.set(image.subarray(from, from + 3 * plan.size), 3 * y * plan.size)
      }
      writeSync(out, crop, 0, bytes, (scene * perScene + k) * bytes)
    }
    if (plan.job === 0 && done % 50 === 49) {
      const crops = Math.min(plan.count, (scene + 1) * perScene)
      console.log(
        `${crops} of ${plan.count} crops, ${((crops * 1000) / (Date.now() - started)).toFixed(1)} per second`,
      )
    }
  }
  closeSync(out)
}

async function runJobs(plan: Plan): Promise<void> {
  const partial = `${plan.file}.tmp`
  writeFileSync(partial, '')
  truncateSync(partial, plan.count * plan.size * plan.size * 3)
  const self = fileURLToPath(import.meta.url)
  await Promise.all(
    Array.from({ length: plan.jobs }, (_, job) => {
      const child = fork(self, [...process.argv.slice(2), '--job', String(job)])
      return new Promise<void>((resolve, reject) => {
        child.on('error', reject)
        child.on('exit', (code) =>
          code === 0 ? resolve() : reject(new Error(`job ${job} ended with code ${code ?? 'none'}`)),
        )
      })
    }),
  )
  renameSync(partial, plan.file)
}

const plan = readPlan()
if (plan.job >= 0) writeCrops(plan)
else await runJobs(plan)
