/**
 * Trains a base model on procedural images:
 *
 *     npm run train -- --out checkpoints/first --steps 20000 --workers 4
 *     npm run train -- --from models/safelight-v1 --steps 2000      goes on from released weights, without their splits
 *     npm run train -- --smoke                                      a tiny run that checks itself, under two minutes
 *
 * A run that was killed goes on from its last checkpoint in --out with the configuration saved there.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { smokeTest } from '../training/smoke'
import { train } from '../training/train'
import { BASE_CONFIG, type BackendChoice, type TrainConfig } from '../training/train-config'

const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    out: { type: 'string', default: 'checkpoints/base' },
    from: { type: 'string' },
    seed: { type: 'string' },
    steps: { type: 'string' },
    batch: { type: 'string' },
    size: { type: 'string' },
    workers: { type: 'string' },
    rate: { type: 'string' },
    backend: { type: 'string' },
  },
})

function numberOf(name: 'seed' | 'steps' | 'batch' | 'size' | 'workers' | 'rate'): number {
  const text = values[name]
  if (text === undefined) return BASE_CONFIG[name]
  const n = Number(text)
  const isWhole = Number.isInteger(n) || name === 'rate'
  if (!Number.isFinite(n) || !isWhole || (n <= 0 && name !== 'seed'))
    throw new Error(`--${name} ${text} is not usable`)
  return n
}

function backendOf(name: string | undefined): BackendChoice {
  if (name === undefined) return BASE_CONFIG.backend
  if (name === 'auto' || name === 'webgpu' || name === 'wasm' || name === 'cpu') return name
  throw new Error(`--backend ${name}: there are auto, webgpu, wasm and cpu`)
}

const print = (line: string): void => console.log(line)

if (values.smoke) {
  const folder = mkdtempSync(join(tmpdir(), 'safelight-train-'))
  try {
    await smokeTest(folder, print)
    print('the loss falls, and a checkpoint resumes bit for bit')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
} else {
  const config: TrainConfig = {
    ...BASE_CONFIG,
    seed: numberOf('seed'),
    steps: numberOf('steps'),
    batch: numberOf('batch'),
    size: numberOf('size'),
    workers: numberOf('workers'),
    rate: numberOf('rate'),
    backend: backendOf(values.backend),
    from: values.from ?? null,
  }
  if (config.size % 16 !== 0) throw new Error('--size must be a multiple of 16')
  await train(config, {
    out: values.out,
    minutesBetweenValidations: 5,
    minutesBetweenCheckpoints: 3,
    validationCrops: 16,
    stopAfter: Infinity,
    print,
  })
}
